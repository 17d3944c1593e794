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
