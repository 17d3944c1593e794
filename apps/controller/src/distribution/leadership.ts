import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { Database, Tables } from '../storage/database.js';
import { Deposed, fencedTransaction } from './fence.js';
import { LeaderSession } from './leader-session.js';
import { pause } from '../model/pause.js';
import { unlessAborted } from '../model/unless-aborted.js';

/** Advisory lock of the database ("WAYM"): its holder leads. */
const LEADER_LOCK = 0x5741594d;

/** A session silent for so long is ended by Postgres, and its lock goes with it: a stopped process lets go. */
const IDLE_TIMEOUT_MS = 3_000;
const CONFIRM_MS = 1_000;
/** A question unanswered for so long ends the session from this side. While Postgres is slow to answer, it does not end it. */
const ANSWER_TIMEOUT_MS = 5_000;
/** A takeover waits for the fenced transactions of the epoch before; Postgres ends those that hang (see fence.ts). */
const TAKEOVER_TIMEOUT_MS = 15_000;
const RETRY_MS = 500;

export type OnLead = (epoch: number, signal: AbortSignal) => void;

interface Term {
  readonly epoch: number;
  readonly abort: AbortController;
}

/**
 * Elects one leader among all controllers of a database, by an advisory lock on a session of its own:
 *
 *   contender ──lock taken, epoch + 1──► leader ──session lost, or epoch moved on──► contender
 *
 * The lock only elects. What keeps a deposed leader from writing is the epoch, which every write transaction checks
 * (`fenced`). A term's signal aborts as soon as this process learns that it no longer leads.
 */
export class Leadership {
  readonly #options: { readonly url: string; readonly db: Database; readonly log: Logger; readonly holder: string };
  readonly #callbacks: OnLead[] = [];
  readonly #stopping = new AbortController();
  #session: LeaderSession | undefined;
  #term: Term | undefined;
  #running: Promise<void> = Promise.resolve();

  /** `url` leads to Postgres itself, not to a pooler. `holder` names this controller to operators. */
  constructor(options: { url: string; db: Database; log: Logger; holder: string }) {
    this.#options = options;
  }

  /** Epoch of the present term; undefined while another controller leads, or none. */
  get epoch(): number | undefined {
    return this.#term?.epoch;
  }

  /** `callback` runs at the beginning of each term, and at once when one is under way. It must not throw. */
  onLead(callback: OnLead): void {
    this.#callbacks.push(callback);
    if (this.#term !== undefined) callback(this.#term.epoch, this.#term.abort.signal);
  }

  start(): void {
    this.#running = this.#contend();
  }

  /** Ends the term and gives up the lock. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#depose('this controller stops');
    await this.#running;
  }

  /**
   * A transaction that can only commit while `epoch` is the newest: the leader's every write. Throws Deposed, having
   * changed nothing, when it is not.
   */
  async fenced<T>(epoch: number, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    try {
      return await fencedTransaction(this.#options.db, epoch, work);
    } catch (error) {
      if (error instanceof Deposed && this.#term?.epoch === epoch) this.#depose('a newer epoch exists');
      throw error;
    }
  }

  /**
   * Ends the term of `epoch` and begins one whose epoch is above `reported`: an agent knows that epoch, so the database
   * was restored from a backup. Throws Deposed when this controller does not lead in `epoch`.
   */
  async raiseAbove(epoch: number, reported: number): Promise<void> {
    if (this.#term?.epoch !== epoch) throw new Deposed(epoch);
    const raised = await this.#session?.ask<{ epoch: number }>(
      TAKEOVER_TIMEOUT_MS,
      'update leader set epoch = greatest(epoch, $2) + 1, since = now() where epoch = $1 returning epoch',
      [epoch, reported],
    );
    this.#depose(`an agent reports epoch ${reported}`);
    if (raised === undefined) throw new Deposed(epoch);
    this.#begin(raised.epoch);
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #contend(): Promise<void> {
    while (!this.#isStopped()) {
      try {
        this.#session = await LeaderSession.open(this.#options.url);
        await this.#contendOn(this.#session);
      } catch (error) {
        if (!this.#isStopped()) this.#options.log.warn({ err: error }, 'the leadership session was lost');
      } finally {
        this.#depose('its database session ended');
        this.#session?.close();
        this.#session = undefined;
      }
      await pause(RETRY_MS, this.#stopping.signal);
    }
  }

  async #contendOn(session: LeaderSession): Promise<void> {
    await session.ask(
      ANSWER_TIMEOUT_MS,
      `select set_config('idle_session_timeout', $1, false), set_config('idle_in_transaction_session_timeout', $1, false)`,
      [String(IDLE_TIMEOUT_MS)],
    );
    while (!this.#isStopped()) {
      const term = this.#term;
      if (term === undefined) await this.#tryToLead(session);
      else await this.#confirm(session, term);
      await unlessAborted(pause(this.#term ? CONFIRM_MS : RETRY_MS, this.#stopping.signal), session.lost);
    }
  }

  async #tryToLead(session: LeaderSession): Promise<void> {
    const lock = await session.ask<{ taken: boolean }>(ANSWER_TIMEOUT_MS, 'select pg_try_advisory_lock($1) as taken', [
      LEADER_LOCK,
    ]);
    if (lock?.taken !== true) return;
    const row = await session.ask<{ epoch: number }>(
      TAKEOVER_TIMEOUT_MS,
      'update leader set epoch = epoch + 1, holder = $1, since = now() returning epoch',
      [this.#options.holder],
    );
    if (row !== undefined && !this.#isStopped()) this.#begin(row.epoch);
  }

  async #confirm(session: LeaderSession, term: Term): Promise<void> {
    const row = await session.ask<{ epoch: number }>(ANSWER_TIMEOUT_MS, 'select epoch from leader');
    if (this.#term === term && row?.epoch !== term.epoch) this.#depose('a newer epoch exists');
  }

  #begin(epoch: number): void {
    const term = { epoch, abort: new AbortController() };
    this.#term = term;
    this.#options.log.info({ epoch }, 'this controller leads');
    for (const callback of this.#callbacks) callback(epoch, term.abort.signal);
  }

  #depose(why: string): void {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    this.#options.log.info({ epoch: term.epoch, why }, 'this controller no longer leads');
    term.abort.abort(new Deposed(term.epoch));
  }
}
