import type { Snapshot } from '@waymark/topology';
import type { AtOnce } from '../model/failure-sweep.js';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { BandwidthLedger } from './bandwidth-ledger.js';
import { asStandby } from './disjoint-standby.js';
import type { CandidateOutcome } from './candidate-outcome.js';
import { CandidateEvaluator } from './evaluate-candidate-path.js';
import type { Booking, PolicyToEvaluate } from './evaluate-policies-model.js';
import type { SweptPolicy } from './swept-policy.js';
import type { ListProver } from './prove-transport-list.js';

export interface OutcomeAtOnce {
  readonly atOnce: AtOnce;
  /** What is broken of the active lists; null where nothing is. */
  readonly reason: string | null;
  readonly message: string;
}

/**
 * What the lists that headends have do on a failed topology, before the controller reacts: routers have converged, a
 * headend has taken lists that do not deliver out of use, and uses the standby where none is left. Whose traffic shifts
 * asks for its bandwidth beside those who stay where they are, the higher hold priority first.
 */
export class FailureAtOnce {
  readonly #ledger: BandwidthLedger;
  readonly #evaluator: CandidateEvaluator;

  /** `affected`: all whose lists may have shifted or failed. */
  constructor(failed: Snapshot, booked: readonly Booking[], affected: readonly SweptPolicy[], prover: ListProver) {
    this.#ledger = new BandwidthLedger(failed, booked);
    for (const { policy } of affected) this.#ledger.release(policy.bookings);
    this.#evaluator = new CandidateEvaluator(failed, this.#ledger, [], prover);
  }

  /** Of those that have a guarantee. */
  outcomes(affected: readonly SweptPolicy[]): Map<string, OutcomeAtOnce> {
    const outcomes = new Map<string, OutcomeAtOnce>();
    for (const { policy, guarantee } of [...affected].sort(byPriority)) {
      if (guarantee !== undefined) outcomes.set(policy.policyId, this.#outcome(policy, guarantee));
    }
    return outcomes;
  }

  #outcome(policy: PolicyToEvaluate, guarantee: CandidatePathIntent): OutcomeAtOnce {
    const { lists = [], standby = null } = policy.incumbent ?? {};
    const whole = this.#evaluator.hold(policy, guarantee, lists, 'down-only');
    const delivering = whole.valid
      ? lists
      : lists.filter((list) => this.#evaluator.deliver(policy, [list], undefined).valid);
    if (delivering.length > 0) {
      const isWhole = delivering.length === lists.length;
      const kept = this.#admit(
        policy,
        isWhole ? whole : this.#evaluator.hold(policy, guarantee, delivering, 'down-only'),
      );
      if (kept.valid) return { atOnce: 'kept', reason: null, message: '' };
      return { atOnce: 'lost', reason: kept.reason, message: kept.message };
    }
    const why = whole.valid ? { reason: null, message: '' } : { reason: whole.reason, message: whole.message };
    const written = policy.candidatePaths.find(({ discriminator }) => discriminator === standby?.candidate);
    if (standby === null || written === undefined) return { atOnce: 'lost', ...why };
    const { path } = written;
    const isOwn = written.discriminator === guarantee.discriminator && path.kind === 'dynamic';
    const candidate = isOwn ? asStandby(policy, { ...written, path }, keptNow(policy, written)) : written;
    const taken = this.#admit(policy, this.#evaluator.hold(policy, candidate, standby.lists, 'down-only'));
    if (taken.valid) return { atOnce: 'standby', ...why };
    return { atOnce: 'lost', reason: why.reason, message: `${why.message}; standby: ${taken.message}` };
  }

  /** The traffic is there, whether it was admitted or not. */
  #admit(policy: PolicyToEvaluate, outcome: CandidateOutcome): CandidateOutcome {
    const admitted = this.#evaluator.admit(policy, outcome);
    if (outcome.valid) {
      const { holdPriority } = policy;
      this.#ledger.hold(outcome.bookings.map((need) => ({ ...need, currentBps: need.bandwidthBps, holdPriority })));
    }
    return admitted;
  }
}

/** What its active lists make of its optional constraints. */
function keptNow({ incumbent }: PolicyToEvaluate, { discriminator }: CandidatePathIntent) {
  return incumbent?.candidatePaths.find((state) => state.discriminator === discriminator)?.optional ?? [];
}

function byPriority({ policy: a }: SweptPolicy, { policy: b }: SweptPolicy): number {
  return a.holdPriority - b.holdPriority || (a.policyId < b.policyId ? -1 : 1);
}
