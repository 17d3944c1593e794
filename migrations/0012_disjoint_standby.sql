-- Up Migration
-- What became of the standby that the active candidate path asks for (DisjointStandby); null: it asks for none.

alter table policy_state add column disjoint_standby jsonb;
