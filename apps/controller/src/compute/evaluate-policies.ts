import { BandwidthLedger } from './bandwidth-ledger.js';
import { ListChooser } from './choose-lists.js';
import { Conclusion } from './conclude-evaluation.js';
import { CandidateEvaluator, type CandidateOutcome } from './evaluate-candidate-path.js';
import type { EvaluationInput, LinkBandwidth, PolicyEvaluation } from './evaluate-policies-model.js';
import { grows, held, type Choice, type Job } from './evaluation-job.js';
import { withReadLists } from './explicit-lists.js';
import { rankCandidatePaths } from './rank-candidate-paths.js';

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

class BatchEvaluation {
  readonly #ledger: BandwidthLedger;
  readonly #evaluator: CandidateEvaluator;
  readonly #chooser: ListChooser;
  readonly #conclusion: Conclusion;
  readonly #jobs: readonly Job[];

  constructor(input: EvaluationInput, ledger: BandwidthLedger, evaluator: CandidateEvaluator) {
    this.#ledger = ledger;
    this.#evaluator = evaluator;
    this.#chooser = new ListChooser(input.snapshot, evaluator);
    this.#conclusion = new Conclusion(input.snapshot, evaluator);
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
      const evaluation = this.#conclusion.evaluationOf(job, choice);
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
    const candidates = this.#jobs.map((job) => ({ job, choice: this.#chooser.incumbent(job) }));
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

  /** Second or third pass, with what the policy holds left out of the account. Books what is decided. */
  #decide(job: Job, holding: readonly LinkBandwidth[]): Choice {
    this.#ledger.release(holding);
    const choice = job.kept === undefined ? this.#chooser.settle(job) : this.#chooser.improve(job, job.kept);
    this.#ledger.hold(held(job, choice));
    return choice;
  }
}

function demandOf({ ranked }: Job): number {
  return Math.max(0, ...ranked.map(({ path }) => path.constraints?.bandwidthBps ?? 0));
}
