import { sql, type Transaction } from 'kysely';
import type { AuditedChange } from '../model/audit.js';
import type { Actor } from '../model/topology.js';
import type { Tables } from '../storage/database.js';
import type { SourceRecord } from './source-table.js';

/*
 * What the audit has of sources of events: whose word each is, whenever that becomes another's, and holds with their ends.
 * What they say, batch by batch and by whom, is in the change log; the audit would hold little else.
 */

/** A batch was kept and not believed. */
export function auditedHold(id: string, heldReason: string): AuditedChange {
  return { entity: 'source', id, before: null, after: { heldReason } };
}

/** How a hold ended: by an operator's decision, or because the source was whole again. */
export function auditedRelease(
  { id, held_since, held_reason }: Pick<SourceRecord, 'id' | 'held_since' | 'held_reason'>,
  decision: 'apply' | 'discard' | 'whole-again',
): AuditedChange {
  const before = { heldSince: held_since?.toISOString() ?? null, heldReason: held_reason };
  return { entity: 'source', id, before, after: { decision } };
}

/** Empty when the last batch that was believed came from the same actor. */
export async function auditedReporter(
  tx: Transaction<Tables>,
  id: string,
  { name }: Actor,
): Promise<readonly AuditedChange[]> {
  const last = await tx
    .selectFrom('audit')
    .select('after')
    .where('entity', '=', 'source')
    .where('entity_id', '=', id)
    .where(sql<boolean>`after ? 'reportedBy'`)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const before = last?.after ?? null;
  return before?.['reportedBy'] === name ? [] : [{ entity: 'source', id, before, after: { reportedBy: name } }];
}
