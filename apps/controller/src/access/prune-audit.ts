import { sql } from 'kysely';
import { recordAudit } from '../storage/audit.js';
import type { Database } from '../storage/database.js';
import { NothingChanged, withRevision } from '../storage/revision.js';

const kind = 'audit-prune';
const actor = { name: 'Waymark' };

/** Each its own statement, so that entries are written meanwhile. */
const ENTRIES_AT_ONCE = 10_000;

/**
 * Removes what was audited before `until`. First it says so, as an entry and a revision: the database lets nothing go before
 * (migration 0019). Entries that tell only of that are no reason to. Returns how many went.
 */
export async function pruneAudit(db: Database, until: Date): Promise<number> {
  const before = until.toISOString();
  const header = { actor: actor.name, kind, summary: `Audit before ${before} removed`, ted: false };
  const { changed } = await withRevision(db, header, async (tx, revision) => {
    const old = await tx
      .selectFrom('audit')
      .select((eb) => [eb.fn.countAll<number>().as('entries'), eb.fn.min('at').as('since')])
      .where('at', '<', until)
      .where('kind', '<>', kind)
      .executeTakeFirstOrThrow();
    if (old.entries === 0) throw new NothingChanged(undefined);
    const told = { since: old.since.toISOString(), entries: old.entries };
    const entry = { entity: 'audit', id: 'retention', before: told, after: { until: before } } as const;
    await recordAudit(tx, { revision, kind, actor }, [entry]);
  });
  if (!changed) return 0;
  for (let removed = 0; ;) {
    const { numAffectedRows = 0n } = await sql`
      delete from audit where id in (
        select id from audit
        where at < ${until} and id < (select max(id) from audit where entity = 'audit' and entity_id = 'retention')
        order by at limit ${ENTRIES_AT_ONCE})
    `.execute(db);
    if (numAffectedRows === 0n) return removed;
    removed += Number(numAffectedRows);
  }
}
