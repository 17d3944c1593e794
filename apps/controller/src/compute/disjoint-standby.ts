import {
  withoutConstraints,
  type OptionalOutcome,
  type StandbyQuality,
  type StandbyRequest,
  type UnachievedStandby,
} from '@waymark/topology';
import type { CandidatePathIntent, DisjointStandby, DynamicPath } from '../model/sr-policy.js';
import { isStandbyFor, isStillOf, type ChosenStandby, type StandbyQuestion } from './choose-standby.js';
import type { CandidateOutcome } from './candidate-outcome.js';
import type { CandidateEvaluator } from './evaluate-candidate-path.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';
import { requestOf } from './optional-constraints.js';

export type DisjointStandbyQuestion = Omit<StandbyQuestion, 'ranked' | 'outcomes'>;

type DynamicCandidate = CandidatePathIntent & { readonly path: DynamicPath };

export interface ChosenDisjointStandby {
  /** null: there is none. */
  readonly chosen: ChosenStandby | null;
  readonly state: DisjointStandby;
  /** 0: all that was asked for; the weaker the more; Infinity: none. */
  readonly weakness: number;
}

/**
 * The standby that the active candidate path asks for: a single list, disjoint from all lists in use. Like every standby it
 * books nothing, stays while it holds and leaves what is drained where an alternative exists; and it is replaced as soon
 * as another keeps more of the disjointness asked for. null: none is asked for.
 */
export function chooseDisjointStandby(
  evaluator: CandidateEvaluator,
  question: DisjointStandbyQuestion,
): ChosenDisjointStandby | null {
  const { path } = question.active.candidate;
  if (path.kind !== 'dynamic' || path.standby === undefined) return null;
  const { policy, activeIsKept } = question;
  const search = new DisjointSearch(evaluator, question, path, path.standby);
  const known = policy.incumbent?.disjointStandby ?? null;
  const mayBeBetter = policy.reoptimise || !activeIsKept || known === null;

  const kept = search.still(true);
  if (kept === undefined && !mayBeBetter && !known.isFound) return { chosen: null, state: known, weakness: Infinity };
  if (kept !== undefined && (kept.quality.weakness === 0 || (!mayBeBetter && isAsGood(kept.quality, known)))) {
    return found(kept, known?.unachieved ?? []);
  }
  const best = search.first(true);
  if (kept !== undefined) {
    const isBetter = best.usable !== undefined && best.usable.quality.weakness < kept.quality.weakness;
    return found(isBetter ? best.usable : kept, best.unachieved);
  }
  if (best.usable !== undefined) return found(best.usable, best.unachieved);
  const drained = search.still('down-only');
  if (drained !== undefined) return found(drained, best.unachieved);
  const unstable = evaluator.hasHeldLinks ? search.first(false) : best;
  if (unstable.usable !== undefined) return found(unstable.usable, unstable.unachieved);
  const { unachieved, message } = unstable;
  return {
    chosen: null,
    state: { isFound: false, achieved: [], unachieved, shared: null, message },
    weakness: Infinity,
  };
}

/** The candidate path as its standby has to obey it: within what its active lists keep, or within constraints of its own. */
export function asStandby(
  policy: PolicyToEvaluate,
  candidate: DynamicCandidate,
  optional: readonly OptionalOutcome[],
): DynamicCandidate {
  const { path } = candidate;
  const missed = new Set(optional.flatMap(({ constraint, isAchieved }) => (isAchieved ? [] : [constraint])));
  const { metric, constraints, maxSegments } = withoutConstraints(requestOf(policy, path), missed);
  const own: DynamicPath = { kind: 'dynamic', metric, constraints: path.standby?.constraints ?? constraints };
  return { ...candidate, path: maxSegments === undefined ? own : { ...own, maxSegments } };
}

interface UsableStandby extends ChosenStandby {
  readonly quality: StandbyQuality;
}

interface SearchedStandby {
  readonly usable: UsableStandby | undefined;
  /** As of the search, whatever became of what it found. */
  readonly unachieved: readonly UnachievedStandby[];
  /** Why it is not usable; null when it is. */
  readonly message: string | null;
}

class DisjointSearch {
  readonly #evaluator: CandidateEvaluator;
  readonly #question: DisjointStandbyQuestion;
  readonly #request: StandbyRequest;
  readonly #own: DynamicCandidate;

  constructor(
    evaluator: CandidateEvaluator,
    question: DisjointStandbyQuestion,
    path: DynamicPath,
    request: StandbyRequest,
  ) {
    this.#evaluator = evaluator;
    this.#question = question;
    this.#request = request;
    const { candidate, lists } = question.active;
    this.#own = asStandby(question.policy, { ...candidate, path }, lists.optional);
  }

  /** Lists that the headend has for this already, as they hold now. */
  still(honourAdminState: true | 'down-only'): UsableStandby | undefined {
    const { policy, active } = this.#question;
    const known = policy.incumbent?.standby ?? null;
    if (known === null || !isStillOf(active.candidate, known)) return undefined;
    const outcome = this.#evaluator.hold(policy, this.#own, known.lists, honourAdminState);
    return this.#usable(outcome, honourAdminState === 'down-only');
  }

  first(avoidHeld: boolean): SearchedStandby {
    const { policy, active } = this.#question;
    const { lists } = active.lists;
    const { answer, outcome } = this.#evaluator.findStandby(policy, this.#own.path, this.#request, lists, avoidHeld);
    const usable = this.#usable(outcome, false);
    const message = usable !== undefined ? null : outcome.valid ? 'its SIDs are planned' : outcome.message;
    return { usable, unachieved: answer.unachieved, message };
  }

  #usable(outcome: CandidateOutcome, blocked: boolean): UsableStandby | undefined {
    const { policy, active } = this.#question;
    if (!outcome.valid || !isStandbyFor(active.lists, outcome.lists)) return undefined;
    const lists = { active: active.lists.lists, standby: outcome.lists };
    const quality = this.#evaluator.qualityOf(policy, this.#own.path, this.#request, lists);
    return quality === null ? undefined : { candidate: this.#own, lists: outcome, blocked, quality };
  }
}

/** Nothing that a change for the worse can better is left to be found. */
function isAsGood({ rank, shared }: StandbyQuality, known: DisjointStandby): boolean {
  return (
    known.isFound && rank <= known.unachieved.length && shared.links.length <= (known.shared?.links.length ?? Infinity)
  );
}

function found({ quality, ...chosen }: UsableStandby, unachieved: readonly UnachievedStandby[]): ChosenDisjointStandby {
  const { achieved, shared, rank, weakness } = quality;
  const state = { isFound: true, achieved, unachieved: unachieved.slice(0, rank), shared, message: null };
  return { chosen, state, weakness };
}
