import { sql, type Transaction } from 'kysely';
import type { Database, Tables } from '../storage/database.js';

/** A leader's transaction that stops in the middle is ended by Postgres, so that it cannot hold up the next leader. */
const IDLE_IN_TRANSACTION_MS = 5_000;

/** This controller does not lead, or no longer in this epoch: it has written nothing. */
export class Deposed extends Error {
  override readonly name = 'Deposed';

  constructor(epoch: number) {
    super(`epoch ${epoch} is over: another controller leads, or this one in a newer epoch`);
  }
}

/**
 * A transaction that commits only while `epoch` is the newest. The share lock on the leader's row makes a takeover wait
 * for the transactions of the epoch before, so none of them can commit after it. Throws Deposed.
 */
export function fencedTransaction<T>(
  db: Database,
  epoch: number,
  work: (tx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (tx) => {
    const fence = await sql`select 1 from leader where epoch = ${epoch} for share`.execute(tx);
    if (fence.rows.length === 0) throw new Deposed(epoch);
    await sql`select set_config('idle_in_transaction_session_timeout', ${String(IDLE_IN_TRANSACTION_MS)}, true)`.execute(
      tx,
    );
    return work(tx);
  });
}
