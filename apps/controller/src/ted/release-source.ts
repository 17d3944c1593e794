import { Problem } from '../model/errors.js';
import type { Actor, ClusterHost, SourceBatch } from '../model/topology.js';
import { recordAudit } from '../storage/audit.js';
import type { Database } from '../storage/database.js';
import { withRevision } from '../storage/revision.js';
import { clusterChange } from './cluster-hosts.js';
import { auditedRelease } from './source-audit.js';
import { planEvents } from './source-events.js';
import { NOT_HELD, sourceRecord, writeSource } from './source-table.js';
import type { TedCache } from './ted-cache.js';
import { writeRows } from './write-rows.js';

/**
 * Ends the hold of a source. `apply` believes its batch (but for what has left the topology since) and vouches for
 * everything it said so far, so that its next failure is not taken for more of the same collapse. `discard` forgets the
 * batch; the source goes on with the next sequence. Throws `not-found` and `source-not-held`.
 */
export async function releaseSource(
  db: Database,
  cache: TedCache,
  {
    id,
    decision,
    actor,
    now,
  }: {
    readonly id: string;
    readonly decision: 'apply' | 'discard';
    readonly actor: Actor;
    readonly now: Date;
  },
): Promise<void> {
  const summary = decision === 'apply' ? `Batch of ${id} believed` : `Batch of ${id} discarded`;
  const ted = decision === 'apply';
  const header = { actor: actor.name, kind: 'source-released', summary, ted };
  await withRevision(db, header, async (tx, revision, tedRevision) => {
    const record = await sourceRecord(tx, id);
    if (record === undefined) throw new Problem('not-found', { detail: `there is no source "${id}"` });
    if (record.held_since === null) throw new Problem('source-not-held', { detail: `source "${id}" is not held` });
    await recordAudit(tx, { revision, actor, kind: header.kind }, [auditedRelease(record, decision)]);
    const released = { updated_at: now, ...NOT_HELD };
    if (decision === 'discard') {
      await writeSource(tx, id, record.kind, released);
      return;
    }
    const { layered } = await cache.before(tx, { revision: revision - 1, tedRevision: tedRevision - 1 });
    if (record.kind === 'kubernetes') {
      const { hosts } = record.held_batch as unknown as { readonly hosts: readonly ClusterHost[] };
      await writeRows(tx, revision, clusterChange(layered, id, hosts, revision));
      await writeSource(tx, id, record.kind, released);
      return;
    }
    const batch = record.held_batch as unknown as SourceBatch;
    await writeRows(tx, revision, planEvents(layered, id, batch, revision, true).change);
    await writeSource(tx, id, record.kind, {
      ...released,
      trusted_revision: revision,
      complete: record.complete || batch.full,
    });
  });
}
