-- Up Migration
-- The traffic-engineering database. Every row of a TED table is valid for [from_revision, to_revision); the open row
-- (to_revision null) is the present. A past revision is rebuilt by reading the rows that were valid then.

create table head (
  one boolean primary key default true check (one),
  instance uuid not null default gen_random_uuid(),
  revision bigint not null default 0,
  ted_revision bigint not null default 0,
  -- the last revision whose consequences were published
  computed_through bigint not null default 0,
  -- revisions before this one cannot be rebuilt any more
  pruned_through bigint not null default 0
);
insert into head default values;

-- The change log: one row per transaction that changed anything. What changed is found by the validity ranges.
create table revision (
  revision bigint primary key,
  ted_revision bigint not null,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  kind text not null,
  summary text not null
);
create index revision_ted on revision (ted_revision);
create index revision_at on revision (at);

create table source (
  id text collate "C" primary key, -- pages are cut by code unit, whatever the collation of the database
  kind text not null check (kind in ('file', 'events', 'agent')),
  last_sequence bigint,
  -- it has once stated everything it knows, so what it has not named is none of its links
  complete boolean not null default false,
  -- an operator vouched for what it said up to this revision: no collapse is seen in that
  trusted_revision bigint not null default 0,
  -- held: it collapsed; its last batch is kept in `held_batch` and not believed until an operator says so
  held_since timestamptz,
  held_reason text,
  held_batch jsonb,
  updated_at timestamptz not null default now()
);

create table affinity (
  name text primary key,
  bit smallint not null unique check (bit between 0 and 255)
);

create table node_layer (
  node_id text not null,
  layer text not null check (layer in ('discovered', 'measured', 'operator')),
  source text not null,
  from_revision bigint not null,
  to_revision bigint,
  kind text check (kind in ('router', 'host')),
  name text,
  site text,
  latitude double precision,
  longitude double precision,
  router_id text,
  igp_domain text,
  address inet,
  encap_mode text check (encap_mode in ('full', 'reduced')),
  msd_h_encaps smallint check (msd_h_encaps between 0 and 64),
  pod_prefixes cidr[],
  admin_state text check (admin_state in ('up', 'drained', 'down')),
  operational_state text check (operational_state in ('up', 'down')),
  -- {attribute: revision} of those set before from_revision: a source that changes one attribute does not restate the rest
  since jsonb,
  check (to_revision is null or to_revision > from_revision)
);
create unique index node_layer_open on node_layer (node_id, layer, source) where to_revision is null;
create index node_layer_from on node_layer (from_revision);
create index node_layer_to on node_layer (to_revision) where to_revision is not null;

create table link_layer (
  link_id text not null,
  layer text not null check (layer in ('discovered', 'measured', 'operator')),
  source text not null,
  from_revision bigint not null,
  to_revision bigint,
  from_node text,
  to_node text,
  reverse_id text,
  igp_area text,
  interface_addresses inet[],
  igp_metric bigint check (igp_metric between 0 and 16777215),
  te_metric bigint check (te_metric between 0 and 4294967295),
  delay_us bigint check (delay_us >= 0),
  delay_min_us bigint check (delay_min_us >= 0),
  delay_max_us bigint check (delay_max_us >= 0),
  delay_variation_us bigint check (delay_variation_us >= 0),
  loss_ppm integer check (loss_ppm between 0 and 1000000),
  bandwidth_bps bigint check (bandwidth_bps >= 0),
  reservable_bandwidth_bps bigint check (reservable_bandwidth_bps >= 0),
  affinities text[],
  srlgs bigint[],
  mtu_bytes integer check (mtu_bytes between 1280 and 65535),
  admin_state text check (admin_state in ('up', 'drained', 'down')),
  operational_state text check (operational_state in ('up', 'down')),
  -- {attribute: revision} of those set before from_revision: a source that changes one attribute does not restate the rest
  since jsonb,
  check (to_revision is null or to_revision > from_revision)
);
create unique index link_layer_open on link_layer (link_id, layer, source) where to_revision is null;
create index link_layer_from on link_layer (from_revision);
create index link_layer_to on link_layer (to_revision) where to_revision is not null;

create table locator (
  node_id text not null,
  prefix cidr not null,
  layer text not null check (layer in ('discovered', 'operator')),
  source text not null,
  from_revision bigint not null,
  to_revision bigint,
  algorithm smallint not null check (algorithm between 0 and 255),
  metric bigint not null,
  anycast boolean not null,
  scope text not null check (scope in ('igp', 'attachment')),
  block_bits smallint not null,
  node_bits smallint not null,
  function_bits smallint not null,
  argument_bits smallint not null,
  origin text not null check (origin in ('discovered', 'agent', 'operator', 'planned')),
  check (to_revision is null or to_revision > from_revision)
);
create unique index locator_open on locator (node_id, prefix, layer, source) where to_revision is null;
create index locator_from on locator (from_revision);
create index locator_to on locator (to_revision) where to_revision is not null;

create table sid (
  node_id text not null,
  sid inet not null,
  layer text not null check (layer in ('discovered', 'operator')),
  source text not null,
  from_revision bigint not null,
  to_revision bigint,
  link_id text,
  behavior text not null check (behavior in ('End', 'End.X', 'End.DT4', 'End.DT6', 'End.DT46')),
  flavors text[] not null,
  algorithm smallint not null check (algorithm between 0 and 255),
  protected boolean not null,
  block_bits smallint,
  node_bits smallint,
  function_bits smallint,
  argument_bits smallint,
  origin text not null check (origin in ('discovered', 'agent', 'operator', 'planned')),
  check ((behavior = 'End.X') = (link_id is not null)),
  check (to_revision is null or to_revision > from_revision)
);
create unique index sid_open on sid (node_id, sid, behavior, layer, source) where to_revision is null;
create index sid_from on sid (from_revision);
create index sid_to on sid (to_revision) where to_revision is not null;
