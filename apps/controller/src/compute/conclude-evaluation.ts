import type { Snapshot } from '@waymark/topology';
import type { CandidatePathIntent, CandidatePathState, PolicyList } from '../model/sr-policy.js';
import { BandwidthLedger } from './bandwidth-ledger.js';
import { chooseStandby, type ChosenStandby } from './choose-standby.js';
import { chooseDisjointStandby, type ChosenDisjointStandby, type DisjointStandbyQuestion } from './disjoint-standby.js';
import { CandidateEvaluator } from './evaluate-candidate-path.js';
import {
  transportList,
  type Crossed,
  type PolicyEvaluation,
  type PolicyToEvaluate,
  type Standby,
} from './evaluate-policies-model.js';
import { wantsBandwidth, type Choice, type Job } from './evaluation-job.js';
import { isBetter, missesOptional } from './optional-constraints.js';
import { objectiveOf } from './rank-candidate-paths.js';
import { sameLists } from './transport-lists.js';

/** What there is to say of a policy once it is decided what it uses, and what everybody else does. */
export class Conclusion {
  readonly #snapshot: Snapshot;
  readonly #evaluator: CandidateEvaluator;
  /** As if nobody had booked anything. */
  #alone: CandidateEvaluator | undefined;

  constructor(snapshot: Snapshot, evaluator: CandidateEvaluator) {
    this.#snapshot = snapshot;
    this.#evaluator = evaluator;
  }

