-- Up Migration
-- With which revision a source was held: what is answered on a topology that may be out of date says since when.

alter table source add column held_revision bigint; -- null: not held
update source s set held_revision = coalesce(
  (
    select max(r.revision) from revision r
    where r.kind = 'source-held' and starts_with(r.summary, s.id || ' is held: ')
  ),
  (select revision from head)
)
where held_since is not null;
