-- Up Migration
-- Intent that lives elsewhere, in an object of a Kubernetes cluster: only on behalf of that object may it change.

create table owned_object (
  kind text not null check (kind in ('policy', 'mesh', 'link-constraints')),
  id text not null, -- of the policy, the mesh or the directed link
  owner text not null, -- kubernetes:<cluster>/<kind>/<name>
  primary key (kind, id)
);
create index owned_object_owner on owned_object (owner);
