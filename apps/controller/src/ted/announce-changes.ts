import type { EventBus, TopologyService } from '../model/ports.js';
import type { Database } from '../storage/database.js';

/**
 * Turns revisions into events for those who watch this controller: `topology.changed` for each change of the TED,
 * whichever controller made it, and `source.held` and `source.released`. Returns the end of it.
 */
export async function announceChanges(
  db: Database,
  topology: Pick<TopologyService, 'onRevision'>,
  events: EventBus,
): Promise<() => void> {
  const head = await db.selectFrom('head').select(['revision', 'ted_revision']).executeTakeFirstOrThrow();
  let last = head.revision;
  let lastTed = head.ted_revision;
  let held = await heldSources(db);

  const announce = async (): Promise<void> => {
    const rows = await db.selectFrom('revision').selectAll().where('revision', '>', last).orderBy('revision').execute();
    for (const { revision, ted_revision: tedRevision, kind, summary, at } of rows) {
      if (tedRevision > lastTed) {
        events.emit({ type: 'topology.changed', at: at.toISOString(), data: { revision, tedRevision, kind, summary } });
      }
      last = revision;
      lastTed = tedRevision;
    }
    if (!rows.some(({ kind }) => kind === 'source-held' || kind === 'source-released')) return;
    const at = new Date(rows.at(-1)?.at ?? 0).toISOString();
    const now = await heldSources(db);
    for (const [source, reason] of now) {
      if (!held.has(source)) events.emit({ type: 'source.held', at, data: { source, reason } });
    }
    for (const source of held.keys()) {
      if (!now.has(source)) events.emit({ type: 'source.released', at, data: { source } });
    }
    held = now;
  };
  // One after the other; what a failure misses, the next revision finds.
  let queue = Promise.resolve();
  return topology.onRevision(() => {
    queue = queue.then(announce).catch(() => undefined);
  });
}

async function heldSources(db: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('source')
    .select(['id', 'held_reason'])
    .where('held_since', 'is not', null)
    .execute();
  return new Map(rows.map(({ id, held_reason }) => [id, held_reason ?? '']));
}
