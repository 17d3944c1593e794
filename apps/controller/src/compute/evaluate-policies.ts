import type { CandidatePathIntent, CandidatePathState, PolicyList } from '../model/sr-policy.js';
import { BandwidthLedger, largerOf } from './bandwidth-ledger.js';
import { chooseStandby, isStillOf, type ChosenStandby } from './choose-standby.js';
import { CandidateEvaluator, type CandidateOutcome, type ValidLists } from './evaluate-candidate-path.js';
import {
  transportList,
  type Crossed,
  type EvaluationInput,
  type LinkBandwidth,
  type PolicyEvaluation,
  type PolicyToEvaluate,
  type Standby,
  type TransportList,
} from './evaluate-policies-model.js';
import { withReadLists } from './explicit-lists.js';
import { shortestPathFallback } from './fallback-lists.js';
import { objectiveOf, rankCandidatePaths } from './rank-candidate-paths.js';

/**
 * Decides for each policy which lists it uses. Four passes over the batch, each in the order of (bandwidth wanted,
 * largest first; policy id), so that the answer depends on what is asked and not on the order of asking:
 *
 *   1. keep      who has lists that still hold keeps them and their bandwidth: incumbents go before everybody else
 *   2. settle    who has none takes the best candidate path that fits into what is left, or falls back
 *   3. improve   who kept, and may be re-optimised, moves when something is worth it; who would have to book more in
 *                order to stay does so before 2
 *   4. conclude  with all of that booked: what other candidate paths are worth, and which of them is the standby
 *
 * A policy that moves holds its old bandwidth besides the new until its headend has acked (largerOf), so nothing here
 * ever books a link beyond what it can reserve, not even for a moment. Evaluating the outcome again changes nothing.
 */
export function evaluatePolicies(input: EvaluationInput): readonly PolicyEvaluation[] {
  const ledger = new BandwidthLedger(input.snapshot, input.booked);
  const evaluator = new CandidateEvaluator(input.snapshot, ledger, input.heldLinks);
  const evaluations = new BatchEvaluation(input, ledger, evaluator).run();
  return evaluations.sort((a, b) => (a.policyId < b.policyId ? -1 : 1));
}

/** One policy on its way through the passes. */
interface Job {
  readonly policy: PolicyToEvaluate;
  /** Best first. */
  readonly ranked: readonly CandidatePathIntent[];
  readonly outcomes: Map<number, CandidateOutcome>;
  /** The lists it has, when they hold; set by the first pass. */
  kept: Choice | undefined;
  /** Why it cannot keep them. */
  leaving: string | undefined;
}

/** What a policy is to use. */
interface Choice {
  readonly status: PolicyEvaluation['status'];
  readonly candidate: CandidatePathIntent | undefined;
  readonly lists: ValidLists | undefined;
  readonly compliance: PolicyEvaluation['compliance'];
  readonly cause: string;
  readonly blocked?: true;
  readonly pinned?: true;
}

class BatchEvaluation {
  readonly #input: EvaluationInput;
  readonly #ledger: BandwidthLedger;
  readonly #evaluator: CandidateEvaluator;
  readonly #jobs: readonly Job[];

  constructor(input: EvaluationInput, ledger: BandwidthLedger, evaluator: CandidateEvaluator) {
    this.#input = input;
    this.#ledger = ledger;
    this.#evaluator = evaluator;
    this.#jobs = input.policies
      .map((policy) => ({
        policy,
        ranked: rankCandidatePaths(policy.candidatePaths, policy.incumbent?.activeCandidate ?? null).map((candidate) =>
          withReadLists(input.snapshot, candidate),
        ),
        outcomes: new Map<number, CandidateOutcome>(),
        kept: undefined,
        leaving: undefined,
      }))
      .sort((a, b) => demandOf(b) - demandOf(a) || (a.policy.policyId < b.policy.policyId ? -1 : 1));
  }

