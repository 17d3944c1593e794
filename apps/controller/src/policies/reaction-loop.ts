import { sql } from 'kysely';
import type { Snapshot } from '@waymark/topology';
import type { Preempted } from '../compute/contenders.js';
import { incumbentAfter, type PolicyEvaluation, type PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import type { RevisionNumbers } from '../storage/revision.js';
import { DelayMachine, defaultDelays } from './delay-machine.js';
import { evaluateBatch, evaluateOnly, type EvaluatedBatch, type EvaluationSettings } from './evaluate-batch.js';
import { loadPolicies, type LoadedPolicies } from './evaluation-input.js';
import { toldToOthers } from './intent-events.js';
import { loadLinkHolds } from './link-hold-store.js';
import { LinkHolds, type LinkHold } from './link-holds.js';
import { mostUrgent } from './most-urgent.js';
import { Observer, type Sight } from './observation.js';
import { PendingWork, type PendingPolicy } from './pending-work.js';
import type { PolicyEvent } from './policy-event.js';
import type { Executor } from './policy-intents.js';
import { publish, type Publication, type Published } from './publication.js';
import type { ReactionDependencies, ReactionSettings, WrittenDelta } from './reaction-dependencies.js';
import { snapshotOf } from '../compute/snapshot-of.js';

/**
 * Policies per publication: few at first, so that the first headends hear of a failure soon, then twice as many each
 * time. The head row is locked while one is written, so it must not take long.
 */
const FIRST_CHUNK = 250;
const MAX_CHUNK = 2_000;
/** How often released bandwidth is looked for; everything else announces itself. */
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
  readonly #settings: ReactionSettings;
  readonly #epoch: number;
  readonly #signal: AbortSignal;
  readonly #delay: DelayMachine;
  #pending = new PendingWork();
  #holds: LinkHolds;
  #observer: Observer | undefined;
  #published = -1;
  #tedRevision = -1;
  #stopIntentTimer: (() => void) | undefined;
  #running = false;
  #again = false;
  #stopTimer: (() => void) | undefined;

  constructor(deps: ReactionDependencies<Delta>, settings: ReactionSettings, epoch: number, signal: AbortSignal) {
    this.#deps = deps;
    this.#settings = settings;
    this.#epoch = epoch;
    this.#signal = signal;
    this.#holds = new LinkHolds(settings);
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
        void this.#hasReleasedBandwidth().then((released) => {
          if (released) this.#wake();
          if (!this.#signal.aborted) again();
        });
      }, POLL_MS);
    };
    again();
    return () => stop();
  }

  async #hasReleasedBandwidth(): Promise<boolean> {
    try {
      const found = await sql`select from released_link limit 1`.execute(this.#deps.db);
      return found.rows.length > 0;
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
        // What was seen and not published is seen again: the database knows how far publication came.
        this.#observer = undefined;
        this.#wakeIn(RETRY_MS);
      })
      .finally(() => {
        this.#running = false;
        if (this.#again) this.#wake();
        this.#again = false;
      });
  }

  #wakeAtNextHold(): void {
    const due = this.#holds.nextDue();
    if (due !== undefined) this.#wakeIn(Math.max(0, due - this.#deps.now()));
  }

  #wakeIn(delayMs: number): void {
    this.#stopTimer?.();
    if (!this.#signal.aborted) this.#stopTimer = this.#deps.startTimer(() => this.#wake(), delayMs);
  }

  async #work(): Promise<void> {
    const observer = (this.#observer ??= await this.#resume());
    do {
      this.#again = false;
      const sight = await observer.look();
      // At least one chunk per look, or a storm of changes could keep everything waiting.
      let size = FIRST_CHUNK;
      do {
        if (!this.#pending.isEmpty || sight.revision > this.#published) await this.#publishChunk(sight, size);
        size = Math.min(MAX_CHUNK, 2 * size);
      } while (!this.#pending.isEmpty && !this.#isInterrupted());
    } while (this.#isInterrupted() && !this.#signal.aborted);
  }

  /** Something happened while a long list is worked off: look first, it may be urgent. */
  #isInterrupted(): boolean {
    return this.#again || this.#signal.aborted;
  }

  async #resume(): Promise<Observer> {
    const { db, ted, now } = this.#deps;
    this.#pending = new PendingWork();
    this.#holds = new LinkHolds(this.#settings, await loadLinkHolds(db));
    return Observer.resume({ db, ted, now, pending: this.#pending, holds: this.#holds });
  }

  async #publishChunk(seen: Sight, size: number): Promise<void> {
    const chunk = this.#pending.next(size);
    const isLast = chunk.size === this.#pending.size;
    const asked = await loadPolicies(this.#deps.db, [...chunk.keys()], (id) => chunk.get(id)?.reoptimise ?? false);
    const headends = new Set(asked.policies.map(({ headend }) => headend));
    const steering = this.#pending.steeringWith(headends, isLast);
    // A hold that ends is stored with the last of what follows from it: a new leader would not see it end again.
    const holds = isLast ? this.#holds.unstored() : new Map<string, LinkHold | null>();
    // A policy without intent was deleted meanwhile.
    const doneWith = (evaluated: ReadonlySet<string>): Set<string> =>
      new Set([...evaluated, ...[...chunk.keys()].filter((id) => !asked.intents.has(id))]);

    const batch = await this.#evaluate(this.#deps.db, seen.snapshot, asked);
    const { loaded, evaluations: first, preempted } = batch;
    const published = await this.#publish(loaded, {
      ted: seen.ted,
      tedRevision: seen.tedRevision,
      evaluations: first,
      proveNow: async (tx, head) => {
        this.#again = true;
        const ted = await this.#deps.tedAtHead(tx, head);
        const urgent = mostUrgent([...chunk.keys()], batch, FIRST_CHUNK);
        const policies = loaded.policies.filter(({ policyId }) => urgent.has(policyId));
        const evaluations = await this.#proveAgain(tx, snapshotOf(ted), policies, first);
        return { ted, tedRevision: head.tedRevision, evaluations };
      },
      eventOf: (id) => (chunk.get(id) ?? this.#pending.get(id))?.event ?? preemptionEvent(id, preempted, chunk),
      steering,
      holds,
      computedThrough: (evaluated) => this.#pending.completeThrough(seen.revision, doneWith(evaluated), steering),
    });
    this.#pending.done(doneWith(published.evaluated), steering.keys());
    this.#holds.stored(holds);
    this.#published = published.computedThrough;
  }

  async #evaluate(db: Executor, snapshot: Snapshot, policies: LoadedPolicies): Promise<EvaluatedBatch> {
    return evaluateBatch(db, policies, {
      ...this.#evaluationSettings(snapshot),
      reoptimise: (id) => this.#pending.get(id)?.reoptimise ?? false,
    });
  }

  #evaluationSettings(snapshot: Snapshot): EvaluationSettings {
    return {
      heldLinks: this.#holds.held(this.#deps.now()),
      parallelism: this.#settings.parallelism,
      evaluate: (task) => this.#deps.evaluate(snapshot, task),
    };
  }

  /** What still holds on a newer TED, evaluated as if it were in use already. The rest is evaluated anew later. */
  async #proveAgain(
    db: Executor,
    snapshot: Snapshot,
    before: readonly PolicyToEvaluate[],
    evaluations: readonly PolicyEvaluation[],
  ): Promise<PolicyEvaluation[]> {
    const decided = new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
    const policies = before.flatMap((policy): PolicyToEvaluate[] => {
      const evaluation = decided.get(policy.policyId);
      if (evaluation === undefined) return [];
      return [{ ...policy, reoptimise: false, incumbent: incumbentAfter(evaluation) }];
    });
    const again = await evaluateOnly(db, policies, this.#evaluationSettings(snapshot));
    return again.flatMap((evaluation) => {
      const first = decided.get(evaluation.policyId);
      if (first === undefined || evaluation.decision === 'changed') return [];
      const { decision, cause, takenOn } = first;
      return [{ ...evaluation, decision, cause, takenOn }];
    });
  }

  async #publish(
    loaded: LoadedPolicies,
    offered: Omit<Publication, keyof LoadedPolicies | 'bsidPool'>,
  ): Promise<Published<Delta>> {
    const { fenced, writeDesired, announceEvents } = this.#deps;
    const { bsidPool } = this.#settings;
    const published = await fenced(this.#epoch, async (tx) => {
      const written = await publish<Delta>(tx, { ...offered, ...loaded, bsidPool }, (changes) =>
        writeDesired(tx, this.#epoch, changes),
      );
      await announceEvents(tx, written.events);
      return written;
    });
    await this.#deps.publish(published.deltas);
    return published;
  }
}

/** Why a policy is evaluated that waited for nothing: what made another one take its bandwidth. */
function preemptionEvent(
  id: string,
  preempted: ReadonlyMap<string, Preempted>,
  chunk: ReadonlyMap<string, PendingPolicy>,
): PolicyEvent {
  // Who was preempted may have to preempt others in turn.
  let first = id;
  for (let by = preempted.get(id)?.by; by !== undefined; by = preempted.get(by)?.by) first = by;
  const cause = chunk.get(first);
  if (cause === undefined) throw new RangeError(`nothing led to an evaluation of ${id}`);
  return toldToOthers({ policyId: first, event: cause.event });
}
