-- The key is in the test.
insert into api_key (name, prefix, role, hash, created_at, created_by) values ('noc', 'wmk_0123456789abcdef', 'viewer', '\x6ebeaa97082cb37f00cb599ed85e4d95b693de1299f3def73a8197c13e23ccb9', '2026-11-29 16:30:45+00', 'admin-key');
insert into audit (at, revision, actor, credential, request_id, kind, entity, entity_id, after) values ('2026-11-29 16:30:46+00', 9, 'admin-key', 'admin-key-file', 'c1a18dbc', 'mesh-create', 'mesh', 'backup', '{"id": "backup", "color": 9}');
