import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { Role } from '../../model/access.js';
import type { AuditedEntity, AuditEntry } from '../../model/audit.js';

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

export interface AuditTable {
  id: GeneratedAlways<number>;
  at: GeneratedAlways<Date>;
  revision: number;
  actor: string;
  credential: string | null;
  request_id: string | null;
  owner: string | null;
  kind: string;
  entity: AuditedEntity;
  entity_id: string;
  before: AuditEntry['before'];
  after: AuditEntry['after'];
}

export interface AccessTables {
  api_key: ApiKeyTable;
  audit: AuditTable;
}
