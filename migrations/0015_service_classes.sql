-- Up Migration
-- Pods whose traffic goes over policies of a color: which they are is intent of their cluster, kept so that an API server
-- that is away while controllers start withdraws nothing. The prefixes that such policies claim are in `steering`, with the
-- color as class.

create table class_member (
  headend text not null,
  address text not null, -- of the pod; IPv6 as in RFC 5952
  color bigint not null check (color between 1 and 4294967295),
  cluster text not null,
  namespace text not null,
  pod text not null,
  primary key (headend, address)
);
create index class_member_cluster on class_member (cluster);
create index class_member_class on class_member (headend collate "C", color);

-- The newest revision that changed the members of a headend.
create table class_change (
  headend text primary key,
  revision bigint not null
);
create index class_change_revision on class_change (revision);
