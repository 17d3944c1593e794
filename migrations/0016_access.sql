-- Up Migration
-- Who may use the REST API, besides whom an OIDC issuer vouches for.

create table api_key (
  name text collate "C" primary key, -- pages are cut by code unit, whatever the collation of the database
  prefix text not null unique, -- the part of the key that is no secret: finds the row
  role text not null check (role in ('viewer', 'operator', 'admin')),
  operations text[], -- null: all that the role allows
  -- SHA-256 of the whole key, which has 256 random bits
  hash bytea not null check (octet_length(hash) = 32),
  -- of the key before the last rotation, while it is still good
  previous_prefix text unique,
  previous_hash bytea check (octet_length(previous_hash) = 32),
  previous_until timestamptz,
  created_at timestamptz not null default now(),
  created_by text not null,
  rotated_at timestamptz,
  expires_at timestamptz,
  last_used_at timestamptz,
  check ((previous_prefix is null) = (previous_hash is null) and (previous_hash is null) = (previous_until is null))
);

-- From what to what intent was changed, and by whom: rows are added by the transaction that makes the change, never altered,
-- and go only with the history of their revision.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  revision bigint not null,
  actor text not null,
  credential text, -- how the request was recognised; null: it was none
  request_id text,
  owner text, -- the object of a cluster on whose behalf it was
  kind text not null, -- as in the change log
  entity text not null,
  entity_id text not null,
  before jsonb, -- null: there was none
  after jsonb -- null: there is none any more
);
create index audit_entity on audit (entity, entity_id, id);
create index audit_actor on audit (actor, id);
create index audit_request on audit (request_id) where request_id is not null;
create index audit_at on audit (at);
create index audit_revision on audit (revision);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.revision < (select pruned_through from head) then
      return old;
    end if;
  end if;
  raise exception 'rows of the audit are neither changed nor removed before their history is' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_append_only before update or delete on audit for each row execute function refuse_audit_change();
create trigger audit_no_truncate before truncate on audit for each statement execute function refuse_audit_change();
