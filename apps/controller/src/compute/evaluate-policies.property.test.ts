import { freezeSnapshot, type LinkId, type Ted } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DynamicPath } from '../model/sr-policy.js';
import {
  arbitraryPolicies as policies,
  candidate,
  pentagon as network,
  priorities,
} from '../testing/arbitrary-policies.js';
import { allowedWalks } from '../../../../packages/topology/src/testing/path-oracle.js';
import { diamond, lowestDelay, newPolicy, withLinks } from '../testing/sketched-network.js';
import { whileMoving } from './bandwidth-ledger.js';
import { evaluatePolicies } from './evaluate-policies.js';
import {
  incumbentAfter,
  transportList,
  type Booking,
  type PolicyEvaluation,
  type PolicyToEvaluate,
} from './evaluate-policies-model.js';

const G = 1_000_000_000;
function evaluate(ted: Ted, batch: readonly PolicyToEvaluate[]) {
  const booked = batch.flatMap(({ bookings }) => bookings);
  return evaluatePolicies({ snapshot: freezeSnapshot(ted), policies: batch, booked, heldLinks: [] });
}

/** Adopted, and not acked yet: old and new bookings are both held. */
function adopt(batch: readonly PolicyToEvaluate[], evaluations: readonly PolicyEvaluation[]): PolicyToEvaluate[] {
  return batch.map((policy) => {
    const evaluation = evaluations.find(({ policyId }) => policyId === policy.policyId);
    if (evaluation === undefined) throw new Error(`no evaluation of ${policy.policyId}`);
    const bookings = whileMoving(policy.bookings, evaluation.bookings, policy.holdPriority);
    return { ...policy, bookings, incumbent: incumbentAfter(evaluation) };
  });
}

/** Everybody's headend has acked: nothing is held that is not in use. */
function acked(batch: readonly PolicyToEvaluate[]): PolicyToEvaluate[] {
  return batch.map((policy) => {
    const used = policy.bookings.filter(({ currentBps }) => currentBps > 0);
    return { ...policy, bookings: used.map((booking) => ({ ...booking, bandwidthBps: booking.currentBps })) };
  });
}

/** The operator gave the same candidate paths again: what it uses is of none of them. */
function writtenAnew(policy: PolicyToEvaluate): PolicyToEvaluate {
  const candidatePaths = policy.candidatePaths.map((path) => ({ ...path, discriminator: path.discriminator + 10 }));
  return { ...policy, candidatePaths };
}

/** To what it uses now, for good. */
function pinned(policy: PolicyToEvaluate): PolicyToEvaluate {
  const { incumbent } = policy;
  if (incumbent === null || incumbent.lists.length === 0) return policy;
  return { ...policy, pinned: { activeCandidate: incumbent.activeCandidate, lists: incumbent.lists } };
}

function total(
  bookings: readonly Booking[],
  amount: 'bandwidthBps' | 'currentBps' = 'bandwidthBps',
): Map<LinkId, number> {
  const sums = new Map<LinkId, number>();
  for (const booking of bookings) sums.set(booking.linkId, (sums.get(booking.linkId) ?? 0) + booking[amount]);
  return sums;
}

function capacityOf(ted: Ted, linkId: LinkId): number {
  return ted.links.find(({ id }) => id === linkId)?.bandwidthBps ?? 0;
}

/**
 * It is what the active candidate path asked for, or of the next valid one; it does not repeat the active lists and crosses
 * nothing that is down.
 */
function expectStandby(evaluation: PolicyEvaluation, down: ReadonlySet<LinkId>): void {
  const { standby, status, activeCandidate, candidatePaths, lists, disjointStandby } = evaluation;
  const others = candidatePaths
    .filter(({ valid, active }) => valid && !active)
    .map(({ discriminator }) => discriminator);
  // All that is valid besides takes the lists that are taken already.
  if (standby === null) return;
  expect(status).toBe('up');
  if (disjointStandby?.isFound === true) expect(standby.candidate).toBe(activeCandidate);
  else expect(others).toContain(standby.candidate);
  expect(standby.crossed.links.filter((link) => down.has(link))).toEqual([]);
  expect(standby.lists.map(transportList)).not.toEqual(lists.map(transportList));
}

