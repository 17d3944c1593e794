-- Up Migration
-- What a headend uses by itself while none of its active lists delivers, and what agents find when they probe.

alter table policy_state
  -- lists of the next valid candidate path, in the form of `lists`; null: none
  add column standby jsonb,
  -- what they cross; null without a standby
  add column standby_node_ids text[],
  add column standby_link_ids text[];
create index policy_state_standby_nodes on policy_state using gin (standby_node_ids) where standby_node_ids is not null;
create index policy_state_standby_links on policy_state using gin (standby_link_ids) where standby_link_ids is not null;
-- Policies that may have one get it from the next leader, which tries again all that lack something.
update policy_state set starved = true where jsonb_array_length(candidates) > 1;

-- What agents found. Unlogged: they tell everything again every 30 s, so after a crash it is merely unknown until then.

-- The newest complete report of each headend. What an older round or another session than the agent's told is void.
create unlogged table liveness_round (
  headend text primary key,
  session uuid not null,
  round bigint not null
);

create unlogged table list_liveness (
  policy_id text not null,
  family text not null check (family in ('ipv4', 'ipv6')),
  standby boolean not null,
  sids bytea not null, -- 16 bytes each, in travel order, service SID last
  headend text not null,
  round bigint not null,
  state text not null check (state in ('unknown', 'up', 'down')),
  since timestamptz not null,
  in_use boolean not null,
  probes_sent bigint not null,
  probes_lost bigint not null,
  -- null: no probe came back
  round_trip_min_us bigint,
  round_trip_avg_us bigint,
  round_trip_max_us bigint,
  reported_at timestamptz not null,
  primary key (policy_id, family, standby, sids)
) with (fillfactor = 70); -- every column outside the key changes in place
create index list_liveness_headend on list_liveness (headend);

-- How the data plane of each agent fares: its newest report.
create table agent_data_plane (
  node_id text primary key,
  reported_at timestamptz not null,
  read_at timestamptz not null, -- by the clock of the agent
  version text, -- null: it does not answer
  reachable boolean not null,
  interfaces jsonb not null,
  local_sids jsonb not null,
  notices text[] not null
);
