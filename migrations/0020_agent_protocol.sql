-- Up Migration
-- Agents of several versions: what each of them understands, and what its headend should hold and cannot.

alter table agent
  add column protocol_version integer not null default 1,
  -- what it understands beyond version 1 of the protocol, sorted; null: no controller has asked since this is recorded
  add column features text[];

-- For what features the desired state of the headend is written. Controllers that do not know this column write for all that
-- there were when it was added.
alter table headend add column features text[] not null default '{service-classes}';

-- Entries that the agent of a headend does not understand, as they should be; `desired` has what it understands of them, or
-- nothing.
create table withheld (
  headend text not null,
  policy_id text not null, -- or the id of a service class
  -- of the entry in `desired` that this stands beside; 0: there is none
  generation bigint not null,
  body bytea not null,
  reason text not null,
  primary key (headend, policy_id)
);
