import type { ColumnType, Generated } from 'kysely';
import type { Role } from '../../model/access.js';

/* The tables of migrations/0016_access.sql. */

export interface ApiKeyTable {
  name: string;
  prefix: string;
  role: Role;
  operations: ColumnType<readonly string[] | null, readonly string[] | null>;
  hash: Buffer;
  previous_prefix: string | null;
  previous_hash: Buffer | null;
  previous_until: Date | null;
  created_at: Generated<Date>;
  created_by: string;
  rotated_at: Date | null;
  expires_at: Date | null;
  last_used_at: Date | null;
}

export interface AccessTables {
  api_key: ApiKeyTable;
}