  run(): PolicyEvaluation[] {
    for (const { policy } of this.#jobs) this.#ledger.release(policy.bookings);
    this.#keep();
    const choices = new Map<Job, Choice>();
    const decide = (job: Job) => choices.set(job, this.#decide(job, held(job, job.kept)));
    const kept = this.#jobs.filter((job) => job.kept !== undefined);
    const grown = new Set(kept.filter((job) => job.kept !== undefined && grows(job, job.kept)));
    // What these only now ask for is not booked yet: who finds something better leaves it to the rest.
    grown.forEach(decide);
    this.#jobs.filter((job) => job.kept === undefined).forEach(decide);
    kept.filter((job) => !grown.has(job)).forEach(decide);
    return [...choices].map(([job, choice]) => {
      const holding = held(job, choice);
      this.#ledger.release(holding);
      const evaluation = this.#conclude(job, choice);
      this.#ledger.hold(holding);
      return evaluation;
    });
  }

  /**
   * First pass. Who asks for no more than it has is judged by what its lists need, not by what anybody still holds from
   * before: on a link that shrank, those who have left it already must not drive out those who stayed. Afterwards
   * everybody's bookings are held, those that are left included.
   */
  #keep(): void {
    const candidates = this.#jobs.map((job) => ({ job, choice: this.#incumbent(job) }));
    const asksMore = candidates.filter(({ job, choice }) => choice !== undefined && grows(job, choice));
    for (const { job, choice } of candidates) {
      if (choice === undefined || grows(job, choice)) continue;
      if (this.#admit(job, choice)) this.#ledger.hold(choice.lists?.bookings ?? []);
    }
    for (const { job } of candidates) {
      this.#ledger.release(job.kept?.lists?.bookings ?? []);
      this.#ledger.hold(held(job, job.kept));
    }
    for (const { job, choice } of asksMore) {
      this.#ledger.release(job.policy.bookings);
      this.#admit(job, choice);
      this.#ledger.hold(held(job, job.kept));
    }
  }

  /** Keeps the lists that a policy has when there is room for them. */
  #admit(job: Job, choice: Choice | undefined): boolean {
    const admitted = choice?.lists && (choice.pinned === true ? choice.lists : this.#evaluator.admit(choice.lists));
    if (admitted?.valid === true) job.kept = choice;
    else job.leaving = admitted?.message ?? job.leaving;
    return admitted?.valid === true;
  }

  /** The lists a policy has, when they hold apart from bandwidth; undefined (and why in `leaving`) when they do not. */
  #incumbent(job: Job): Choice | undefined {
    const { policy } = job;
    const { incumbent, pinned } = policy;
    if (incumbent === null) return undefined;
    if (pinned !== null) {
      const outcome = this.#evaluator.deliver(policy, pinned.lists, this.#pinnedBandwidth(job));
      if (outcome.valid && !sameLists(pinned.lists, incumbent.lists)) return undefined;
      if (outcome.valid) return this.#pinnedChoice(job, outcome, 'keeps the lists it is pinned to');
    }
    const candidate = job.ranked.find(({ discriminator }) => discriminator === incumbent.activeCandidate);
    if (incumbent.status !== 'up' || candidate === undefined) return undefined;
    const outcome =
      candidate.path.kind === 'explicit'
        ? this.#evaluator.evaluate(policy, candidate, false)
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
  #settle(job: Job): Choice {
    const cause = (found: string): string => (job.leaving === undefined ? found : `${job.leaving}; ${found}`);
    const pinned = this.#settlePinned(job);
    if (pinned !== undefined) return pinned;
    const stable = this.#firstValid(job, true);
    if (stable !== undefined) return chosen(...stable, cause(describe(stable[0])));
    const blocked = this.#stayOnDrained(job);
    if (blocked !== undefined) return blocked;
    const unstable = this.#evaluator.hasHeldLinks ? this.#firstValid(job, false) : undefined;
    if (unstable !== undefined) return chosen(...unstable, cause(describe(unstable[0])));
    return this.#fallBack(job, cause);
  }

  #settlePinned(job: Job): Choice | undefined {
    const { policy } = job;
    if (policy.pinned === null) return undefined;
    const outcome = this.#evaluator.deliver(policy, policy.pinned.lists, this.#pinnedBandwidth(job));
    const admitted = this.#evaluator.admit(outcome);
    if (admitted.valid) return this.#pinnedChoice(job, admitted, 'returns to the lists it is pinned to');
    // What it uses in their place is not left without need either.
    const { incumbent } = policy;
    const candidate = job.ranked.find(({ discriminator }) => discriminator === incumbent?.activeCandidate);
    if (incumbent?.status !== 'up' || candidate?.path.kind !== 'dynamic') return undefined;
    const instead = this.#evaluator.admit(this.#evaluator.hold(policy, candidate, incumbent.lists, true));
    return instead.valid ? chosen(candidate, instead, 'unchanged') : undefined;
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
    const held = this.#evaluator.admit(this.#evaluator.hold(policy, candidate, standby.lists, true));
    const [before, after] = [objectiveOf(candidate, held.valid ? held : undefined), objectiveOf(candidate, found)];
    return held.valid && before !== null && after !== null && before.value <= after.value ? held : found;
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
    const outcome = this.#evaluator.admit(this.#evaluator.hold(policy, candidate, incumbent.lists, 'down-only'));
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
    const shortest = shortestPathFallback(this.#input.snapshot, this.#evaluator, policy);
    if (!shortest.valid) return { ...nothing, status: 'down', compliance: null, cause: cause(why) };
    return {
      status: 'fallback',
      candidate: undefined,
      lists: shortest,
      compliance: 'constraints-not-met',
      cause: cause(`${why}; takes the shortest path`),
    };
  }

  /** Third pass: a better candidate path, or a better path for the same one. Over nothing that is on hold. */
  #improve(job: Job, kept: Choice): Choice {
    const { policy, ranked } = job;
    if (kept.pinned === true || !(policy.reoptimise || hasWorsened(policy, kept))) return kept;
    for (const candidate of ranked) {
      const isActive = candidate.discriminator === kept.candidate?.discriminator;
      if (isActive && candidate.path.kind === 'explicit') return kept;
      const outcome = this.#evaluator.evaluate(policy, candidate, true);
      job.outcomes.set(candidate.discriminator, outcome);
      if (!isActive) {
        if (outcome.valid) return chosen(candidate, outcome, describe(candidate));
        continue;
      }
      const before = objectiveOf(candidate, kept.lists);
      const after = outcome.valid ? objectiveOf(candidate, outcome) : null;
      if (!outcome.valid || before === null || after === null) return kept;
      if (after.value >= before.value) return kept;
      return chosen(candidate, outcome, `a better path: ${after.metric} ${after.value} instead of ${before.value}`);
    }
    return kept;
  }

