import { sql } from 'kysely';
import type { LinkHold } from './link-holds.js';
import type { Executor } from './policy-intents.js';

/** All stored holds, for a new leader. */
export async function loadLinkHolds(db: Executor): Promise<LinkHold[]> {
  const rows = await db.selectFrom('link_hold').selectAll().orderBy('link_id').execute();
  return rows.map((row) => ({
    linkId: row.link_id,
    flaps: row.flaps,
    worsenedAt: row.worsened_at.getTime(),
    heldUntil: row.held_until?.getTime() ?? null,
  }));
}

/** null: the hold is forgotten. */
export async function storeLinkHolds(db: Executor, changes: ReadonlyMap<string, LinkHold | null>): Promise<void> {
  const gone = [...changes].filter(([, hold]) => hold === null).map(([linkId]) => linkId);
  if (gone.length > 0) await sql`delete from link_hold where link_id = any(${gone}::text[])`.execute(db);
  const holds = [...changes.values()].filter((hold) => hold !== null);
  if (holds.length === 0) return;
  await sql`
    insert into link_hold (link_id, flaps, worsened_at, held_until)
    select * from unnest(
      ${holds.map(({ linkId }) => linkId)}::text[],
      ${holds.map(({ flaps }) => flaps)}::integer[],
      ${holds.map(({ worsenedAt }) => new Date(worsenedAt))}::timestamptz[],
      ${holds.map(({ heldUntil }) => (heldUntil === null ? null : new Date(heldUntil)))}::timestamptz[]
    )
    on conflict (link_id) do update set flaps = excluded.flaps, worsened_at = excluded.worsened_at,
      held_until = excluded.held_until
  `.execute(db);
}
