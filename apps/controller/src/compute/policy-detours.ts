import { computeDetours, type FailureKind, type PathRequest, type Snapshot } from '@waymark/topology';
import type { CandidatePathIntent, ListDetours } from '../model/sr-policy.js';
import { BandwidthLedger } from './bandwidth-ledger.js';
import { CandidateEvaluator } from './evaluate-candidate-path.js';
import type { Booking, PolicyToEvaluate } from './evaluate-policies-model.js';
import { requestOf } from './optional-constraints.js';

export interface PolicyDetoursInput {
  readonly policy: PolicyToEvaluate;
  /** Per link and hold priority by all policies, this one included. */
  readonly booked: readonly Booking[];
  readonly failures: readonly FailureKind[];
}

/**
 * What routers with TI-LFA are expected to do for the lists that a policy uses, each by itself, held against the constraints of
 * its active candidate path; of several weighted lists each carries its part of the bandwidth.
 */
export function policyDetours(snapshot: Snapshot, { policy, booked, failures }: PolicyDetoursInput): ListDetours[] {
  const { incumbent } = policy;
  const ledger = new BandwidthLedger(snapshot, booked);
  const evaluator = new CandidateEvaluator(snapshot, ledger, []);
  const active = policy.candidatePaths.find(({ discriminator }) => discriminator === incumbent?.activeCandidate);
  const lists = incumbent?.lists ?? [];
  const weights = lists.reduce((sum, { weight }) => sum + weight, 0);
  const request = askedOf(policy, active);
  ledger.release(policy.bookings);
  const room = ledger.roomFor(policy);
  return lists.map((list): ListDetours => {
    const told = { weight: list.weight, sids: list.sids };
    const delivered = evaluator.deliver(policy, [list], undefined);
    if (!delivered.valid) return { ...told, detours: null, message: delivered.message };
    const finished = delivered.lists[0]?.segmentLists[0];
    if (finished === undefined) return { ...told, detours: [], message: null };
    const carried = { list: finished, share: list.weight / weights };
    return { ...told, detours: computeDetours(snapshot, request, carried, failures, room), message: null };
  });
}

function askedOf(policy: PolicyToEvaluate, active: CandidatePathIntent | undefined): PathRequest {
  if (active?.path.kind === 'dynamic') return requestOf(policy, active.path);
  const { headend, endpoint } = policy;
  return { source: headend, destination: endpoint, metric: 'igp', constraints: active?.path.constraints ?? {} };
}
