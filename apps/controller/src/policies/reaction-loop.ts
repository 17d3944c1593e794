import { sql } from 'kysely';
import type { RevisionNumbers } from '../storage/revision.js';
import { mayBeServed, type ShortageChanges } from './bsid-shortage.js';
import { DelayMachine, defaultDelays } from './delay-machine.js';
import type { Sight } from './observation.js';
import type { ReactionDependencies, ReactionSettings, WrittenDelta } from './reaction-dependencies.js';
import { evaluateEntry, lookEntry, publishEntry } from './reaction-entries.js';
import { ReactionSteps } from './reaction-steps.js';

/**
 * Policies per publication: few at first, so that the first headends hear of a failure soon, then twice as many each
 * time. The head row is locked while one is written, so it must not take long.
 */
const FIRST_CHUNK = 250;
const MAX_CHUNK = 2_000;
/** How often released bandwidth and binding SIDs are looked for; everything else announces itself. */
const POLL_MS = 1_000;
const RETRY_MS = 1_000;
/** Intent does not come in storms that get worse by haste; what a script writes in a row is taken together. */
const INTENT_DELAY_MS = 10;

/**
 * The leader's loop, from a committed change to what headends are to hold:
 *
 *   revision ─► delay machine ─► observe ─► affected policies ─► evaluate (workers) ─► publish (one transaction) ─► bus
 *                  ▲                                                                      │ the TED moved: prove again
 *                  └── intent, holds that are over, bandwidth that was released           └──────────────┘
 *
 * Only changes of the topology go through the delay machine: what operators write never delays the next failure.
 */
export class ReactionLoop<Delta extends WrittenDelta> {
  readonly #deps: ReactionDependencies<Delta>;
  readonly #settings: ReactionSettings;

  constructor(deps: ReactionDependencies<Delta>, settings: ReactionSettings) {
    this.#deps = deps;
    this.#settings = settings;
  }

  /** One term of leadership. Returns at once; everything ends when the signal aborts. */
  lead(epoch: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    const term = new Term(this.#deps, this.#settings, epoch, signal);
    term.start();
  }
}

class Term<Delta extends WrittenDelta> {
  readonly #deps: ReactionDependencies<Delta>;
  readonly #steps: ReactionSteps<Delta>;
  readonly #epoch: number;
  readonly #signal: AbortSignal;
  readonly #delay: DelayMachine;
  #tedRevision = -1;
  #stopIntentTimer: (() => void) | undefined;
  #running = false;
  #again = false;
  #stopTimer: (() => void) | undefined;

  constructor(deps: ReactionDependencies<Delta>, settings: ReactionSettings, epoch: number, signal: AbortSignal) {
    this.#deps = deps;
    this.#steps = new ReactionSteps(deps, settings, epoch);
    this.#epoch = epoch;
    this.#signal = signal;
    this.#delay = new DelayMachine({
      settings: defaultDelays,
      startTimer: deps.startTimer,
      compute: () => this.#wake(),
    });
  }

  start(): void {
    const unsubscribe = this.#deps.onRevision((numbers) => this.#hear(numbers));
    const stopPolling = this.#poll();
    this.#signal.addEventListener('abort', () => {
      unsubscribe();
      stopPolling();
      this.#delay.stop();
      this.#stopTimer?.();
      this.#stopIntentTimer?.();
    });
    this.#wake();
  }

  #hear({ tedRevision }: RevisionNumbers): void {
    if (tedRevision !== this.#tedRevision) {
      this.#tedRevision = tedRevision;
      this.#delay.changed();
      return;
    }
    this.#stopIntentTimer ??= this.#deps.startTimer(() => {
      this.#stopIntentTimer = undefined;
      this.#wake();
    }, INTENT_DELAY_MS);
  }

  #poll(): () => void {
    let stop = (): void => undefined;
    const again = (): void => {
      stop = this.#deps.startTimer(() => {
        void this.#mayHaveRoom().then((may) => {
          if (may) this.#wake();
          if (!this.#signal.aborted) again();
        });
      }, POLL_MS);
    };
    again();
    return () => stop();
  }

  /** Bandwidth was released, or policies wait for binding SIDs and there are some: blocks of the pool come free without a word. */
  async #mayHaveRoom(): Promise<boolean> {
    const { db } = this.#deps;
    try {
      const released = await sql`select from released_link limit 1`.execute(db);
      return released.rows.length > 0 || (await mayBeServed(db));
    } catch {
      // The database is away; the next poll tells whether it is back.
      return false;
    }
  }

  /** Runs the work, once more when woken meanwhile; never twice at the same time. */
  #wake(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    if (this.#signal.aborted) return;
    this.#running = true;
    void this.#work()
      .then(() => this.#wakeAtNextHold())
      .catch((error: unknown) => {
        if (this.#signal.aborted) return;
        this.#deps.log.error({ err: error }, 'policies could not be recomputed; trying again');
        this.#steps.forget();
        this.#wakeIn(RETRY_MS);
      })
      .finally(() => {
        this.#running = false;
        if (this.#again) this.#wake();
        this.#again = false;
      });
  }

  #wakeAtNextHold(): void {
    const due = this.#steps.nextHoldEnds();
    if (due !== undefined) this.#wakeIn(Math.max(0, due - this.#deps.journal.now()));
  }

  #wakeIn(delayMs: number): void {
    this.#stopTimer?.();
    if (!this.#signal.aborted) this.#stopTimer = this.#deps.startTimer(() => this.#wake(), delayMs);
  }

  async #work(): Promise<void> {
    do {
      this.#again = false;
      const sight = await this.#look();
      // At least one chunk per look, or a storm of changes could keep everything waiting.
      let size = FIRST_CHUNK;
      do {
        if (this.#steps.isDue(sight)) await this.#publishChunk(sight, size);
        size = Math.min(MAX_CHUNK, 2 * size);
      } while (!this.#steps.isIdle && !this.#isInterrupted());
    } while (this.#isInterrupted() && !this.#signal.aborted);
  }

  /** Something happened while a long list is worked off: look first, it may be urgent. */
  #isInterrupted(): boolean {
    return this.#again || this.#signal.aborted;
  }

  #look(): Promise<Sight> {
    return this.#deps.journal.take(lookEntry(this.#epoch), () => this.#steps.look());
  }

  async #publishChunk(seen: Sight, size: number): Promise<void> {
    const { journal, publish } = this.#deps;
    const evaluated = await journal.take(evaluateEntry(this.#epoch, size), () => this.#steps.evaluate(seen, size));
    const published = await journal.take(publishEntry<Delta>(this.#epoch), () =>
      this.#steps.publish(evaluated, () => {
        this.#again = true;
      }),
    );
    this.#tellShortage(published.shortage);
    await publish(published.deltas);
  }

  #tellShortage({ begun, ended }: ShortageChanges): void {
    const { log } = this.#deps;
    const [first] = begun;
    if (first !== undefined) {
      log.warn(
        { policies: begun.length, reason: first.reason },
        'policies cannot be installed for want of binding SIDs',
      );
    }
    if (ended.size > 0) log.info({ policies: ended.size }, 'policies lack binding SIDs no longer');
  }
}
