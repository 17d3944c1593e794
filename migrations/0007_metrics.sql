-- Up Migration
-- Delay variation and loss can be optimised too.

alter table policy_state drop constraint policy_state_metric_check;
alter table policy_state add constraint policy_state_metric_check
  check (metric in ('igp', 'te', 'delay', 'delay-variation', 'loss', 'hop'));
