import type { Kysely } from 'kysely';
import { Problem } from '../model/errors.js';
import type { Actor, SourceBatch, SourceBatchResult } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database, Tables } from '../storage/database.js';
import { lockHead, logRevision, takeRevision } from '../storage/revision.js';
import { COLLAPSE_WINDOW_MS, collapseReason } from './collapse.js';
import { auditedHold, auditedRelease, auditedReporter } from './source-audit.js';
import { describeEvents, planEvents } from './source-events.js';
import { NOT_HELD, requireSourceKind, writeSource } from './source-table.js';
import type { TedCache } from './ted-cache.js';
import { isEmpty } from './ted-rows.js';
import { writeRows } from './write-rows.js';

/**
 * One batch of a source of events, in one transaction.
 *
 *   sequence    known already → `duplicate`; a gap → Problem `source-sequence-gap`
 *   collapse    the batch is kept, not believed → `held`, until an operator releases it
 *   held        another batch → Problem `source-held`; but a full one that is whole again ends the hold by itself, for
 *               real failures must not wait for an operator because the source once hiccuped
 *   otherwise   `applied`; a batch that changes nothing (or only within the dead-band) makes no revision
 */
export async function applySourceBatch(
  db: Database,
  cache: TedCache,
  {
    id,
    batch,
    actor,
    now,
  }: { readonly id: string; readonly batch: SourceBatch; readonly actor: Actor; readonly now: Date },
): Promise<SourceBatchResult> {
  return db.transaction().execute(async (tx) => {
    const head = await lockHead(tx);
    const record = await requireSourceKind(tx, id, 'events');
    const lastSequence = record?.last_sequence ?? 0;
    const isHeld = record !== undefined && record.held_since !== null;
    if (batch.sequence <= lastSequence) {
      const outcome = isHeld && batch.sequence === lastSequence ? 'held' : 'duplicate';
      return { outcome, sequence: lastSequence, revision: head.revision };
    }
    if (batch.sequence !== lastSequence + 1) {
      throw new Problem('source-sequence-gap', {
        detail: `source "${id}" sent sequence ${batch.sequence}; expected is ${lastSequence + 1}`,
        field: '/sequence',
      });
    }

    const before = await cache.before(tx, head);
    const { change, linkStates, nodeStates } = planEvents(before.layered, id, batch, head.revision + 1);
    const collapse = collapseReason({
      ted: before.ted,
      layered: before.layered,
      source: id,
      complete: record?.complete ?? false,
      windowRevision: Math.max(record?.trusted_revision ?? 0, await lastRevisionBefore(tx, now, COLLAPSE_WINDOW_MS)),
      states: { links: linkStates, nodes: nodeStates },
    });
    if (isHeld && (!batch.full || collapse !== undefined)) {
      throw new Problem('source-held', { detail: `source "${id}" is held: ${record.held_reason ?? ''}` });
    }
    const said = { updated_at: now, last_sequence: batch.sequence };
    if (collapse !== undefined) {
      const numbers = await takeRevision(tx, false);
      const held = {
        held_since: now,
        held_reason: collapse,
        held_revision: numbers.revision,
        held_batch: JSON.stringify(batch),
      };
      await writeSource(tx, id, 'events', { ...said, ...held });
      const header = { actor: actor.name, kind: 'source-held', summary: `${id} is held: ${collapse}` };
      await recordAudit(tx, { ...header, ...numbers, actor }, [auditedHold(id, collapse)]);
      await logRevision(tx, numbers, header);
      return { outcome: 'held', sequence: batch.sequence, revision: numbers.revision };
    }
    const released = isHeld ? NOT_HELD : {};
    await writeSource(tx, id, 'events', { ...said, ...released, ...(batch.full && { complete: true }) });
    if (isEmpty(change) && !isHeld) return { outcome: 'applied', sequence: batch.sequence, revision: head.revision };
    const numbers = await takeRevision(tx, !isEmpty(change));
    await writeRows(tx, numbers.revision, change);
    const header = {
      actor: actor.name,
      kind: isHeld ? 'source-released' : 'source-events',
      summary: isHeld ? `${id} is whole again` : describeEvents(id, batch.events),
    };
    const ended = isHeld ? [auditedRelease(record, 'whole-again')] : [];
    const reporter = await auditedReporter(tx, id, actor);
    await recordAudit(tx, { ...header, ...numbers, actor }, [...ended, ...reporter]);
    await logRevision(tx, numbers, header);
    return { outcome: 'applied', sequence: batch.sequence, revision: numbers.revision };
  });
}

async function lastRevisionBefore(db: Kysely<Tables>, now: Date, milliseconds: number): Promise<number> {
  const row = await db
    .selectFrom('revision')
    .select((eb) => eb.fn.max<number | null>('revision').as('revision'))
    .where('at', '<=', new Date(now.getTime() - milliseconds))
    .executeTakeFirst();
  return row?.revision ?? 0;
}
