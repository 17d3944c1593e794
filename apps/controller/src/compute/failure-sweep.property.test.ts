import { freezeSnapshot, overlaidTed, reservableBps, type Snapshot, type Ted } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureKinds, type FailureImpact } from '../model/failure-sweep.js';
import { arbitraryPolicies, pentagon } from '../testing/arbitrary-policies.js';
import { BandwidthLedger } from './bandwidth-ledger.js';
import { CandidateEvaluator } from './evaluate-candidate-path.js';
import { evaluatePolicies } from './evaluate-policies.js';
import { settledAfter, type PolicyEvaluation, type PolicyToEvaluate } from './evaluate-policies-model.js';
import { overlayOf, singleFailures } from './failure-overlay.js';
import type { SweptPolicy } from './swept-policy.js';
import { FailureSweep } from './failure-sweep.js';

/** As they are once they were evaluated and their headends have acked. */
function settled(ted: Ted, policies: readonly PolicyToEvaluate[]): PolicyToEvaluate[] {
  const snapshot = freezeSnapshot(ted);
  const evaluations = evaluatePolicies({ snapshot, policies, booked: [], heldLinks: [] });
  const byId = new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
  return policies.flatMap((policy) => {
    const evaluation = byId.get(policy.policyId);
    if (evaluation === undefined) return [];
    return [settledAfter(policy, evaluation)];
  });
}

function swept(ted: Ted, fresh: readonly PolicyToEvaluate[]) {
  const policies = settled(ted, fresh);
  const booked = policies.flatMap(({ bookings }) => bookings);
  const snapshot = freezeSnapshot(ted);
  return { snapshot, policies, sweep: new FailureSweep(snapshot, { policies, booked, reported: undefined }) };
}

/** No link carries more than it can reserve, of those who react and of those who stay together. */
function expectRoomFor(
  snapshot: Snapshot,
  policies: readonly PolicyToEvaluate[],
  reaction: ReadonlyMap<string, PolicyEvaluation>,
): void {
  const used = new Map<string, number>();
  for (const { policyId, bookings } of policies) {
    const after = reaction.get(policyId)?.bookings ?? bookings;
    for (const { linkId, bandwidthBps } of after) used.set(linkId, (used.get(linkId) ?? 0) + bandwidthBps);
  }
  const reservable = reservableBps(snapshot);
  for (const [linkId, bps] of used) expect(bps).toBeLessThanOrEqual(reservable[snapshot.arcOf(linkId)] as number);
}

/** What the lists of each policy put on links, constraints apart; undefined where they do not deliver. */
function loadsOn(snapshot: Snapshot, policies: readonly SweptPolicy[]): (string | undefined)[] {
  const evaluator = new CandidateEvaluator(snapshot, new BandwidthLedger(snapshot, []), []);
  return policies.map(({ policy }) => {
    const delivered = evaluator.deliver(policy, policy.incumbent?.lists ?? [], undefined);
    return delivered.valid ? JSON.stringify(delivered.lists.map(({ load }) => load)) : undefined;
  });
}

const networks = pentagon.map((ted) => ({
  ...ted,
  nodes: ted.nodes.map((node) => ({ ...node, site: node.id < 'c' ? 'west' : 'east' })),
  links: ted.links.map((link) => ({ ...link, srlgs: link.delayUs !== null && link.delayUs % 2 === 0 ? [1] : [2] })),
}));

const plain = fc.record({ ted: networks, policies: arbitraryPolicies });

const twoKinds = fc.shuffledSubarray([...failureKinds], { minLength: 2, maxLength: 2 });

/** Of several links that lack bandwidth, which one is named depends on who else is asked. */
function withoutMessages({ policies, ...impact }: FailureImpact) {
  return { ...impact, policies: policies.map((policy) => ({ ...policy, message: '' })) };
}

/** So much of the traffic wants bandwidth, and so much of the network is up, that failures make policies compete. */
const busy = fc.record({
  ted: networks.map((ted) => ({
    ...ted,
    links: ted.links.map((link) => ({ ...link, adminState: 'up' as const, operationalState: 'up' as const })),
  })),
  policies: fc
    .tuple(
      arbitraryPolicies,
      arbitraryPolicies,
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 14, maxLength: 14 }),
    )
    .map(([one, other, gigabits]) =>
      [...one, ...other].map((policy, i) => {
        const color = `:${i + 1}:`;
        const constraints = { bandwidthBps: (gigabits[i] as number) * 1_000_000_000 };
        const candidatePaths = policy.candidatePaths.map(({ path, ...candidate }, j) =>
          j > 0 && i % 3 > 0 ? { ...candidate, path } : { ...candidate, path: { ...path, constraints, optional: [] } },
        );
        return { ...policy, policyId: policy.policyId.replace(/:.*:/, color), candidatePaths };
      }),
    ),
});

describe('a sweep over single failures', () => {
  it('says the same when every policy is evaluated, unless that moves policies which neither the failure nor others drive out', () => {
    fc.assert(
      fc.property(
        fc.oneof({ arbitrary: busy, weight: 3 }, { arbitrary: plain, weight: 1 }),
        twoKinds,
        ({ ted, policies: fresh }, kinds) => {
          const { snapshot, policies, sweep } = swept(ted, fresh);
          const before = loadsOn(snapshot, sweep.all);
          for (const failure of singleFailures(snapshot, kinds)) {
            const failed = freezeSnapshot(overlaidTed(ted, overlayOf(failure)));
            const after = loadsOn(failed, sweep.all);
            const shifted = sweep.all.filter((_, i) => before[i] !== after[i]);
            const reaction = sweep.reactionTo(failure);
            expectRoomFor(failed, policies, reaction);
            const whole = [...sweep.reactionTo(failure, sweep.all).values()];
            // A policy that grows and gives up in its turn takes room from others of its batch until then: who is not asked is spared.
            const moved = whole.filter(({ decision, takenOn }) => decision !== 'kept' || takenOn !== null);
            if (!moved.every(({ policyId }) => reaction.has(policyId))) continue;
            const found = sweep.impactOf(failure);
            expect(withoutMessages(found)).toEqual(withoutMessages(sweep.examine(failure, shifted, sweep.all)));
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  it('counts what it lists, and has policies preempted only by those of higher priority', () => {
    fc.assert(
      fc.property(networks, arbitraryPolicies, (ted, fresh) => {
        const { snapshot, policies, sweep } = swept(ted, fresh);
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
