-- Up Migration
-- What led to the last change of a policy, in words; changed_revision and event_at are its revision and its time, and
-- cause says why it changed the policy.
alter table policy_state
  add column event_kind text not null default 'unknown',
  add column event_by text not null default 'before this was recorded',
  add column event_summary text not null default 'changed',
  -- it stays on something that is drained, for want of an alternative
  add column blocked boolean not null default false;
alter table policy_state
  alter column event_kind drop default,
  alter column event_by drop default,
  alter column event_summary drop default,
  alter column blocked drop default;
