import { sql, type Selectable } from 'kysely';
import type { Database } from '../storage/database.js';
import type { ApiKeyTable } from '../storage/tables/access.js';

export type ApiKeyRow = Selectable<ApiKeyTable>;

/** So long another controller's change may stay unseen here: what it revoked is still believed. */
const FRESH_MS = 2_000;
/** So long keys that were known before are believed while the database does not answer. */
const STALE_MS = 300_000;
/** Last use is kept to the minute: every request would be a write. */
const USED_EVERY_MS = 60_000;

/** The API keys in memory, by each prefix that finds them, so that neither requests nor guesses are queries. */
export class KnownKeys {
  #byPrefix: ReadonlyMap<string, ApiKeyRow> = new Map();
  #readAt = -Infinity;
  #isOutdated = false;
  #reading: Promise<void> | undefined;
  readonly #usedAt = new Map<string, number>();

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(
    private readonly db: Database,
    private readonly now: () => number,
  ) {}

  /** Throws what the database throws, once what is known has become too old. */
  async find(prefix: string): Promise<ApiKeyRow | undefined> {
    if (this.#isOutdated || this.now() - this.#readAt > FRESH_MS) {
      try {
        await (this.#reading ??= this.#read());
      } catch (error) {
        if (this.now() - this.#readAt > STALE_MS) throw error;
      }
    }
    return this.#byPrefix.get(prefix);
  }

  /** What was written here counts here at once. */
  forget(): void {
    this.#isOutdated = true;
    // it may have read before that
    this.#reading = undefined;
  }

  /** Writes down that a key was used, unless it was within the last minute. */
  async noteUse(name: string): Promise<void> {
    const now = this.now();
    if (now - (this.#usedAt.get(name) ?? -Infinity) < USED_EVERY_MS) return;
    this.#usedAt.set(name, now);
    await this.db
      .updateTable('api_key')
      .set({ last_used_at: sql`clock_timestamp()` })
      .where('name', '=', name)
      .execute();
  }

  /** Names of deleted keys would otherwise stay for ever. */
  #forgetUseOf(rows: readonly ApiKeyRow[]): void {
    const names = new Set(rows.map(({ name }) => name));
    for (const name of [...this.#usedAt.keys()]) if (!names.has(name)) this.#usedAt.delete(name);
  }

  #read(): Promise<void> {
    const readAt = this.now();
    const reading = this.db
      .selectFrom('api_key')
      .selectAll()
      .execute()
      .then(
        (rows) => {
          if (this.#reading !== reading) return;
          this.#reading = undefined;
          this.#byPrefix = byPrefix(rows);
          this.#forgetUseOf(rows);
          this.#readAt = readAt;
          this.#isOutdated = false;
        },
        (error: unknown) => {
          if (this.#reading === reading) this.#reading = undefined;
          throw error;
        },
      );
    return reading;
  }
}

function byPrefix(rows: readonly ApiKeyRow[]): ReadonlyMap<string, ApiKeyRow> {
  return new Map(
    rows.flatMap((row) => [
      [row.prefix, row] as const,
      ...(row.previous_prefix === null ? [] : [[row.previous_prefix, row] as const]),
    ]),
  );
}
