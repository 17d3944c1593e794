-- Up Migration
-- Who writes, and what each headend should hold.

create table leader (
  one boolean primary key default true check (one),
  epoch bigint not null default 0,
  holder text,
  since timestamptz
);
insert into leader default values;

-- Ed25519 key that signs what travels through Redis
create table signing_key (
  one boolean primary key default true check (one),
  private_key bytea not null,
  public_key bytea not null
);

create table headend (
  node_id text primary key,
  generation bigint not null default 0,
  epoch bigint not null default 0,
  -- of the bodies that are not deleted; XOR of SHA-256s, so 32 zeros when there are none
  state_hash bytea not null default decode(repeat('00', 32), 'hex') check (octet_length(state_hash) = 32),
  acked_epoch bigint not null default 0,
  acked_generation bigint not null default 0,
  read_back_hash bytea,
  bsid_block cidr
);

create table desired (
  headend text not null references headend (node_id),
  policy_id text not null,
  generation bigint not null,
  deleted boolean not null default false,
  body bytea not null, -- serialized waymark.agent.v1.DesiredPolicy; empty when deleted
  -- outcome of this generation as the agent read it back
  outcome text not null default 'pending' check (outcome in ('pending', 'installed', 'simulated', 'failed')),
  outcome_reason text,
  outcome_at timestamptz,
  primary key (headend, policy_id)
);
create index desired_generation on desired (headend, generation);

create table agent (
  node_id text primary key,
  agent_version text not null,
  dataplane text not null,
  controller text not null, -- the controller its session is on
  -- the newest session; what an older one still says is not stored
  session uuid not null,
  connected_at timestamptz not null,
  last_seen timestamptz not null,
  disconnected_at timestamptz,
  -- what it has accepted durably of this instance's state
  epoch bigint not null,
  generation bigint not null,
  bus text not null,
  dataplane_error text,
  drift_repairs bigint not null default 0
);
