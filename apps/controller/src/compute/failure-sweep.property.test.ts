import { freezeSnapshot, type Ted } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureKinds } from '../model/failure-sweep.js';
import { arbitraryPolicies, pentagon } from '../testing/arbitrary-policies.js';
import { inUse } from '../testing/sketched-network.js';
import { evaluatePolicies } from './evaluate-policies.js';
import { incumbentAfter, type PolicyToEvaluate } from './evaluate-policies-model.js';
import { singleFailures } from './failure-overlay.js';
import { FailureSweep } from './failure-sweep.js';

/** As they are once they were evaluated and their headends have acked. */
function settled(ted: Ted, policies: readonly PolicyToEvaluate[]): PolicyToEvaluate[] {
  const snapshot = freezeSnapshot(ted);
  const evaluations = evaluatePolicies({ snapshot, policies, booked: [], heldLinks: [] });
  const byId = new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
  return policies.flatMap((policy) => {
    const evaluation = byId.get(policy.policyId);
    if (evaluation === undefined) return [];
    const bookings = inUse(evaluation.bookings, policy.holdPriority);
    return [{ ...policy, bookings, incumbent: incumbentAfter(evaluation), reoptimise: false }];
  });
}

function withoutBandwidth(policy: PolicyToEvaluate): PolicyToEvaluate {
  return {
    ...policy,
    candidatePaths: policy.candidatePaths.map((candidate) => {
      const { bounds, exclude } = candidate.path.constraints ?? {};
      const constraints = { ...(bounds && { bounds }), ...(exclude && { exclude }) };
      const path = { ...candidate.path, constraints, optional: [] };
      return { ...candidate, path };
    }),
  };
}

const networks = pentagon.map((ted) => ({
  ...ted,
  nodes: ted.nodes.map((node) => ({ ...node, site: node.id < 'c' ? 'west' : 'east' })),
  links: ted.links.map((link) => ({ ...link, srlgs: link.delayUs !== null && link.delayUs % 2 === 0 ? [1] : [2] })),
}));

describe('a sweep over single failures', () => {
  it('says the same when it looks at every policy, and not only at those that cross what failed', () => {
    fc.assert(
      fc.property(networks, arbitraryPolicies, (ted, fresh) => {
        const policies = settled(ted, fresh.map(withoutBandwidth));
        const snapshot = freezeSnapshot(ted);
        const sweep = new FailureSweep(snapshot, { policies, booked: [], reported: undefined });
        for (const failure of singleFailures(snapshot, failureKinds)) {
          const found = sweep.impactOf(failure);
          const whole = sweep.examine(failure, sweep.all);
          expect({ ...found, examined: whole.examined }).toEqual(whole);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('counts what it lists, and has policies preempted only by those of higher priority', () => {
    fc.assert(
      fc.property(networks, arbitraryPolicies, (ted, fresh) => {
        const policies = settled(ted, fresh);
        const booked = policies.flatMap(({ bookings }) => bookings);
        const snapshot = freezeSnapshot(ted);
        const sweep = new FailureSweep(snapshot, { policies, booked, reported: undefined });
        for (const failure of singleFailures(snapshot, ['link', 'node'])) {
          const { policies: impacts, counts, outcome } = sweep.impactOf(failure);
          const lost = impacts.filter(({ afterReaction }) => !['kept', 'moved'].includes(afterReaction));
          expect(lost.length).toBe(counts.fallback + counts.down + counts.preempted);
          expect(impacts.filter(({ atOnce }) => atOnce === 'lost').length).toBe(counts.lost);
          expect(outcome === 'harmless').toBe(impacts.length === 0);
          expect(outcome === 'loses').toBe(lost.length > 0);
          // Whoever lost bandwidth to others has a priority that some other policy may preempt.
          for (const { policyId } of impacts.filter(({ afterReaction }) => afterReaction === 'preempted')) {
            const { holdPriority = -1 } = policies.find((policy) => policy.policyId === policyId) ?? {};
            expect(policies.some(({ setupPriority }) => setupPriority < holdPriority)).toBe(true);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});
