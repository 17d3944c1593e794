-- Up Migration
-- SR policies: intent (what operators ask for) and state (what the leader derived) are apart.

create table mesh (
  id text primary key,
  selector jsonb not null,
  template jsonb not null,
  revision bigint not null
);

create table mesh_override (
  mesh_id text not null references mesh on delete cascade,
  headend text not null,
  endpoint text not null,
  override jsonb not null,
  primary key (mesh_id, headend, endpoint)
);

create table sr_policy (
  id text primary key, -- <headend>:<color>:<endpoint>
  headend text not null,
  color bigint not null check (color between 1 and 4294967295),
  endpoint text not null,
  name text,
  -- a policy of a mesh has no intent of its own: it refers to the mesh's template and its override
  mesh_id text references mesh on delete cascade,
  fallback text check (fallback in ('drop', 'shortest-path')),
  -- null: default steering, the endpoint's unclaimed pod prefixes
  steered_prefixes cidr[],
  pinned boolean not null default false,
  revision bigint not null,
  created_at timestamptz not null default now(),
  unique (headend, color, endpoint),
  check ((mesh_id is null) = (fallback is not null))
);
create index sr_policy_endpoint on sr_policy (endpoint);
create index sr_policy_mesh on sr_policy (mesh_id) where mesh_id is not null;
create index sr_policy_revision on sr_policy (revision);

-- RFC 9256 section 2.6: a candidate path is keyed <origin, originator, discriminator>.
create table candidate_path (
  policy_id text not null references sr_policy on delete cascade,
  origin text not null check (origin in ('configuration', 'bgp')),
  originator text not null,
  discriminator bigint not null,
  owner text not null, -- rest, crd, configmap, bgp
  preference bigint not null,
  name text,
  body jsonb not null, -- explicit segment lists, or metric and constraints
  primary key (policy_id, origin, originator, discriminator)
);

create table steering (
  headend text not null,
  class text not null default '', -- VRF or traffic class; empty = default
  prefix cidr not null,
  policy_id text not null references sr_policy on delete cascade,
  explicit boolean not null,
  primary key (headend, class, prefix)
);
create index steering_policy on steering (policy_id);

create table policy_state (
  policy_id text primary key references sr_policy on delete cascade,
  computed_revision bigint not null, -- revision whose consequences this is
  status text not null check (status in ('up', 'fallback', 'down')),
  active_candidate jsonb, -- key of the active candidate path
  compliance text check (compliance in ('constraints-met', 'constraints-not-met', 'unconstrained')),
  lists jsonb not null, -- transport lists with weight, path, metrics and proof
  previous_lists jsonb, -- what `rollback` returns to
  candidates jsonb not null, -- per candidate path: valid, or why not
  held_prefixes jsonb not null, -- default steering that another policy holds
  cause text not null, -- why it last changed
  changed_revision bigint not null,
  changed_at timestamptz not null,
  event_at timestamptz not null -- when what caused it was committed
);

create table booking (
  policy_id text not null,
  link_id text not null,
  generation bigint not null,
  bandwidth_bps bigint not null check (bandwidth_bps > 0),
  setup_priority smallint not null default 7 check (setup_priority between 0 and 7),
  hold_priority smallint not null default 7 check (hold_priority between 0 and 7),
  -- true: the policy has moved away; kept until the headend acks that generation
  releasing boolean not null default false,
  primary key (policy_id, link_id, generation)
);
create index booking_link on booking (link_id);

create table bsid (
  headend text not null,
  sid inet not null,
  policy_id text, -- null once quarantined
  family text not null check (family in ('ipv4', 'ipv6')),
  slot text not null check (slot in ('a', 'b')),
  quarantined_until timestamptz,
  primary key (headend, sid)
);
create unique index bsid_policy on bsid (policy_id, family, slot) where policy_id is not null;
