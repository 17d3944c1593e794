import type { Snapshot } from '@waymark/topology';
import type { Preempted } from '../compute/contenders.js';
import { incumbentAfter, type PolicyEvaluation, type PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import { snapshotOf } from '../compute/snapshot-of.js';
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
import type { ReactionSettings, StepDependencies, WrittenDelta } from './reaction-dependencies.js';

/** With a newer TED at hand than they were evaluated on, so many are proved again while the head row is locked. */
const PROVED_AGAIN = 250;

/** A chunk of pending work, evaluated and not yet published. */
export interface EvaluatedChunk extends EvaluatedBatch {
  readonly seen: Sight;
  readonly chunk: ReadonlyMap<string, PendingPolicy>;
  /** As they were loaded, before those that may have to make room were added. */
  readonly asked: LoadedPolicies;
  /** With it nothing is pending any more. */
  readonly isLast: boolean;
}

/**
 * What the leader does, a step at a time: look, evaluate a chunk of what was seen, publish it. When each is due is not
 * known here (ReactionLoop), so the same steps at the same places among all inputs come to the same.
 */
export class ReactionSteps<Delta extends WrittenDelta> {
  readonly #deps: StepDependencies<Delta>;
  readonly #settings: ReactionSettings;
  readonly #epoch: number;
  #pending = new PendingWork();
  #holds: LinkHolds;
  #observer: Observer | undefined;
  #published = -1;

  constructor(deps: StepDependencies<Delta>, settings: ReactionSettings, epoch: number) {
    this.#deps = deps;
    this.#settings = settings;
    this.#epoch = epoch;
    this.#holds = new LinkHolds(settings);
  }

  /** Nothing waits for its evaluation. */
  get isIdle(): boolean {
    return this.#pending.isEmpty;
  }

  /** When a hold is over next, in ms since 1970. */
  nextHoldEnds(): number | undefined {
    return this.#holds.nextDue();
  }

  /** Is there anything to publish: policies, or that there are none? */
  isDue({ revision }: Sight): boolean {
    return !this.#pending.isEmpty || revision > this.#published;
  }

  /** After a failure: what was seen and not published is seen again, for the database knows how far publication came. */
  forget(): void {
    this.#observer = undefined;
  }

  async look(): Promise<Sight> {
    this.#observer ??= await this.#resume();
    return this.#observer.look();
  }

  /** `size`: most policies. */
  async evaluate(seen: Sight, size: number): Promise<EvaluatedChunk> {
    const chunk = this.#pending.next(size);
    const isLast = chunk.size === this.#pending.size;
    const asked = await loadPolicies(this.#deps.db, [...chunk.keys()], (id) => chunk.get(id)?.reoptimise ?? false);
    const batch = await evaluateBatch(this.#deps.db, asked, {
      ...this.#evaluationSettings(seen.snapshot),
      reoptimise: (id) => this.#pending.get(id)?.reoptimise ?? false,
    });
    return { ...batch, seen, chunk, asked, isLast };
  }

  /** `onMoved`: the TED is newer than what was seen. */
  async publish(evaluated: EvaluatedChunk, onMoved: () => void): Promise<Published<Delta>> {
    const { seen, chunk, asked, isLast, loaded, evaluations: first, preempted } = evaluated;
    const headends = new Set(asked.policies.map(({ headend }) => headend));
    const steering = this.#pending.steeringWith(headends, isLast);
    // A hold that ends is stored with the last of what follows from it: a new leader would not see it end again.
    const holds = isLast ? this.#holds.unstored() : new Map<string, LinkHold | null>();
    // A policy without intent was deleted meanwhile.
    const doneWith = (evaluated: ReadonlySet<string>): Set<string> =>
      new Set([...evaluated, ...[...chunk.keys()].filter((id) => !asked.intents.has(id))]);

    const published = await this.#publish(loaded, {
      ted: seen.ted,
      tedRevision: seen.tedRevision,
      evaluations: first,
      proveNow: async (tx, head) => {
        onMoved();
        const ted = await this.#deps.tedAtHead(tx, head);
        const urgent = mostUrgent([...chunk.keys()], evaluated, PROVED_AGAIN);
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
    return published;
  }

  async #resume(): Promise<Observer> {
    const { db, ted, journal, readDatabaseTime } = this.#deps;
    this.#pending = new PendingWork();
    this.#holds = new LinkHolds(this.#settings, await loadLinkHolds(db));
    const now = () => journal.now();
    const { bsidPool } = this.#settings;
    return Observer.resume({ db, ted, now, readDatabaseTime, bsidPool, pending: this.#pending, holds: this.#holds });
  }

  #evaluationSettings(snapshot: Snapshot): EvaluationSettings {
    return {
      heldLinks: this.#holds.held(this.#deps.journal.now()),
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
    offered: Omit<Publication, keyof LoadedPolicies | 'bsidPool' | 'readDatabaseTime'>,
  ): Promise<Published<Delta>> {
    const { fenced, writeDesired, announceEvents, readDatabaseTime } = this.#deps;
    const { bsidPool } = this.#settings;
    return fenced(this.#epoch, async (tx) => {
      const publication = { ...offered, ...loaded, bsidPool, readDatabaseTime };
      const written = await publish<Delta>(tx, publication, (changes) => writeDesired(tx, this.#epoch, changes));
      await announceEvents(tx, written.events);
      return written;
    });
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
