-- Up Migration
-- Policies that are computed and cannot be installed, because the pool has no block of binding SIDs left for their headend.

create table bsid_shortage (
  policy_id text primary key references sr_policy on delete cascade,
  reason text not null,
  since timestamptz not null
);
