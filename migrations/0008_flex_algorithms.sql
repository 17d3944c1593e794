-- Up Migration
-- Flexible algorithms (RFC 9350) in which a node takes part, with the definitions that it advertises:
-- [{algorithm, definition: null | {metricType, priority, excludeAny, includeAny, includeAll, excludeSrlgs}}]

alter table node_layer add column flex_algorithms jsonb;
