import { freezeSnapshot, type LinkId, type Ted } from '@waymark/topology';
import { evaluatePolicies } from '../compute/evaluate-policies.js';
import {
  incumbentAfter,
  type EvaluationTask,
  type PolicyEvaluation,
  type PolicyToEvaluate,
} from '../compute/evaluate-policies-model.js';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { inUse } from './sketched-network.js';

/** With nothing booked and no link on hold, unless the task says so. */
export function evaluate(
  ted: Ted,
  policies: readonly PolicyToEvaluate[],
  task: Partial<EvaluationTask> = {},
): readonly PolicyEvaluation[] {
  return evaluatePolicies({ snapshot: freezeSnapshot(ted), policies, booked: [], heldLinks: [], ...task });
}

export function evaluateOne(ted: Ted, policy: PolicyToEvaluate, task: Partial<EvaluationTask> = {}): PolicyEvaluation {
  const [evaluation] = evaluate(ted, [policy], task);
  if (evaluation === undefined) throw new Error('no evaluation');
  return evaluation;
}

/** The policy as it is once an evaluation has been adopted and acked. */
export function adopted(policy: PolicyToEvaluate, evaluation: PolicyEvaluation): PolicyToEvaluate {
  return {
    ...policy,
    bookings: inUse(evaluation.bookings, policy.holdPriority),
    incumbent: incumbentAfter(evaluation),
  };
}

/** Of the first list. */
export function linksOf({ lists }: PolicyEvaluation): readonly LinkId[] | undefined {
  return lists[0]?.links;
}

export function explicit(
  sids: readonly string[],
  more: Partial<CandidatePathIntent> & { constraints?: CandidatePathIntent['path']['constraints'] } = {},
): CandidatePathIntent {
  const { constraints, ...rest } = more;
  const path = { kind: 'explicit' as const, segmentLists: [{ weight: 1, sids }] };
  return {
    discriminator: 200,
    preference: 200,
    path: constraints === undefined ? path : { ...path, constraints },
    ...rest,
  };
}