  /** Second or third pass, with what the policy holds left out of the account. Books what is decided. */
  #decide(job: Job, holding: readonly LinkBandwidth[]): Choice {
    this.#ledger.release(holding);
    const choice = job.kept === undefined ? this.#settle(job) : this.#improve(job, job.kept);
    this.#ledger.hold(held(job, choice));
    return choice;
  }

  #conclude(job: Job, choice: Choice): PolicyEvaluation {
    const { policy } = job;
    const lists = choice.lists?.lists ?? [];
    const active = choice.candidate?.discriminator ?? null;
    const before = policy.incumbent;
    const same =
      before !== null &&
      before.status === choice.status &&
      before.activeCandidate === active &&
      sameLists(lists.map(transportList), before.lists);
    const standby = this.#standby(job, choice, same);
    const activeRank = job.ranked.findIndex(({ discriminator }) => discriminator === active);
    const states = job.ranked.map((candidate, rank) => this.#stateOf(job, choice, candidate, rank > activeRank));
    const better = activeRank < 0 ? states : states.slice(0, activeRank);
    const pinMissed = policy.pinned !== null && choice.pinned !== true;
    const wanting = choice.status === 'up' ? wantedBefore(standby, states) : [];
    const isSplit = choice.candidate?.path.kind === 'dynamic' && lists.length > 1;
    return {
      policyId: policy.policyId,
      status: choice.status,
      activeCandidate: active,
      compliance: choice.compliance,
      candidatePaths: states,
      lists,
      standby: this.#standbyState(standby),
      bookings: choice.lists?.bookings ?? [],
      decision: !same ? 'changed' : choice.blocked === true ? 'blocked' : 'kept',
      cause: choice.cause,
      objective: choice.pinned === true ? null : objectiveOf(choice.candidate, choice.lists),
      unsettled:
        pinMissed ||
        choice.blocked === true ||
        (choice.pinned !== true && (choice.status !== 'up' || activeRank > 0)) ||
        standby?.blocked === true ||
        isSplit ||
        wanting.length > 0,
      starved:
        pinMissed || isSplit || [...better, ...wanting].some((state) => state.reason === 'insufficient-bandwidth'),
      expanded: choice.lists?.expanded ?? [],
      crossed: this.#crossed(lists),
    };
  }

  #standby(job: Job, { status, candidate, lists }: Choice, same: boolean): ChosenStandby | null {
    if (job.ranked.length < 2 || status !== 'up' || candidate === undefined || lists === undefined) return null;
    return chooseStandby(this.#evaluator, {
      policy: job.policy,
      ranked: job.ranked,
      active: { candidate, lists },
      activeIsKept: same,
      outcomes: job.outcomes,
    });
  }

  #standbyState(chosen: ChosenStandby | null): Standby | null {
    if (chosen === null) return null;
    const { candidate, lists } = chosen;
    return {
      candidate: candidate.discriminator,
      metric: candidate.path.kind === 'dynamic' ? candidate.path.metric : null,
      lists: lists.lists,
      expanded: lists.expanded,
      crossed: this.#crossed(lists.lists),
    };
  }

  #crossed(lists: readonly PolicyList[]): Crossed {
    const { snapshot } = this.#input;
    const links = [...new Set(lists.flatMap(({ load }) => load.map(({ linkId }) => linkId)))].sort();
    const ends = links.flatMap((linkId) => {
      const arc = snapshot.arcOf(linkId);
      return [snapshot.data.arcFrom[arc] as number, snapshot.data.arcTo[arc] as number];
    });
    return { links, nodes: [...new Set(ends)].sort((a, b) => a - b).map((node) => snapshot.nodeIdOf(node)) };
  }

  #stateOf(job: Job, choice: Choice, candidate: CandidatePathIntent, worse: boolean): CandidatePathState {
    const { discriminator, preference } = candidate;
    if (discriminator === choice.candidate?.discriminator) {
      const message = choice.blocked === true ? choice.cause : (choice.lists?.message ?? null);
      return { discriminator, preference, valid: true, active: true, reason: null, message };
    }
    let outcome = job.outcomes.get(discriminator);
    if (outcome === undefined && (worse || choice.pinned === true) && !job.policy.reoptimise) {
      const known = job.policy.incumbent?.candidatePaths.find((state) => state.discriminator === discriminator);
      if (known?.preference === preference) return { ...known, active: false };
    }
    outcome ??= this.#evaluator.evaluate(job.policy, candidate, false);
    return outcome.valid
      ? { discriminator, preference, valid: true, active: false, reason: null, message: outcome.message }
      : { discriminator, preference, valid: false, active: false, reason: outcome.reason, message: outcome.message };
  }

  #pinnedCandidate(job: Job): CandidatePathIntent | undefined {
    return job.ranked.find(({ discriminator }) => discriminator === job.policy.pinned?.activeCandidate);
  }

  #pinnedBandwidth(job: Job): number | undefined {
    return this.#pinnedCandidate(job)?.path.constraints?.bandwidthBps;
  }

  #pinnedChoice(job: Job, lists: ValidLists, cause: string): Choice {
    const candidate = this.#pinnedCandidate(job);
    const pinned = { candidate, lists, cause, pinned: true } as const;
    if (candidate === undefined) return { ...pinned, status: 'fallback', compliance: 'constraints-not-met' };
    const obeys = this.#evaluator.hold(job.policy, candidate, lists.lists.map(transportList), true).valid;
    return { ...pinned, status: 'up', compliance: obeys ? complianceOf(candidate) : 'constraints-not-met' };
  }
}