  evaluationOf(job: Job, choice: Choice, room: Pick<PolicyEvaluation, 'preempts' | 'takenOn'>): PolicyEvaluation {
    const { policy } = job;
    const lists = choice.lists?.lists ?? [];
    const active = choice.candidate?.discriminator ?? null;
    const before = policy.incumbent;
    const same =
      before !== null &&
      before.status === choice.status &&
      before.activeCandidate === active &&
      sameLists(lists.map(transportList), before.lists);
    const disjoint = this.#disjointStandby(job, choice, same);
    const standby = disjoint?.chosen ?? this.#standby(job, choice, same);
    const activeRank = job.ranked.findIndex(({ discriminator }) => discriminator === active);
    const states = job.ranked.map((candidate, rank) => this.#stateOf(job, choice, candidate, rank > activeRank));
    const better = activeRank < 0 ? states : states.slice(0, activeRank);
    const pinMissed = policy.pinned !== null && choice.pinned !== true;
    const misses = choice.pinned !== true && missesOptional(choice.lists?.optional);
    const lacksBandwidth = misses && choice.candidate !== undefined && wantsBandwidth(choice.candidate);
    const isSplit = choice.pinned !== true && choice.candidate?.path.kind === 'dynamic' && lists.length > 1;
    const wanting = choice.status === 'up' ? wantedBefore(standby, states) : [];
    return {
      policyId: policy.policyId,
      status: choice.status,
      activeCandidate: active,
      compliance: choice.compliance,
      candidatePaths: states,
      lists,
      standby: this.#standbyState(standby),
      disjointStandby: disjoint?.state ?? null,
      bookings: choice.lists?.bookings ?? [],
      decision: !same ? 'changed' : choice.blocked === true ? 'blocked' : 'kept',
      cause: choice.cause,
      objective: choice.pinned === true ? null : objectiveOf(choice.candidate, choice.lists),
      unsettled:
        pinMissed ||
        choice.blocked === true ||
        (choice.pinned !== true && (choice.status !== 'up' || activeRank > 0)) ||
        standby?.blocked === true ||
        (disjoint !== null && disjoint.weakness > 0) ||
        wanting.length > 0 ||
        isSplit ||
        misses ||
        isConfined(job, choice),
      starved:
        pinMissed ||
        (disjoint !== null && this.#lacksBandwidthFor(disjoint, job, choice)) ||
        [...better, ...wanting].some((state) => state.reason === 'insufficient-bandwidth') ||
        ((job.displaced || before?.starved === true || isSplit || lacksBandwidth) && this.#couldDoBetter(job, choice)),
      ...room,
      expanded: choice.lists?.expanded ?? [],
      crossed: this.#crossed(lists),
    };
  }

  /** Would it use another candidate path, or a better path of the same one, if all of the bandwidth were free? */
  #couldDoBetter({ policy, ranked }: Job, { candidate: active, lists, pinned }: Choice): boolean {
    if (pinned === true) return false;
    const alone = this.#unbooked();
    for (const candidate of ranked) {
      const isActive = candidate.discriminator === active?.discriminator;
      if (isActive && candidate.path.kind === 'explicit') return false;
      const outcome = alone.evaluate(policy, candidate, false);
      if (!isActive && outcome.valid) return true;
      if (!isActive) continue;
      return outcome.valid && lists !== undefined && isBetter(candidate, outcome, lists);
    }
    return false;
  }

  #disjointStandby({ policy }: Job, choice: Choice, same: boolean): ChosenDisjointStandby | null {
    const question = disjointQuestion(policy, choice, same);
    return question && chooseDisjointStandby(this.#evaluator, question);
  }

  /** Would the disjoint standby be a better one if all of the bandwidth were free? */
  #lacksBandwidthFor({ weakness }: ChosenDisjointStandby, { policy }: Job, choice: Choice): boolean {
    const question = disjointQuestion({ ...policy, reoptimise: true }, choice, false);
    const path = question?.active.candidate.path;
    if (question === null || path?.kind !== 'dynamic' || weakness === 0) return false;
    const { bandwidthBps } = path.standby?.constraints ?? path.constraints;
    if (bandwidthBps === undefined) return false;
    const free = chooseDisjointStandby(this.#unbooked(), question);
    return free !== null && free.weakness < weakness;
  }

  #unbooked(): CandidateEvaluator {
    return (this.#alone ??= new CandidateEvaluator(this.#snapshot, new BandwidthLedger(this.#snapshot, []), []));
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
    const snapshot = this.#snapshot;
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
      const optional = choice.lists?.optional ?? [];
      return { discriminator, preference, valid: true, active: true, reason: null, message, optional };
    }
    let outcome = job.outcomes.get(discriminator);
    if (outcome === undefined && (worse || choice.pinned === true) && !job.policy.reoptimise) {
      const known = job.policy.incumbent?.candidatePaths.find((state) => state.discriminator === discriminator);
      if (known?.preference === preference) return { ...known, active: false };
    }
    outcome ??= this.#evaluator.evaluate(job.policy, candidate, false);
    const { message } = outcome;
    return outcome.valid
      ? { discriminator, preference, valid: true, active: false, reason: null, message, optional: outcome.optional }
      : { discriminator, preference, valid: false, active: false, reason: outcome.reason, message, optional: [] };
  }
}

/** null: nothing is active. */
function disjointQuestion(
  policy: PolicyToEvaluate,
  { status, candidate, lists }: Choice,
  activeIsKept: boolean,
): DisjointStandbyQuestion | null {
  if (status !== 'up' || candidate === undefined || lists === undefined) return null;
  return { policy, active: { candidate, lists }, activeIsKept };
}

/**
 * Is there a better path that no list leads over which the headend can push? The IGP, or an algorithm, may take packets there by
 * itself one day, whatever changes. Where it was not searched now, it is as it was.
 */
function isConfined({ policy, outcomes }: Job, { candidate, lists, pinned }: Choice): boolean {
  if (pinned === true || candidate?.path.kind !== 'dynamic') return false;
  const outcome = outcomes.get(candidate.discriminator);
  if (outcome?.valid !== true) return policy.incumbent?.unsettled === true;
  const value = objectiveOf(candidate, lists)?.value;
  return value !== undefined && outcome.least !== undefined && value > outcome.least;
}

/** Candidate paths that would have been the standby before this one, and are not valid. */
function wantedBefore(standby: ChosenStandby | null, states: readonly CandidatePathState[]): CandidatePathState[] {
  const end = states.findIndex(({ discriminator }) => discriminator === standby?.candidate.discriminator);
  return (end < 0 ? states : states.slice(0, end)).filter(({ valid }) => !valid);
}
