import { freezeSnapshot, type LinkId } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { buildTed, newPolicy, withLinks } from '../testing/sketched-network.js';
import { largerOf } from './bandwidth-ledger.js';
import { evaluatePolicies } from './evaluate-policies.js';
import {
  incumbentAfter,
  transportList,
  type LinkBandwidth,
  type PolicyEvaluation,
  type PolicyToEvaluate,
} from './evaluate-policies-model.js';

const G = 1_000_000_000;
const PAIRS = ['a-b', 'b-c', 'c-d', 'd-e', 'e-a', 'a-c', 'b-d', 'c-e'];

const network = fc
  .record({
    links: fc.array(
      fc.record({
        delayUs: fc.integer({ min: 1, max: 50 }),
        igpMetric: fc.integer({ min: 1, max: 20 }),
        bandwidthBps: fc.integer({ min: 3, max: 12 }).map((value) => value * G),
        adminState: fc.constantFrom('up' as const, 'up' as const, 'up' as const, 'drained' as const, 'down' as const),
        operationalState: fc.constantFrom('up' as const, 'up' as const, 'up' as const, 'down' as const),
      }),
      { minLength: PAIRS.length, maxLength: PAIRS.length },
    ),
  })
  .map(({ links }) =>
    buildTed(
      ['a', 'b', 'c', 'd', 'e', { id: 'h1', scope: 'igp' }, { id: 'h2', scope: 'igp' }],
      [
        { between: 'h1-a', bandwidthBps: 100 * G },
        { between: 'h2-d', bandwidthBps: 100 * G },
        ...PAIRS.map((between, i) => ({ between, ...links[i] })),
      ],
    ),
  );

const candidate = fc
  .record({
    metric: fc.constantFrom('igp' as const, 'delay' as const, 'hop' as const),
    bandwidth: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
    bound: fc.option(fc.integer({ min: 2000, max: 2080 }), { nil: undefined }),
    maxLists: fc.option(fc.integer({ min: 2, max: 3 }), { nil: undefined }),
  })
  .map(({ metric, bandwidth, bound, maxLists }) => ({
    kind: 'dynamic' as const,
    metric,
    constraints: {
      ...(bandwidth === undefined ? {} : { bandwidthBps: bandwidth * G }),
      ...(bound === undefined ? {} : { bounds: [{ metric: 'delay' as const, max: bound }] }),
    },
    ...(maxLists === undefined || bandwidth === undefined ? {} : { maxLists }),
  }));

const policies = fc
  .array(
    fc.record({
      paths: fc.array(candidate, { minLength: 1, maxLength: 3 }),
      fallback: fc.constantFrom('drop' as const, 'shortest-path' as const),
      towards: fc.boolean(),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((specs) =>
    specs.map(({ paths, fallback, towards }, index) => {
      const candidatePaths = paths.map((path, i): CandidatePathIntent => ({
        discriminator: i + 1,
        preference: 100 - i,
        path,
      }));
      return newPolicy(towards ? 'h1' : 'h2', towards ? 'h2' : 'h1', candidatePaths, { color: index + 1, fallback });
    }),
  );

function evaluate(ted: Parameters<typeof freezeSnapshot>[0], batch: readonly PolicyToEvaluate[]) {
  const booked = batch.flatMap(({ bookings }) => bookings);
  return evaluatePolicies({ snapshot: freezeSnapshot(ted), policies: batch, booked, heldLinks: [] });
}

/** Adopted, and not acked yet: old and new bookings are both held. */
function adopt(batch: readonly PolicyToEvaluate[], evaluations: readonly PolicyEvaluation[]): PolicyToEvaluate[] {
  return batch.map((policy) => {
    const evaluation = evaluations.find(({ policyId }) => policyId === policy.policyId);
    if (evaluation === undefined) throw new Error(`no evaluation of ${policy.policyId}`);
    const bookings = largerOf(policy.bookings, evaluation.bookings);
    return { ...policy, bookings, incumbent: incumbentAfter(evaluation) };
  });
}

function total(bookings: readonly LinkBandwidth[]): Map<LinkId, number> {
  const sums = new Map<LinkId, number>();
  for (const { linkId, bandwidthBps } of bookings) sums.set(linkId, (sums.get(linkId) ?? 0) + bandwidthBps);
  return sums;
}

/** It is of the next valid candidate path that does not repeat the active one, and crosses nothing that is down. */
function expectStandby(evaluation: PolicyEvaluation, down: ReadonlySet<LinkId>): void {
  const { standby, status, activeCandidate, candidatePaths, lists } = evaluation;
  const others = candidatePaths
    .filter(({ valid, active }) => valid && !active)
    .map(({ discriminator }) => discriminator);
  // All that is valid besides takes the lists that are taken already.
  if (standby === null) return;
  expect(status).toBe('up');
  expect(standby.candidate).not.toBe(activeCandidate);
  expect(others).toContain(standby.candidate);
  expect(standby.crossed.links.filter((link) => down.has(link))).toEqual([]);
  expect(standby.lists.map(transportList)).not.toEqual(lists.map(transportList));
}

describe('evaluations of random policies on random networks', () => {
  it('never book a link beyond what it can reserve, moves included', () => {
    fc.assert(
      fc.property(network, fc.array(network, { minLength: 1, maxLength: 3 }), policies, (first, later, batch) => {
        let current = batch;
        // All have the capacities of the first: a shrinking link is another matter.
        const capacities = Object.fromEntries(first.links.map(({ id, bandwidthBps }) => [id, { bandwidthBps }]));
        for (const ted of [first, ...later.map((network) => withLinks(network, capacities))]) {
          current = adopt(current, evaluate(ted, current));
          for (const [linkId, booked] of total(current.flatMap(({ bookings }) => bookings))) {
            const link = ted.links.find(({ id }) => id === linkId);
            expect(booked).toBeLessThanOrEqual(link?.bandwidthBps ?? 0);
          }
        }
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
        const standbyOf = (all: readonly PolicyToEvaluate[]) => all.map(({ incumbent }) => incumbent?.standby);
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
