insert into source (id, kind, complete, updated_at) values ('kubernetes:paris', 'kubernetes', true, '2026-11-29 16:30:45+00');
