-- Up Migration
-- The audit is kept by a time of its own, no longer by that of the history. An entry goes only after another one, younger than
-- it, says that all before a time have gone (entity 'audit'): what was removed is not there, but that it was removed is.
create or replace function refuse_audit_change() returns trigger language plpgsql as $$
declare
  newest record;
begin
  if tg_op = 'DELETE' then
    select id, (after ->> 'until')::timestamptz as until into newest from audit
    where entity = 'audit' and entity_id = 'retention' order by id desc limit 1;
    if old.id < newest.id and old.at < newest.until then
      return old;
    end if;
  end if;
  raise exception 'rows of the audit are neither changed nor removed before an entry says so'
    using errcode = 'insufficient_privilege';
end
$$;
