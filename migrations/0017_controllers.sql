-- Up Migration
-- The controllers of this database, as each tells of itself every few seconds.

create table controller (
  id uuid primary key, -- of the process
  name text not null,
  version text not null,
  started_at timestamptz not null,
  last_seen timestamptz not null,
  epoch bigint, -- in which it leads, as far as it knows; null: it does not
  revision bigint not null, -- the newest that its view of the topology shows
  behind_ms bigint not null -- how old the oldest revision was that the view did not show; 0: it showed all
);
