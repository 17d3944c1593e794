import type { CandidatePathIntent, PolicyList } from '../model/sr-policy.js';
import type { CandidateOutcome, ValidLists } from './candidate-outcome.js';
import type { CandidateEvaluator } from './evaluate-candidate-path.js';
import type { IncumbentStandby, PolicyToEvaluate, TransportList } from './evaluate-policies-model.js';
import { listKey } from './transport-lists.js';

/** Valid lists that are not the active ones. */
export interface ChosenStandby {
  readonly candidate: CandidatePathIntent;
  readonly lists: ValidLists;
  /** They cross something that is drained, for want of others. */
  readonly blocked: boolean;
}

export interface StandbyQuestion {
  readonly policy: PolicyToEvaluate;
  /** Best first. */
  readonly ranked: readonly CandidatePathIntent[];
  readonly active: { readonly candidate: CandidatePathIntent; readonly lists: ValidLists };
  /** The policy keeps its active candidate path and lists. */
  readonly activeIsKept: boolean;
  /** What is known of candidate paths already; what is learned here is added. */
  readonly outcomes: Map<number, CandidateOutcome>;
}

/**
 * The lists of the next valid candidate path, for the headend to use while none of the active lists delivers. They book
 * nothing: room for their bandwidth is asked for when they are chosen, and others may book it later. For the rest they
 * follow the rules of active lists: they stay while they hold, avoid what returned too recently, and leave what is
 * drained where an alternative exists. What only repeats the active lists would fail with them and is no standby.
 */
export function chooseStandby(evaluator: CandidateEvaluator, question: StandbyQuestion): ChosenStandby | null {
  const { policy, ranked, active } = question;
  const others = ranked.filter(({ discriminator }) => discriminator !== active.candidate.discriminator);
  if (others.length === 0) return null;
  const known = policy.incumbent?.standby ?? null;
  // Nothing can have become better since none was found.
  if (known === null && question.activeIsKept && !policy.reoptimise) return null;

  const search = new StandbySearch(evaluator, question);
  const incumbent = known === null ? undefined : others.find((candidate) => isStillOf(candidate, known));
  const kept = incumbent && search.still(incumbent, known?.lists ?? [], true);
  if (kept !== undefined && !policy.reoptimise) return kept;
  return (
    search.first(incumbent === undefined || kept === undefined ? others : goingBefore(others, incumbent), true) ??
    kept ??
    (incumbent && search.still(incumbent, known?.lists ?? [], 'down-only')) ??
    (evaluator.hasHeldLinks ? search.first(others, false) : undefined) ??
    null
  );
}

/** May a headend hold these beside its active lists, to use in their place? */
export function isStandbyFor(active: ValidLists, lists: readonly PolicyList[]): boolean {
  if (sidsOf(lists) === sidsOf(active.lists)) return false;
  // A planned SID in the standby would keep the active lists from a real data plane.
  return !isPlanned(lists) || isPlanned(active.lists);
}

class StandbySearch {
  readonly #evaluator: CandidateEvaluator;
  readonly #question: StandbyQuestion;

  constructor(evaluator: CandidateEvaluator, question: StandbyQuestion) {
    this.#evaluator = evaluator;
    this.#question = question;
  }

  first(candidates: readonly CandidatePathIntent[], avoidHeld: boolean): ChosenStandby | undefined {
    for (const candidate of candidates) {
      const lists = this.#usable(this.#evaluate(candidate, avoidHeld));
      if (lists !== undefined) return { candidate, lists, blocked: false };
    }
    return undefined;
  }

  still(
    candidate: CandidatePathIntent,
    known: readonly TransportList[],
    honourAdminState: true | 'down-only',
  ): ChosenStandby | undefined {
    const lists = this.#usable(this.#evaluator.hold(this.#question.policy, candidate, known, honourAdminState));
    return lists && { candidate, lists, blocked: honourAdminState === 'down-only' };
  }

  #evaluate(candidate: CandidatePathIntent, avoidHeld: boolean): CandidateOutcome {
    const { policy, outcomes } = this.#question;
    if (this.#evaluator.hasHeldLinks) return this.#evaluator.evaluate(policy, candidate, avoidHeld);
    let outcome = outcomes.get(candidate.discriminator);
    if (outcome === undefined) {
      outcome = this.#evaluator.evaluate(policy, candidate, false);
      outcomes.set(candidate.discriminator, outcome);
    }
    return outcome;
  }

  #usable(outcome: CandidateOutcome): ValidLists | undefined {
    return outcome.valid && isStandbyFor(this.#question.active.lists, outcome.lists) ? outcome : undefined;
  }
}

/** What may replace a standby that holds: better candidate paths, and lists of an explicit one that became valid. */
function goingBefore(others: readonly CandidatePathIntent[], incumbent: CandidatePathIntent): CandidatePathIntent[] {
  return others.slice(0, others.indexOf(incumbent) + (incumbent.path.kind === 'explicit' ? 1 : 0));
}

/** Is the standby one that the candidate path, as it is written now, could have led to? */
export function isStillOf({ discriminator, path }: CandidatePathIntent, known: IncumbentStandby): boolean {
  if (discriminator !== known.candidate) return false;
  if (path.kind === 'dynamic') return path.metric === known.metric;
  const written = new Set(path.segmentLists.map(listKey));
  return known.lists.every((list) => written.has(listKey(list)));
}

/** The transport lists, whatever their order and weights. */
function sidsOf(lists: readonly PolicyList[]): string {
  return lists
    .map(({ transport }) => transport.map(({ sid }) => sid).join())
    .sort()
    .join(' ');
}

function isPlanned(lists: readonly PolicyList[]): boolean {
  return lists.some(({ segmentLists }) => segmentLists.some(({ proof }) => proof.usesPlannedSids));
}