/** The constraints without the optional ones that are not kept, written out by hand. */
function dropping(
  { constraints }: Pick<DynamicPath, 'constraints'>,
  optional: readonly string[],
  kept: readonly string[],
): Pick<DynamicPath, 'constraints'> {
  const isGone = (pointer: string) => optional.includes(pointer) && !kept.includes(pointer);
  const { bandwidthBps, bounds, exclude } = constraints;
  return {
    constraints: {
      ...(bandwidthBps === undefined || isGone('/constraints/bandwidthBps') ? {} : { bandwidthBps }),
      ...(bounds === undefined || isGone('/constraints/bounds/0') ? {} : { bounds }),
      ...(exclude === undefined || isGone('/constraints/exclude/nodes') ? {} : { exclude }),
    },
  };
}

describe('evaluations of random policies on random networks', () => {
  it('never book a link beyond what it can reserve; moves included, but for those who are preempted', () => {
    fc.assert(
      fc.property(
        fc.array(network, { minLength: 2, maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        fc.array(fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }), { minLength: 4, maxLength: 4 }),
        policies,
        ([first, ...later], acks, rewritten, batch) => {
          let current = batch;
          // All have the capacities of the first: a shrinking link is another matter.
          const capacities = Object.fromEntries(
            (first as Ted).links.map(({ id, bandwidthBps }) => [id, { bandwidthBps }]),
          );
          const boldest = Math.min(...batch.map(({ setupPriority }) => setupPriority));
          for (const [turn, ted] of [first as Ted, ...later.map((one) => withLinks(one, capacities))].entries()) {
            const before = acks[turn] === true ? acked(current) : current;
            const asked = before.map((policy, i) => (rewritten[turn]?.[i] === true ? writtenAnew(policy) : policy));
            current = adopt(asked, evaluate(ted, asked));
            const bookings = current.flatMap((policy) => policy.bookings);
            for (const [linkId, used] of total(bookings, 'currentBps')) {
              expect(used).toBeLessThanOrEqual(capacityOf(ted, linkId));
            }
            const safe = bookings.filter(({ holdPriority }) => holdPriority <= boldest);
            for (const [linkId, held] of total(safe)) expect(held).toBeLessThanOrEqual(capacityOf(ted, linkId));
          }
        },
      ),
    );
  });

  it('never book a link beyond what it can reserve where those of before are pinned', () => {
    const wanted = fc.record({
      gigabits: fc.integer({ min: 1, max: 6 }),
      priority: priorities,
      isPinned: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 2, maxLength: 8 }), (all) => {
        const ted = diamond();
        let current: PolicyToEvaluate[] = [];
        for (const [color, { gigabits, priority, isPinned }] of all.entries()) {
          const paths = [lowestDelay({ bandwidthBps: gigabits * G })];
          const everybody = [...current, newPolicy('h1', 'h2', paths, { color, ...priority })];
          current = acked(adopt(everybody, evaluate(ted, everybody)));
          for (const [linkId, booked] of total(current.flatMap(({ bookings }) => bookings))) {
            expect(booked).toBeLessThanOrEqual(capacityOf(ted, linkId));
          }
          current = [
            ...current.slice(0, -1),
            ...current.slice(-1).map((policy) => (isPinned ? pinned(policy) : policy)),
          ];
        }
      }),
    );
  });

  it('drive nobody out for the sake of an equal or lower priority', () => {
    fc.assert(
      fc.property(network, policies, policies, fc.boolean(), (ted, first, second, haveAcked) => {
        const moving = adopt(first, evaluate(ted, first));
        const settled = (haveAcked ? acked(moving) : moving).map((policy) => ({ ...policy, reoptimise: false }));
        const newcomers = second.map((policy) => ({ ...policy, policyId: `new ${policy.policyId}` }));
        const evaluations = evaluate(ted, [...settled, ...newcomers]);
        const outcome = adopt([...settled, ...newcomers], evaluations);
        for (const policy of settled) {
          const evaluation = evaluations.find(({ policyId }) => policyId === policy.policyId);
          if (evaluation?.decision !== 'changed' || policy.incumbent?.status !== 'up') continue;
          const others = outcome.filter(({ policyId }) => policyId !== policy.policyId);
          const takers = (linkId: LinkId) =>
            others.flatMap(({ bookings, setupPriority }) =>
              bookings.filter((booking) => booking.linkId === linkId && setupPriority < policy.holdPriority),
            );
          const lacking = policy.bookings.filter(({ linkId, currentBps }) => {
            const atLeastAsHigh = others.flatMap(({ bookings }) =>
              bookings.filter((booking) => booking.linkId === linkId && booking.holdPriority <= policy.holdPriority),
            );
            const used = total(atLeastAsHigh, 'currentBps').get(linkId) ?? 0;
            return currentBps > 0 && used + currentBps > capacityOf(ted, linkId) && takers(linkId).length > 0;
          });
          expect(lacking).not.toEqual([]);
          expect(evaluation.cause).toContain('took bandwidth of link');
        }
      }),
    );
  });

  it('give higher priorities what they would have if there were no lower ones', () => {
    fc.assert(
      fc.property(network, network, policies, fc.constantFrom(0, 1, 3), (first, second, batch, limit) => {
        const clear = batch.filter(({ setupPriority, holdPriority }) => setupPriority <= limit || holdPriority > limit);
        const isHigher = ({ setupPriority }: PolicyToEvaluate) => setupPriority <= limit;
        const settled = adopt(clear, evaluate(first, clear));
        const ids = new Set(settled.filter(isHigher).map(({ policyId }) => policyId));
        const choices = (evaluations: readonly PolicyEvaluation[]) =>
          evaluations
            .filter(({ policyId }) => ids.has(policyId))
            // Whom they drive out, and whether that needs room of which others make use, is about the lower ones.
            .map((evaluation) => ({ ...evaluation, preempts: [], takenOn: null }));
        expect(choices(evaluate(second, settled))).toEqual(choices(evaluate(second, settled.filter(isHigher))));
      }),
    );
  });

  it('keep the optional constraints that an exhaustive search would, the most important first', () => {
    fc.assert(
      fc.property(network, candidate, policies, (ted, path, others) => {
        const settled = acked(adopt(others, evaluate(ted, others)));
        const answer = (wanted: DynamicPath): PolicyEvaluation => {
          const policy = newPolicy('h1', 'h2', [{ discriminator: 1, preference: 1, path: wanted }], { color: 99 });
          const evaluations = evaluatePolicies({
            snapshot: freezeSnapshot(ted),
            policies: [policy],
            booked: settled.flatMap(({ bookings }) => bookings),
            heldLinks: [],
          });
          return evaluations[0] as PolicyEvaluation;
        };
        const { optional = [], ...rest } = path;
        const found = answer(path);
        // All subsets, in the order of what they are worth.
        const subsets = Array.from({ length: 2 ** optional.length }, (_, bits) =>
          optional.filter((_, i) => ((bits >> (optional.length - 1 - i)) & 1) === 0),
        );
        const best = subsets
          .map((kept) => ({ kept, evaluation: answer({ ...rest, ...dropping(rest, optional, kept) }) }))
          .find(({ evaluation }) => evaluation.status === 'up');
        expect(found.status === 'up').toBe(best !== undefined);
        if (best === undefined) return;
        const outcomes = found.candidatePaths[0]?.optional ?? [];
        expect(outcomes.map(({ constraint }) => constraint)).toEqual(optional);
        expect(outcomes.filter(({ isAchieved }) => isAchieved).map(({ constraint }) => constraint)).toEqual(best.kept);
        expect(found.objective).toEqual(best.evaluation.objective);
        expect(found.bookings).toEqual(best.evaluation.bookings);
      }),
    );
  });

  it('change nothing when they are repeated', () => {
    fc.assert(
      fc.property(network, network, policies, (first, second, batch) => {
        const settled = adopt(batch, evaluate(first, batch));
        const evaluations = evaluate(second, settled);
        const moved = adopt(settled, evaluations);
        const again = evaluate(second, moved);
        // Who lacks bandwidth may find some the second time: what another policy would have needed more of to keep its
        // lists, until it moved to better ones. It is evaluated again whenever something is released.
        const starved = new Set(evaluations.filter((one) => one.starved).map(({ policyId }) => policyId));
        const changed = again.filter(({ decision }) => decision === 'changed').map(({ policyId }) => policyId);
        expect(changed.filter((id) => !starved.has(id))).toEqual([]);
        if (changed.length > 0) return;
        // On which links one that was not found lacks bandwidth is of the moment: others may have moved since.
        const standbyOf = (all: readonly PolicyToEvaluate[]) =>
          all.map(({ incumbent }) => [
            incumbent?.standby,
            incumbent?.disjointStandby?.isFound === false ? null : incumbent?.disjointStandby,
          ]);
        expect(standbyOf(adopt(moved, again))).toEqual(standbyOf(moved));
      }),
    );
  });

  it('do not depend on the order of the policies', () => {
    fc.assert(
      fc.property(network, network, policies, (first, second, batch) => {
        const settled = adopt(batch, evaluate(first, batch));
        expect(evaluate(second, [...settled].reverse())).toEqual(evaluate(second, settled));
      }),
    );
  });

  it('have the standby that an active candidate path asks for exactly where two ways are disjoint', () => {
    const asked = fc.record({
      disjoint: fc.constantFrom('link' as const, 'node' as const),
      mode: fc.constantFrom('strict' as const, 'relaxed' as const),
    });
    fc.assert(
      fc.property(network, candidate, asked, (ted, path, standby) => {
        const { metric, constraints, optional = [] } = path;
        const asking = { kind: 'dynamic' as const, metric, constraints, optional, standby };
        const [found] = evaluate(ted, [newPolicy('h1', 'h2', [{ discriminator: 1, preference: 1, path: asking }])]);
        if (found?.status !== 'up') {
          expect(found).toMatchObject({ standby: null, disjointStandby: null });
          return;
        }
        const outcomes = found.candidatePaths[0]?.optional ?? [];
        const kept = outcomes.filter(({ isAchieved }) => isAchieved).map(({ constraint }) => constraint);
        const request = { source: 'h1', destination: 'h2', metric, ...dropping(asking, optional, kept) };
        const ways = allowedWalks(ted, request).map((walk) => walk.map(({ id }) => id));
        // Links are named after their ends; those of the hosts are the only ones.
        const endsOf = (link: LinkId) => link.split(':').filter((node) => !['a', 'd'].includes(node));
        const used = new Set(
          found.crossed.links.flatMap((id) => [id, id.split(':').reverse().join(':'), ...endsOf(id)]),
        );
        const sharedWith = (links: readonly LinkId[], kind: 'link' | 'node') => {
          const between = links.filter((id) => !/h[12]/.test(id));
          return [...between, ...(kind === 'node' ? between.flatMap(endsOf) : [])].filter((one) => used.has(one));
        };
        const least = (kind: 'link' | 'node') => Math.min(...ways.map((way) => sharedWith(way, kind).length));
        const { disjointStandby: told, standby: chosen } = found;
        if (told?.isFound !== true) {
          expect(told).not.toBeNull();
          if (standby.mode === 'strict') expect(least(standby.disjoint)).toBeGreaterThan(0);
          return;
        }
        const crossed = chosen?.crossed.links ?? [];
        expect(chosen?.candidate).toBe(1);
        expect(ways).toContainEqual(chosen?.lists[0]?.links);
        for (const kind of ['node', 'link'] as const) {
          if (told.achieved.join() === kind) expect(sharedWith(crossed, kind)).toEqual([]);
          if (told.unachieved.some(({ disjoint }) => disjoint.join() === kind)) expect(least(kind)).toBeGreaterThan(0);
        }
        if (standby.mode === 'strict') expect(told.achieved).toEqual([standby.disjoint]);
      }),
      { numRuns: 300 },
    );
  });

  it('never make a candidate path active that is not valid, and use no link that is down for anybody', () => {
    fc.assert(
      fc.property(network, policies, (ted, batch) => {
        const down = new Set(
          ted.links
            .filter(({ operationalState, adminState }) => operationalState === 'down' || adminState === 'down')
            .map(({ id }) => id),
        );
        for (const evaluation of evaluate(ted, batch)) {
          const { status, activeCandidate, candidatePaths, crossed } = evaluation;
          const active = candidatePaths.filter((state) => state.active);
          expect(active.map(({ discriminator }) => discriminator)).toEqual(
            activeCandidate === null ? [] : [activeCandidate],
          );
          expect(active.every(({ valid }) => valid)).toBe(true);
          expect(status === 'up').toBe(activeCandidate !== null);
          expect(crossed.links.filter((link) => down.has(link))).toEqual([]);
          expectStandby(evaluation, down);
          const better = candidatePaths.slice(
            0,
            candidatePaths.findIndex((state) => state.active),
          );
          if (activeCandidate !== null) expect(better.every(({ valid }) => !valid)).toBe(true);
        }
      }),
    );
  });
});
