import type { Snapshot } from '@waymark/topology';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { isStillOf } from './choose-standby.js';
import type { CandidateOutcome, ValidLists } from './candidate-outcome.js';
import type { CandidateEvaluator } from './evaluate-candidate-path.js';
import { transportList, type PinnedLists, type PolicyToEvaluate } from './evaluate-policies-model.js';
import { chosen, complianceOf, type Choice, type Job } from './evaluation-job.js';
import { shortestPathFallback } from './fallback-lists.js';
import { compareAchieved, isBetter } from './optional-constraints.js';
import { objectiveOf } from './rank-candidate-paths.js';
import { listKey, sameLists } from './transport-lists.js';

/** What one policy is to use, given the bandwidth that is left. Books nothing. */
export class ListChooser {
  readonly #snapshot: Snapshot;
  readonly #evaluator: CandidateEvaluator;

  constructor(snapshot: Snapshot, evaluator: CandidateEvaluator) {
    this.#snapshot = snapshot;
    this.#evaluator = evaluator;
  }

  /** The lists a policy has, pinned or in place of those, when they hold apart from bandwidth; undefined (and why in `leaving`) when they do not. */
  incumbent(job: Job): Choice | undefined {
    const { policy } = job;
    const { incumbent, pinned } = policy;
    if (incumbent === null) return undefined;
    if (pinned !== null) {
      const outcome = this.#deliverPinned(job, pinned);
      if (outcome.valid && sameLists(pinned.lists, incumbent.lists)) {
        return this.#pinnedChoice(job, outcome, 'keeps the lists it is pinned to');
      }
    }
    const candidate = job.ranked.find(({ discriminator }) => discriminator === incumbent.activeCandidate);
    if (incumbent.status !== 'up' || candidate === undefined) return undefined;
    const outcome =
      candidate.path.kind === 'explicit'
        ? this.#evaluator.prove(policy, candidate.path)
        : this.#evaluator.hold(policy, candidate, incumbent.lists, true);
    if (!outcome.valid) {
      job.leaving = outcome.message;
      return undefined;
    }
    if (!sameLists(outcome.lists.map(transportList), incumbent.lists)) {
      job.leaving = outcome.message ?? 'its lists were written anew';
      return undefined;
    }
    return chosen(candidate, outcome, 'unchanged');
  }

  /** Second pass: the policy has nothing that holds. */
  settle(job: Job): Choice {
    const cause = (found: string) => causeOf(job, found);
    const { pinned } = job.policy;
    const returned = pinned && this.#returnToPinned(job, this.#deliverPinned(job, pinned));
    if (returned != null) return returned;
    const stable = this.#firstValid(job, true);
    if (stable !== undefined) return chosen(...stable, cause(describe(stable[0])));
    const blocked = this.#stayOnDrained(job);
    if (blocked !== undefined) return blocked;
    const unstable = this.#evaluator.hasHeldLinks ? this.#firstValid(job, false) : undefined;
    if (unstable !== undefined) return chosen(...unstable, cause(describe(unstable[0])));
    return this.#fallBack(job, cause);
  }

  /** Third pass: a better candidate path, or a better path for the same one. Over nothing that is on hold. */
  improve(job: Job, kept: Choice): Choice {
    const { policy, ranked } = job;
    if (kept.pinned === true) return kept;
    if (policy.pinned !== null) {
      const outcome = this.#deliverPinned(job, policy.pinned);
      // What it uses in their place until there is room is not left without need either.
      if (outcome.valid) return this.#returnToPinned(job, outcome) ?? kept;
    }
    if (!(policy.reoptimise || hasWorsened(policy, kept))) return kept;
    for (const candidate of ranked) {
      const isActive = candidate.discriminator === kept.candidate?.discriminator;
      if (isActive && candidate.path.kind === 'explicit') return kept;
      const outcome = this.#evaluator.evaluate(policy, candidate, true);
      job.outcomes.set(candidate.discriminator, outcome);
      if (!isActive) {
        if (outcome.valid) return chosen(candidate, outcome, causeOf(job, describe(candidate)));
        continue;
      }
      if (!outcome.valid || kept.lists === undefined || !isBetter(candidate, outcome, kept.lists)) return kept;
      const better = `a better path: ${advantage(candidate, outcome, kept.lists)}`;
      return chosen(candidate, outcome, causeOf(job, better));
    }
    return kept;
  }

