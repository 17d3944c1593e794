import { sql, type Transaction } from 'kysely';
import type { AuditedChange } from '../model/audit.js';
import type { Actor } from '../model/topology.js';
import type { Tables } from './database.js';

/**
 * Writes down from what to what a revision changes things, and who asked for it: in its own transaction, so that there is
 * neither a change without its entry nor an entry without its change. One statement, however many.
 */
export async function recordAudit(
  tx: Transaction<Tables>,
  { revision, kind, actor }: { readonly revision: number; readonly kind: string; readonly actor: Actor },
  changes: readonly AuditedChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const { name, credential = null, requestId = null, owner = null } = actor;
  await sql`
    insert into audit (revision, kind, actor, credential, request_id, owner, entity, entity_id, before, after)
    select ${revision}::bigint, ${kind}, ${name}, ${credential}::text, ${requestId}::text, ${owner}::text, n.*
    from unnest(
      ${changes.map(({ entity }) => entity)}::text[],
      ${changes.map(({ id }) => id)}::text[],
      ${changes.map(({ before }) => before && JSON.stringify(before))}::jsonb[],
      ${changes.map(({ after }) => after && JSON.stringify(after))}::jsonb[]
    ) as n
  `.execute(tx);
}
