-- Up Migration
-- Clusters as sources: kubernetes:<cluster> says which hosts there are and which pod prefixes they serve.

alter table source drop constraint source_kind_check;
alter table source add constraint source_kind_check check (kind in ('file', 'events', 'agent', 'kubernetes'));
