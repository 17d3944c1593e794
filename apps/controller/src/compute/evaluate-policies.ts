import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import { BandwidthLedger } from './bandwidth-ledger.js';
import { ListChooser } from './choose-lists.js';
import { Conclusion } from './conclude-evaluation.js';
import type { CandidateOutcome } from './candidate-outcome.js';
import { CandidateEvaluator } from './evaluate-candidate-path.js';
import type { EvaluationInput, PolicyEvaluation } from './evaluate-policies-model.js';
import { grows, held, type Choice, type Job } from './evaluation-job.js';
import { withReadLists } from './explicit-lists.js';
import { withoutOptionalBandwidth } from './optional-constraints.js';
import type { ListProver } from './prove-transport-list.js';
import { rankCandidatePaths } from './rank-candidate-paths.js';
import { TakenBandwidth } from './taken-bandwidth.js';

/**
 * Decides for each policy which lists it uses. Priority by priority, from 0, the highest, to 7, three passes over the
 * batch, each in the order of (bandwidth wanted, largest first; policy id), so that the answer depends on what is asked
 * and not on the order of asking; and a last one over all:
 *
 *   1. keep      who holds at this priority and has lists that still hold keeps them and their bandwidth: incumbents go
 *                before everybody else of the same priority
 *   2. settle    who sets up at this priority and has none takes the best candidate path that fits into what this
 *                priority and higher ones leave, or falls back
 *   3. improve   who sets up at this priority, has kept and may be re-optimised, moves when something is worth it; who
 *                would have to book more in order to stay does so before 2
 *   4. conclude  with all of that booked: what other candidate paths are worth, and which of them is the standby
 *
 * What is held at lower priorities does not count (RFC 3209 section 4.7.3): they keep what is left for them, those of the
 * most bandwidth first, and the others settle for something else in the same evaluation. Policies outside the batch that
 * may have to make room are asked for by `preempts`; the caller adds them and evaluates anew.
 *
 * A policy that moves holds its old bandwidth besides the new until its headend has acked (whileMoving), so nothing here
 * books a link beyond what it can reserve, not even for a moment, except for what a preempted policy still holds: that is
 * soft preemption (RFC 5712). Evaluating the outcome again changes nothing.
 */
export function evaluatePolicies(input: EvaluationInput, prover?: ListProver): readonly PolicyEvaluation[] {
  const evaluations = new BatchEvaluation(input, prover).run();
  return evaluations.sort((a, b) => (a.policyId < b.policyId ? -1 : 1));
}

class BatchEvaluation {
  readonly #ledger: BandwidthLedger;
  readonly #evaluator: CandidateEvaluator;
  readonly #chooser: ListChooser;
  readonly #conclusion: Conclusion;
  readonly #taken: TakenBandwidth;
  readonly #jobs: readonly Job[];
  readonly #choices = new Map<Job, Choice>();

  constructor(input: EvaluationInput, prover: ListProver | undefined) {
    const { snapshot, booked, heldLinks } = input;
    this.#ledger = new BandwidthLedger(snapshot, booked);
    this.#evaluator = new CandidateEvaluator(snapshot, this.#ledger, heldLinks, prover);
    this.#chooser = new ListChooser(snapshot, this.#evaluator);
    this.#conclusion = new Conclusion(snapshot, this.#evaluator);
    this.#taken = new TakenBandwidth(this.#ledger, booked);
    this.#jobs = input.policies
      .map((policy) => ({
        policy,
        ranked: rankCandidatePaths(policy.candidatePaths, policy.incumbent?.activeCandidate ?? null).map((candidate) =>
          withReadLists(snapshot, candidate),
        ),
        outcomes: new Map<number, CandidateOutcome>(),
        kept: undefined,
        growing: undefined,
        leaving: undefined,
        takenOn: null,
        displaced: false,
        holding: policy.bookings,
      }))
      .sort((a, b) => demandOf(b) - demandOf(a) || (a.policy.policyId < b.policy.policyId ? -1 : 1));
  }