  #deliverPinned(job: Job, { lists }: PinnedLists): CandidateOutcome {
    return this.#evaluator.deliver(job.policy, lists, this.#pinnedCandidate(job)?.path);
  }

  #returnToPinned(job: Job, delivered: CandidateOutcome): Choice | undefined {
    const admitted = this.#evaluator.admit(job.policy, delivered);
    return admitted.valid ? this.#pinnedChoice(job, admitted, 'returns to the lists it is pinned to') : undefined;
  }

  #firstValid(job: Job, avoidHeld: boolean): [CandidatePathIntent, ValidLists] | undefined {
    for (const candidate of job.ranked) {
      const outcome = this.#evaluator.evaluate(job.policy, candidate, avoidHeld);
      job.outcomes.set(candidate.discriminator, outcome);
      if (outcome.valid) return [candidate, this.#fromStandby(job.policy, candidate, outcome)];
    }
    return undefined;
  }

  /** The lists of the standby where they are as good: the headend has them, and may be using them already. */
  #fromStandby(policy: PolicyToEvaluate, candidate: CandidatePathIntent, found: ValidLists): ValidLists {
    const standby = policy.incumbent?.standby ?? null;
    if (standby === null || candidate.path.kind === 'explicit' || !isStillOf(candidate, standby)) return found;
    const held = this.#evaluator.admit(policy, this.#evaluator.hold(policy, candidate, standby.lists, true));
    return held.valid && objectiveOf(candidate, held) !== null && !isBetter(candidate, found, held) ? held : found;
  }

  /** Draining asks for what is possible: without an alternative the policy stays, unless the element is `down`. */
  #stayOnDrained(job: Job): Choice | undefined {
    const { policy, ranked } = job;
    const { incumbent } = policy;
    const candidate = ranked.find(({ discriminator }) => discriminator === incumbent?.activeCandidate);
    if (incumbent?.status !== 'up' || candidate === undefined) return undefined;
    if (candidate.path.kind === 'explicit') {
      const wanted = new Set(candidate.path.segmentLists.map(listKey));
      if (!incumbent.lists.every((list) => wanted.has(listKey(list)))) return undefined;
    }
    const outcome = this.#evaluator.admit(
      policy,
      this.#evaluator.hold(policy, candidate, incumbent.lists, 'down-only'),
    );
    if (!outcome.valid) return undefined;
    const why = job.leaving ?? 'a drained element is in use';
    return { ...chosen(candidate, outcome, `stays for want of an alternative: ${why}`), blocked: true };
  }

  #fallBack(job: Job, cause: (found: string) => string): Choice {
    const { policy, ranked } = job;
    const best = ranked[0] && job.outcomes.get(ranked[0].discriminator);
    const why = best?.valid === false ? `no candidate path is valid: ${best.message}` : 'there is no candidate path';
    const nothing = { candidate: undefined, lists: undefined } as const;
    if (policy.fallback === 'drop') {
      return { ...nothing, status: 'fallback', compliance: 'constraints-not-met', cause: cause(`${why}; drops`) };
    }
    const shortest = shortestPathFallback(this.#snapshot, this.#evaluator, policy);
    if (!shortest.valid) return { ...nothing, status: 'down', compliance: null, cause: cause(why) };
    return {
      status: 'fallback',
      candidate: undefined,
      lists: shortest,
      compliance: 'constraints-not-met',
      cause: cause(`${why}; takes the shortest path`),
    };
  }

  #pinnedCandidate(job: Job): CandidatePathIntent | undefined {
    return job.ranked.find(({ discriminator }) => discriminator === job.policy.pinned?.activeCandidate);
  }

  #pinnedChoice(job: Job, lists: ValidLists, cause: string): Choice {
    const candidate = this.#pinnedCandidate(job);
    const pinned = { candidate, lists, cause, pinned: true } as const;
    if (candidate === undefined) return { ...pinned, status: 'fallback', compliance: 'constraints-not-met' };
    const obeys = this.#evaluator.hold(job.policy, candidate, lists.lists.map(transportList), true);
    if (!obeys.valid) return { ...pinned, status: 'up', compliance: 'constraints-not-met' };
    const booked = new Map(lists.optional.map((outcome) => [outcome.constraint, outcome]));
    const optional = obeys.optional.map((outcome) => booked.get(outcome.constraint) ?? outcome);
    return { ...pinned, lists: { ...lists, optional }, status: 'up', compliance: complianceOf(candidate) };
  }
}

function causeOf({ leaving }: Job, found: string): string {
  return leaving === undefined ? found : `${leaving}; ${found}`;
}

function describe(candidate: CandidatePathIntent): string {
  const name = candidate.name === undefined ? '' : ` "${candidate.name}"`;
  return `candidate path ${candidate.discriminator}${name} of preference ${candidate.preference} is valid`;
}

function hasWorsened({ incumbent }: PolicyToEvaluate, { candidate, lists }: Choice): boolean {
  const value = objectiveOf(candidate, lists)?.value;
  if (value === undefined) return false;
  const known = incumbent?.candidatePaths.find(({ discriminator }) => discriminator === candidate?.discriminator);
  if (compareAchieved(lists?.optional ?? [], known?.optional ?? []) < 0) return true;
  return incumbent?.value == null || value > incumbent.value;
}

function advantage(candidate: CandidatePathIntent, after: ValidLists, before: ValidLists): string {
  const missed = new Set(before.optional.flatMap(({ constraint, isAchieved }) => (isAchieved ? [] : [constraint])));
  const gained = after.optional.find(({ constraint, isAchieved }) => isAchieved && missed.has(constraint));
  if (gained !== undefined && compareAchieved(after.optional, before.optional) > 0) {
    return `it keeps the optional constraint ${gained.constraint}`;
  }
  const [now, then] = [objectiveOf(candidate, after), objectiveOf(candidate, before)];
  return `${now?.metric ?? ''} ${now?.value ?? ''} instead of ${then?.value ?? ''}`;
}
