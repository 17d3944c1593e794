import type { Ted } from '@waymark/topology';
import type { Kysely, Transaction } from 'kysely';
import type { Database, Tables } from '../storage/database.js';
import type { RevisionNumbers } from '../storage/revision.js';
import { LayeredTed } from './layered-ted.js';
import { readRows } from './read-rows.js';
import { noRows, rowCount, type TedChange, type TedRows } from './ted-rows.js';

export interface CurrentTed extends RevisionNumbers {
  readonly layered: LayeredTed;
  /** The same object as long as the TED revision is the same. */
  readonly ted: Ted;
}

/** What moves a cache from the revision `after` forward. */
interface News extends RevisionNumbers {
  readonly after: number;
  readonly rows: TedChange;
}

/** Nothing was loaded yet. */
const NEVER = -1;
/** Rows that take some milliseconds. */
const MOVED_AT_ONCE = 1_000;

/** The newest TED in memory, moved forward by reading only the rows that changed. */
export class TedCache {
  readonly #db: Database;
  #current: CurrentTed | undefined;
  #refreshing: Promise<CurrentTed> | undefined;
  #next: Promise<CurrentTed> | undefined;
  /** Who would read what is being built already waits for it instead. */
  #building: Promise<unknown> = Promise.resolve();

  constructor(db: Database) {
    this.#db = db;
  }

  /** What is in memory: not older than the last refresh. */
  get current(): CurrentTed | undefined {
    return this.#current;
  }

  /** The TED of a revision not older than the newest at the time of the call. */
  refresh(): Promise<CurrentTed> {
    if (this.#refreshing === undefined) return this.#start();
    // The one under way may have read before what the caller wants to see.
    this.#next ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  /**
   * The TED as it was before the revision that `tx` has taken (or locked the head at). It reads through `tx`: were a
   * second connection needed, writers that wait for the head could leave none.
   */
  async before(tx: Transaction<Tables>, numbers: RevisionNumbers): Promise<CurrentTed> {
    for (;;) {
      await this.#building;
      const current = this.#current;
      if (current !== undefined && current.revision >= numbers.revision) return current;
      await this.#accept(await readNews(tx, current?.revision ?? NEVER, numbers));
    }
  }

  /** What the caller has just committed, so that it need not be read back. */
  async advance(rows: TedChange, numbers: RevisionNumbers): Promise<void> {
    await this.#accept({ ...numbers, after: numbers.revision - 1, rows });
  }

  #start(): Promise<CurrentTed> {
    this.#refreshing = this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<CurrentTed> {
    for (;;) {
      await this.#building;
      // Mostly there is nothing new, which takes one statement to see and four in a transaction.
      const head = await this.#db.selectFrom('head').select('revision').executeTakeFirstOrThrow();
      if (this.#current !== undefined && this.#current.revision >= head.revision) return this.#current;
      const after = this.#current?.revision ?? NEVER;
      const news = await this.#db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(async (tx) => {
          const head = await tx.selectFrom('head').select(['revision', 'ted_revision']).executeTakeFirstOrThrow();
          return readNews(tx, after, { revision: head.revision, tedRevision: head.ted_revision });
        });
      const current = await this.#accept(news);
      if (current !== undefined) return current;
    }
  }

  /** undefined: another reader has moved the cache in the meantime, and not as far. */
  async #accept(news: News): Promise<CurrentTed | undefined> {
    const current = this.#current;
    if (current !== undefined && current.revision >= news.revision) return current;
    if (news.after !== NEVER && current?.revision !== news.after) return undefined;
    if (current !== undefined && current.tedRevision === news.tedRevision) {
      this.#current = { ...current, revision: news.revision };
      return this.#current;
    }
    const { closed, opened } = news.rows;
    if (current !== undefined && news.after !== NEVER && rowCount(closed) + rowCount(opened) <= MOVED_AT_ONCE) {
      current.layered.replace(closed, opened);
      return this.#set(current.layered, news);
    }
    // So much that others must get their turn in between: it is built aside, and nobody sees it half done.
    const before = current === undefined || news.after === NEVER ? new LayeredTed(noRows) : current.layered;
    const building = before.replacedInSlices(closed, opened);
    this.#building = building.catch(() => undefined);
    const layered = await building;
    if (this.#current !== current) return this.#accept(news);
    return this.#set(layered, news);
  }

  #set(layered: LayeredTed, { revision, tedRevision }: RevisionNumbers): CurrentTed {
    this.#current = { layered, revision, tedRevision, ted: layered.ted(tedRevision) };
    return this.#current;
  }
}

async function readNews(db: Kysely<Tables>, known: number, numbers: RevisionNumbers): Promise<News> {
  if (known >= numbers.revision) return { ...numbers, after: known, rows: { closed: noRows, opened: noRows } };
  const { pruned_through } = await db.selectFrom('head').select('pruned_through').executeTakeFirstOrThrow();
  // What was closed before that may be gone altogether, and nothing would tell.
  const after = known < pruned_through ? NEVER : known;
  const rows = await readRows(db, after === NEVER ? { kind: 'open' } : { kind: 'changed-after', revision: after });
  return { ...numbers, after, rows: partition(rows) };
}

/** Closed rows first: the same key may have been closed and opened again. */
function partition(rows: TedRows): TedChange {
  const select = (closed: boolean): TedRows => ({
    nodes: rows.nodes.filter((row) => (row.toRevision !== null) === closed),
    links: rows.links.filter((row) => (row.toRevision !== null) === closed),
    locators: rows.locators.filter((row) => (row.toRevision !== null) === closed),
    sids: rows.sids.filter((row) => (row.toRevision !== null) === closed),
  });
  return { closed: select(true), opened: select(false) };
}
