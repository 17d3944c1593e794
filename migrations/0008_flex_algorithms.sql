-- Up Migration
-- Flexible algorithms (RFC 9350) in which a node takes part, with the definitions that it advertises:
-- [{algorithm, definition: null | {metricType, priority, excludeAny, includeAny, includeAll, excludeSrlgs}}]

alter table node_layer add column flex_algorithms jsonb;

-- Policies that go by flexible algorithms or anycast prefixes: their segments have no IGP distance.
create index policy_state_rerouted on policy_state (policy_id) where array_position(segment_igp, null) is not null;
