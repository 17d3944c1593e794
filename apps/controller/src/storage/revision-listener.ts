import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { createSession, type Database } from './database.js';
import { REVISION_CHANNEL, type RevisionNumbers } from './revision.js';

/** Notifications can be lost (a broken session, a restart of the server); the poll finds what they missed. */
const POLL_MS = 1_000;
const RECONNECT_MS = 500;

/**
 * Tells of new revisions, whoever wrote them, in ascending order. Several that come close together are told as the
 * newest. NOTIFY makes it fast, a poll each second makes it sure.
 */
export class RevisionListener {
  readonly #url: string;
  readonly #db: Database;
  readonly #listeners = new Set<(numbers: RevisionNumbers) => void>();
  readonly #stopped = new AbortController();
  #session: pg.Client | undefined;
  #last: RevisionNumbers = { revision: -1, tedRevision: -1 };
  #reading = false;
  #wanted = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(url: string, db: Database) {
    this.#url = url;
    this.#db = db;
  }

  /** `listener` hears of every revision after the one at the time of start(). Returns the end of the subscription. */
  onRevision(listener: (numbers: RevisionNumbers) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** False while the session is broken: the poll alone tells. */
  get isListening(): boolean {
    return this.#session !== undefined;
  }

  /** Resolves when listening; from then on nothing is missed. */
  async start(): Promise<void> {
    await this.#listen();
    this.#last = await readHead(this.#db);
    this.#running = Promise.all([this.#keepListening(), this.#poll()]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#session?.end().catch(() => undefined);
    await this.#running;
  }

  async #listen(): Promise<void> {
    const session = createSession(this.#url);
    session.on('error', () => undefined);
    session.on('notification', () => void this.#read());
    await session.connect();
    await session.query(`listen ${REVISION_CHANNEL}`);
    this.#session = session;
  }

  async #keepListening(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const session = this.#session;
      if (session === undefined) {
        await this.#listen().catch(() => this.#pause(RECONNECT_MS));
        await this.#read();
        continue;
      }
      await new Promise<void>((ended) => {
        session.once('end', () => ended());
        if (this.#stopped.signal.aborted) ended();
      });
      this.#session = undefined;
    }
  }

  async #poll(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#pause(POLL_MS);
      await this.#read();
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }

  /** One read at a time; what arrives during one causes one more. A failure is left to the next poll. */
  async #read(): Promise<void> {
    this.#wanted = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (; this.#takeWish();) this.#tell(await readHead(this.#db));
    } catch {
      // The database is out of reach; the poll tries again.
    } finally {
      this.#reading = false;
    }
  }

  #takeWish(): boolean {
    const wanted = this.#wanted && !this.#stopped.signal.aborted;
    this.#wanted = false;
    return wanted;
  }

  #tell(numbers: RevisionNumbers): void {
    if (this.#stopped.signal.aborted || numbers.revision <= this.#last.revision) return;
    this.#last = numbers;
    for (const listener of this.#listeners) listener(numbers);
  }
}

async function readHead(db: Database): Promise<RevisionNumbers> {
  const head = await db.selectFrom('head').select(['revision', 'ted_revision']).executeTakeFirstOrThrow();
  return { revision: head.revision, tedRevision: head.ted_revision };
}