  run(): PolicyEvaluation[] {
    for (const { holding } of this.#jobs) this.#ledger.release(holding);
    for (let priority = 0; priority <= LOWEST_PRIORITY; priority++) {
      this.#keep(this.#jobs.filter(({ policy }) => policy.holdPriority === priority));
      this.#decideAll(this.#jobs.filter(({ policy }) => policy.setupPriority === priority));
    }
    return [...this.#choices].map(([job, choice]) => {
      this.#ledger.release(job.holding);
      const preempts = this.#taken.preemptionsOf(job.policy, choice.lists?.bookings ?? []);
      const takenOn = job.takenOn !== null && this.#taken.exceeds(job.takenOn) ? job.takenOn : null;
      const evaluation = this.#conclusion.evaluationOf(job, choice, { preempts, takenOn });
      this.#ledger.hold(job.holding);
      return evaluation;
    });
  }

  /**
   * First pass. Who asks for more than it has waits: it must not grow at the expense of others that only want to stay.
   * Afterwards everybody's bookings are held, those that are left included.
   */
  #keep(holders: readonly Job[]): void {
    const leaving: Job[] = [];
    for (const job of holders) {
      const choice = this.#chooser.incumbent(job);
      if (choice !== undefined && grows(job, choice)) job.growing = choice;
      else if (choice !== undefined && this.#admit(job, choice, job.policy.holdPriority)) this.#hold(job, job.kept);
      else leaving.push(job);
    }
    for (const job of leaving) this.#hold(job, undefined);
    for (const { growing, holding } of holders) {
      if (growing !== undefined) this.#ledger.hold(holding);
    }
  }

  /** Second and third pass. */
  #decideAll(jobs: readonly Job[]): void {
    const growing = jobs.filter((job) => job.growing !== undefined);
    for (const job of growing) {
      this.#ledger.release(job.holding);
      this.#admit(job, job.growing as Choice, job.policy.setupPriority);
      this.#hold(job, job.kept);
    }
    // What these only now ask for is not booked yet: who finds something better leaves it to the rest.
    for (const job of growing) if (job.kept !== undefined) this.#decide(job);
    for (const job of jobs) if (job.kept === undefined) this.#decide(job);
    for (const job of jobs) if (job.kept !== undefined && job.growing === undefined) this.#decide(job);
  }

  /** Keeps the lists that a policy has when there is room for them; pinned ones unless a higher priority took it. */
  #admit(job: Job, choice: Choice, decided: number): boolean {
    const { policy } = job;
    const { lists } = choice;
    if (lists === undefined) return false;
    const insists = choice.pinned === true && withoutOptionalBandwidth(lists) === undefined;
    const taken = insists ? this.#ledger.firstTaken(lists.bookings, policy) : undefined;
    const admitted = insists && taken === undefined ? lists : this.#evaluator.admit(policy, lists, decided);
    const { lackingOn } = admitted;
    const by = lackingOn === undefined ? undefined : this.#taken.firstTakerFrom(policy.holdPriority, lackingOn);
    if (lackingOn !== undefined && by !== undefined) {
      job.leaving = tookFrom(by, lackingOn);
      job.takenOn = lackingOn;
    }
    if (admitted.valid) {
      job.kept = { ...choice, lists: admitted };
      return true;
    }
    job.displaced = true;
    if (by === undefined) job.leaving = admitted.message;
    return false;
  }

  /** Books what is decided; what the policy holds is left out of the account until then. */
  #decide(job: Job): void {
    this.#ledger.release(job.holding);
    const choice = job.kept === undefined ? this.#chooser.settle(job) : this.#chooser.improve(job, job.kept);
    this.#choices.set(job, choice);
    this.#taken.note(job.policy, choice.lists?.bookings ?? []);
    this.#hold(job, choice);
  }

  #hold(job: Job, choice: Choice | undefined): void {
    job.holding = held(job, choice);
    this.#ledger.hold(job.holding);
  }
}

type Takers = NonNullable<ReturnType<TakenBandwidth['firstTakerFrom']>>;

function tookFrom({ taker, others }: Takers, linkId: string): string {
  const { policyId, setupPriority } = taker;
  const more = others === 0 ? '' : ` (as did ${others} more)`;
  return `policy ${policyId} of setup priority ${setupPriority} took bandwidth of link ${linkId}${more}`;
}

function demandOf({ ranked }: Job): number {
  return Math.max(0, ...ranked.map(({ path }) => path.constraints?.bandwidthBps ?? 0));
}
