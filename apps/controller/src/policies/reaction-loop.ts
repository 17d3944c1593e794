import { sql } from 'kysely';
import type { EvaluationTask, PolicyEvaluation, PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { DelayMachine, defaultDelays } from './delay-machine.js';
import { evaluationTasks, loadPolicies, type LoadedPolicies } from './evaluation-input.js';
import { loadLinkHolds } from './link-hold-store.js';
import { LinkHolds } from './link-holds.js';
import { Observer, type Sight } from './observation.js';
import { PendingWork, type PendingPolicy } from './pending-work.js';
import { publish, TedMoved, type Published } from './publication.js';
import type { ReactionDependencies, ReactionSettings, WrittenDelta } from './reaction-dependencies.js';

/**
 * Policies per publication: few at first, so that the first headends hear of a failure soon, then twice as many each
 * time. The head row is locked while one is written, so it must not take long.
 */
const FIRST_CHUNK = 250;
const MAX_CHUNK = 2_000;
/** How often released bandwidth is looked for; everything else announces itself. */
const POLL_MS = 1_000;
const RETRY_MS = 1_000;
/** Publications of one chunk that may find the TED moved before it is put back. */
const MAX_TRIES = 5;

/**
 * The leader's loop, from a committed change to what headends are to hold:
 *
 *   revision ─► delay machine ─► observe ─► affected policies ─► evaluate (workers) ─► publish (one transaction) ─► bus
 *                  ▲                                                                      │ the TED moved: prove again
 *                  └── holds that are over, bandwidth that was released                   └──────────────┘
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
    const unsubscribe = this.#deps.onRevision(() => this.#delay.changed());
    const stopPolling = this.#poll();
    this.#signal.addEventListener('abort', () => {
      unsubscribe();
      stopPolling();
      this.#delay.stop();
      this.#stopTimer?.();
    });
    this.#wake();
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
        if (!this.#pending.isEmpty || sight.revision > this.#published) await this.#publishChunk(observer, sight, size);
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

  async #publishChunk(observer: Observer, seen: Sight, size: number): Promise<void> {
    const chunk = this.#pending.next(size);
    const isLast = chunk.size === this.#pending.size;
    const loaded = await loadPolicies(this.#deps.db, [...chunk.keys()], (id) => chunk.get(id)?.reoptimise ?? false);
    const headends = new Set(loaded.policies.map(({ headend }) => headend));
    const steering = this.#pending.steeringWith(headends, isLast);
    const evaluations = await this.#evaluate(seen, loaded.policies);
    const holds = this.#holds.unstored();

    let sight = seen;
    let proved = evaluations;
    for (let tries = 1; ; tries++) {
      const evaluated = new Set(proved.map(({ policyId }) => policyId));
      // A policy without intent was deleted meanwhile.
      const done = new Set([...chunk.keys()].filter((id) => evaluated.has(id) || !loaded.intents.has(id)));
      const computedThrough = this.#pending.completeThrough(seen.revision, done, new Set(steering));
      try {
        await this.#publish(sight, loaded, proved, chunk, { steering, holds, computedThrough });
        this.#pending.done(done, steering);
        this.#holds.stored(holds);
        this.#published = computedThrough;
        return;
      } catch (error) {
        if (!(error instanceof TedMoved) || tries === MAX_TRIES) throw error;
      }
      this.#again = true;
      sight = await observer.refresh();
      proved = await this.#proveAgain(sight, loaded.policies, evaluations);
    }
  }

  async #evaluate(sight: Sight, policies: readonly PolicyToEvaluate[]): Promise<PolicyEvaluation[]> {
    const held = this.#holds.held(this.#deps.now());
    const tasks = await evaluationTasks(this.#deps.db, policies, held, this.#settings.parallelism);
    return this.#run(sight, tasks);
  }

  async #run(sight: Sight, tasks: readonly EvaluationTask[]): Promise<PolicyEvaluation[]> {
    const results = await Promise.all(tasks.map((task) => this.#deps.evaluate(sight.snapshot, task)));
    return results.flat();
  }

  /** What still holds on a newer TED, evaluated as if it were in use already. The rest is evaluated anew later. */
  async #proveAgain(
    sight: Sight,
    policies: readonly PolicyToEvaluate[],
    evaluations: readonly PolicyEvaluation[],
  ): Promise<PolicyEvaluation[]> {
    const decided = new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
    const adopted = policies.flatMap((policy): PolicyToEvaluate[] => {
      const evaluation = decided.get(policy.policyId);
      if (evaluation === undefined) return [];
      const { status, activeCandidate, candidatePaths, objective } = evaluation;
      const lists = evaluation.lists.map(({ weight, transport }) => ({
        weight,
        sids: transport.map(({ sid }) => sid),
      }));
      return [
        {
          ...policy,
          reoptimise: false,
          incumbent: { status, activeCandidate, lists, candidatePaths, value: objective?.value ?? null },
        },
      ];
    });
    const again = await this.#evaluate(sight, adopted);
    return again.flatMap((evaluation) => {
      const first = decided.get(evaluation.policyId);
      if (first === undefined || evaluation.decision === 'changed') return [];
      return [{ ...evaluation, decision: first.decision, cause: first.cause }];
    });
  }

  async #publish(
    sight: Sight,
    loaded: LoadedPolicies,
    evaluations: readonly PolicyEvaluation[],
    chunk: ReadonlyMap<string, PendingPolicy>,
    rest: Pick<Parameters<typeof publish>[1], 'steering' | 'holds' | 'computedThrough'>,
  ): Promise<void> {
    const { fenced, writeDesired, announceEvents } = this.#deps;
    const deltas = await fenced(this.#epoch, async (tx) => {
      const published: Published<Delta> = await publish(
        tx,
        {
          ted: sight.ted,
          tedRevision: sight.tedRevision,
          evaluations,
          intents: loaded.intents,
          states: loaded.states,
          eventAt: (id) => chunk.get(id)?.eventAt ?? new Date(this.#deps.now()),
          bsidPool: this.#settings.bsidPool,
          ...rest,
        },
        (changes) => writeDesired(tx, this.#epoch, changes),
      );
      await announceEvents(tx, published.events);
      return published.deltas;
    });
    await this.#deps.publish(deltas);
  }
}
