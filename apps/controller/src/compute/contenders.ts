import type { LinkId } from '@waymark/topology';
import type { PolicyEvaluation, PolicyToEvaluate, Preemption } from './evaluate-policies-model.js';

/** A policy that has to make room on a link, and for whom. */
export interface Preempted {
  readonly policyId: string;
  readonly linkId: LinkId;
  readonly by: string;
}

/** Evaluations, and the policies as they were before; of some policies there may be no evaluation. */
export interface Evaluated {
  readonly policies: readonly PolicyToEvaluate[];
  readonly evaluations: readonly PolicyEvaluation[];
}

export interface TakenLink extends Preemption {
  /** Of those that preempt there, the first of the highest setup priority: whoever is preempted, it has the right to. */
  readonly by: string;
}

/** Links on which someone preempts. */
export function takenLinks(evaluations: readonly PolicyEvaluation[]): Map<LinkId, TakenLink> {
  const taken = new Map<LinkId, TakenLink>();
  for (const { policyId, preempts } of evaluations) {
    for (const preemption of preempts) {
      const known = taken.get(preemption.linkId);
      if (known === undefined || preemption.setupPriority < known.setupPriority) {
        taken.set(preemption.linkId, { ...preemption, by: policyId });
      }
    }
  }
  return taken;
}

export interface Contender {
  readonly linkId: LinkId;
  readonly policyId: string;
  readonly bandwidthBps: number;
  readonly holdPriority: number;
}

/** What the evaluated policies use of these links. Who left may have done so only for want of those who are to go. */
export function contenders({ policies, evaluations }: Evaluated, taken: ReadonlyMap<LinkId, TakenLink>): Contender[] {
  const needs = new Map(evaluations.map(({ policyId, bookings }) => [policyId, bookings]));
  return policies.flatMap(({ policyId, holdPriority, bookings }) => {
    const bookedNow = needs.get(policyId);
    if (bookedNow === undefined) return [];
    const used = new Map(bookedNow.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
    for (const { linkId, currentBps } of bookings) {
      const setupPriority = taken.get(linkId)?.setupPriority ?? holdPriority;
      if (holdPriority > setupPriority) used.set(linkId, Math.max(currentBps, used.get(linkId) ?? 0));
    }
    return [...used]
      .filter(([linkId]) => taken.has(linkId))
      .map(([linkId, bandwidthBps]) => ({ linkId, policyId, bandwidthBps, holdPriority }));
  });
}
