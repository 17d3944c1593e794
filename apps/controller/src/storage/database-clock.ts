import { sql } from 'kysely';
import type { Database } from './database.js';

const REFRESH_MS = 60_000;

/**
 * The database's time of day, which stamps revisions, holds and acks. Where such a stamp is compared with now, now has to be
 * of the same clock: this process's own may be hours off, and jumps when somebody sets it.
 *
 *   now = what the database said last + what has passed since, by the monotonic clock
 */
export class DatabaseClock {
  readonly #db: Database;
  /** Milliseconds since the epoch, less those of the monotonic clock. */
  #offsetMs: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(db: Database, offsetMs: number) {
    this.#db = db;
    this.#offsetMs = offsetMs;
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS);
    this.#timer.unref();
  }

  /** Asks at once and then every minute. */
  static async start(db: Database): Promise<DatabaseClock> {
    const { least, most } = await offset(db);
    return new DatabaseClock(db, (least + most) / 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Milliseconds since the epoch. */
  readonly now = (): number => Math.round(performance.now() + this.#offsetMs);

  readonly date = (): Date => new Date(this.now());

  /**
   * What was known is corrected as far as the answer rules it out: one that was long under way (all sessions busy, a slow
   * database) says little. A database that does not answer is no reason to know less: its clock goes on.
   */
  async #refresh(): Promise<void> {
    const bounds = await offset(this.#db).catch(() => undefined);
    if (bounds !== undefined) this.#offsetMs = Math.min(bounds.most, Math.max(bounds.least, this.#offsetMs));
  }
}

/** What the offset can be: the database told its time at some moment between question and answer. */
async function offset(db: Database): Promise<{ readonly least: number; readonly most: number }> {
  const asked = performance.now();
  const { rows } = await sql<{ ms: number }>`
    select extract(epoch from clock_timestamp())::float8 * 1000 as ms
  `.execute(db);
  const answered = performance.now();
  if (rows[0] === undefined) throw new Error('a query for the time has no rows');
  return { least: rows[0].ms - answered, most: rows[0].ms - asked };
}
