import { pause } from '../model/pause.js';
import { unlessAborted } from '../model/unless-aborted.js';
import { endSessions, type Database } from './database.js';
import { DatabaseSilent, DirectSession } from './direct-session.js';
import { REVISION_CHANNEL, type RevisionNumbers } from './revision.js';

/** Notifications can be lost; the poll finds what they missed. */
const POLL_MS = 1_000;
const RECONNECT_MS = 500;
/** A server that does not answer for so long is out of reach. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Tells of new revisions, whoever wrote them, in ascending order. Several that come close together are told as the
 * newest. NOTIFY makes it fast, a poll each second makes it sure.
 *
 * The poll is also what finds out that the database is out of reach though nothing has said so (a network that drops
 * packets, a server that was stopped): then all sessions of the pool are ended, because their queries would wait on.
 */
export class RevisionListener {
  readonly #url: string;
  readonly #db: Database;
  readonly #listeners = new Set<(numbers: RevisionNumbers) => void>();
  readonly #stopped = new AbortController();
  /** Aborted by what ends the wait for the next poll. */
  #waiting = new AbortController();
  #isNotified = false;
  #session: DirectSession | undefined;
  #last: RevisionNumbers = { revision: -1, tedRevision: -1 };
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

  /** False while the session is broken, or silent: nothing is heard. */
  get isListening(): boolean {
    return this.#session !== undefined;
  }

  /** Resolves when listening; from then on nothing is missed. */
  async start(): Promise<void> {
    const session = await this.#listen();
    this.#last = await readHead(session);
    this.#session = session;
    this.#running = this.#keepListening(session);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#waiting.abort();
    await this.#running;
  }

  async #listen(): Promise<DirectSession> {
    const session = await DirectSession.open(this.#url);
    try {
      session.onNotification(() => {
        this.#isNotified = true;
        this.#waiting.abort();
      });
      await session.ask(ANSWER_TIMEOUT_MS, `listen ${REVISION_CHANNEL}`);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  async #keepListening(first: DirectSession): Promise<void> {
    const { signal } = this.#stopped;
    for (let session: DirectSession | undefined = first; !signal.aborted; session = await this.#listenAgain()) {
      if (session === undefined) continue;
      try {
        await this.#watch(session);
      } catch (error) {
        if (error instanceof DatabaseSilent) endSessions(this.#db);
      } finally {
        this.#session = undefined;
        session.close();
      }
    }
  }

  async #listenAgain(): Promise<DirectSession | undefined> {
    try {
      return await this.#listen();
    } catch {
      // The database is out of reach; what was missed is read as soon as it is back.
      await pause(RECONNECT_MS, this.#stopped.signal);
      return undefined;
    }
  }

  /** Ends when stopped; rejects when the session is lost or silent. */
  async #watch(session: DirectSession): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      this.#isNotified = false;
      const numbers = await readHead(session);
      this.#session = session;
      this.#tell(numbers);
      await unlessAborted(this.#nextPoll(), session.lost);
    }
  }

  /** Ends early when something was written, and when stopped. */
  async #nextPoll(): Promise<void> {
    if (this.#isNotified || this.#stopped.signal.aborted) return;
    this.#waiting = new AbortController();
    await pause(POLL_MS, this.#waiting.signal);
  }

  #tell(numbers: RevisionNumbers): void {
    if (this.#stopped.signal.aborted || numbers.revision <= this.#last.revision) return;
    this.#last = numbers;
    for (const listener of this.#listeners) listener(numbers);
  }
}

async function readHead(session: DirectSession): Promise<RevisionNumbers> {
  const head = await session.ask<{ revision: number; ted_revision: number }>(
    ANSWER_TIMEOUT_MS,
    'select revision, ted_revision from head',
  );
  if (head === undefined) throw new Error('the head row is missing');
  return { revision: head.revision, tedRevision: head.ted_revision };
}
