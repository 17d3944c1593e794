-- Up Migration
-- SR policies: intent (what operators ask for) and state (what the leader derived) are apart.

create table mesh (
  id text primary key,
  color bigint not null check (color between 1 and 4294967295),
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
  -- not null: keep exactly these transport lists as long as they deliver
  pinned_lists jsonb,
  revision bigint not null,
  created_at timestamptz not null default now(),
  unique (headend, color, endpoint),
  check ((mesh_id is null) = (fallback is not null))
);
-- pages are cut in code-unit order, whatever the collation of the database
create index sr_policy_page on sr_policy (id collate "C");
create index sr_policy_endpoint on sr_policy (endpoint);
create index sr_policy_mesh on sr_policy (mesh_id) where mesh_id is not null;
create index sr_policy_revision on sr_policy (revision);

-- What deletion leaves for the leader: withdraw it, release its bookings and BSIDs.
create table deleted_policy (
  policy_id text primary key,
  headend text not null,
  revision bigint not null
);

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

-- Explicit claims are intent and written with it; default ones are the leader's.
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
  active_candidate bigint, -- discriminator of the active candidate path
  compliance text check (compliance in ('constraints-met', 'constraints-not-met', 'unconstrained')),
  lists jsonb not null, -- transport lists with weight, path, metrics and proof, in compact form
  previous_lists jsonb, -- what rolling back returns to
  candidates jsonb not null, -- per candidate path: valid, or why not
  cause text not null, -- why it last changed
  changed_revision bigint not null,
  changed_at timestamptz not null,
  event_at timestamptz not null, -- when what caused it was committed
  -- What decides whether a change of the topology can affect the policy: what its traffic crosses (it may get worse) ...
  node_ids text[] not null,
  link_ids text[] not null,
  -- ... the segments that the IGP expands (they may move), each with its IGP distance ...
  segment_from text[] not null,
  segment_to text[] not null,
  segment_igp bigint[] not null,
  -- ... what it is optimised for, and with what success (it may get better) ...
  metric text check (metric in ('igp', 'te', 'delay', 'hop')),
  metric_value double precision,
  -- ... whether anything better than what it has was wanted and impossible, and whether for lack of bandwidth.
  unsettled boolean not null,
  starved boolean not null
);
create index policy_state_nodes on policy_state using gin (node_ids);
create index policy_state_links on policy_state using gin (link_ids);
create index policy_state_unsettled on policy_state (policy_id) where unsettled;
create index policy_state_starved on policy_state (policy_id) where starved;
create index policy_state_status on policy_state (status) where status <> 'up';

create table booking (
  policy_id text not null,
  link_id text not null,
  generation bigint not null, -- of the headend: what carries the lists that book
  bandwidth_bps bigint not null check (bandwidth_bps > 0),
  setup_priority smallint not null default 7 check (setup_priority between 0 and 7),
  hold_priority smallint not null default 7 check (hold_priority between 0 and 7),
  -- the generation with which the policy moves away; the booking stays until its headend has acked that
  releasing_generation bigint,
  primary key (policy_id, link_id, generation)
);
create index booking_link on booking (link_id);

-- Links on which bandwidth was released since the leader last looked: policies that lack some are tried again.
create table released_link (
  id bigint generated always as identity primary key,
  link_id text not null
);

-- Hysteresis: links that got worse lately, and until when those that are better again are not a reason to move.
create table link_hold (
  link_id text primary key,
  flaps integer not null,
  worsened_at timestamptz not null,
  held_until timestamptz
);

-- BSIDs: a block per headend, a number per policy; family and slot follow from the number.
create table bsid_block (
  headend text primary key,
  block cidr not null unique
);

create table bsid (
  headend text not null,
  number integer not null check (number >= 0),
  policy_id text, -- null once released
  releasing_generation bigint, -- released with this generation of the headend, which has not been acked
  quarantined_until timestamptz,
  primary key (headend, number)
);
create unique index bsid_policy on bsid (policy_id) where policy_id is not null;