function chosen(candidate: CandidatePathIntent, lists: ValidLists, cause: string): Choice {
  return { status: 'up', candidate, lists, compliance: complianceOf(candidate), cause };
}

function complianceOf({ path }: CandidatePathIntent): 'constraints-met' | 'unconstrained' {
  return path.kind === 'explicit' && path.constraints === undefined ? 'unconstrained' : 'constraints-met';
}

function describe(candidate: CandidatePathIntent): string {
  const name = candidate.name === undefined ? '' : ` "${candidate.name}"`;
  return `candidate path ${candidate.discriminator}${name} of preference ${candidate.preference} is valid`;
}

/** Candidate paths that would have been the standby before this one, and are not valid. */
function wantedBefore(standby: ChosenStandby | null, states: readonly CandidatePathState[]): CandidatePathState[] {
  const end = states.findIndex(({ discriminator }) => discriminator === standby?.candidate.discriminator);
  return (end < 0 ? states : states.slice(0, end)).filter(({ valid }) => !valid);
}

function demandOf({ ranked }: Job): number {
  return Math.max(0, ...ranked.map(({ path }) => path.constraints?.bandwidthBps ?? 0));
}

function hasWorsened({ incumbent }: PolicyToEvaluate, { candidate, lists }: Choice): boolean {
  const value = objectiveOf(candidate, lists)?.value;
  return value !== undefined && (incumbent?.value == null || value > incumbent.value);
}

/** Does keeping its lists mean booking more than the policy has? */
function grows({ policy }: Job, { lists }: Choice): boolean {
  const own = new Map(policy.bookings.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
  return (lists?.bookings ?? []).some(({ linkId, bandwidthBps }) => bandwidthBps > (own.get(linkId) ?? 0));
}

/** What the policy books until its headend has acked. */
function held({ policy }: Job, choice: Choice | undefined): readonly LinkBandwidth[] {
  const wanted = choice?.lists?.bookings ?? [];
  return wanted.length === 0 ? policy.bookings : largerOf(policy.bookings, wanted);
}

function sameLists(a: readonly TransportList[], b: readonly TransportList[]): boolean {
  return a.length === b.length && a.every((list, index) => listKey(list) === listKey(b[index] as TransportList));
}

function listKey({ weight, sids }: TransportList): string {
  return `${weight} ${sids.join()}`;
}
