import { describe, expect, it } from 'vitest';
import type { CandidatePathIntent, DynamicPath } from '../model/sr-policy.js';
import { adopted, evaluateOne, linksOf } from '../testing/evaluate-sketched.js';
import { diamond, inUse, LOWER, newPolicy, UPPER, withLinkDown, withLinks } from '../testing/sketched-network.js';
import type { PolicyEvaluation } from './evaluate-policies-model.js';

const G = 1_000_000_000;

function lowestIgp(constraints: DynamicPath['constraints'], optional: readonly string[]): CandidatePathIntent {
  return { discriminator: 100, preference: 100, path: { kind: 'dynamic', metric: 'igp', constraints, optional } };
}

const achieved = ({ candidatePaths }: PolicyEvaluation) =>
  candidatePaths[0]?.optional.map(({ isAchieved, missedBy }) => [isAchieved, missedBy]);

/** Without b and c nothing is left; so only the more important of both can be kept. */
const avoidsB = lowestIgp({ exclude: { nodes: ['b'] }, bounds: [{ metric: 'delay', max: 3000 }] }, [
  '/constraints/exclude/nodes',
  '/constraints/bounds/0',
]);

describe('optional constraints of a policy', () => {
  it('are kept as far as possible, the most important first, and shown; only mandatory ones make compliance', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [avoidsB]));
    expect(linksOf(evaluation)).toEqual(LOWER);
    expect(achieved(evaluation)).toEqual([
      [true, null],
      [false, 1020],
    ]);
    expect(evaluation).toMatchObject({ compliance: 'constraints-met', unsettled: true, starved: false });
  });

  it('do not keep a policy where it is when a more important one can be kept again', () => {
    const policy = newPolicy('h1', 'h2', [avoidsB]);
    const upper = evaluateOne(withLinkDown(diamond(), 'a:c'), policy);
    expect(linksOf(upper)).toEqual(UPPER);
    expect(achieved(upper)).toEqual([
      [false, null],
      [true, null],
    ]);
    const moved = evaluateOne(diamond(), adopted(policy, upper));
    expect(linksOf(moved)).toEqual(LOWER);
    expect(moved.cause).toBe('a better path: it keeps the optional constraint /constraints/exclude/nodes');
    expect(evaluateOne(diamond(), adopted(policy, moved)).decision).toBe('kept');
  });

  it('make it look for another path when it loses one, though nothing improved', () => {
    const policy = newPolicy('h1', 'h2', [
      lowestIgp({ bounds: [{ metric: 'delay', max: 4500 }] }, ['/constraints/bounds/0']),
    ]);
    const upper = adopted(policy, evaluateOne(diamond(), policy));
    const slow = withLinks(diamond(), { 'a:b': { delayUs: 9000 } });
    const moved = evaluateOne(slow, { ...upper, reoptimise: false });
    expect(linksOf(moved)).toEqual(LOWER);
    expect(achieved(moved)).toEqual([[true, null]]);
  });

  it('book bandwidth where there is some, and go without where there is not', () => {
    const policy = newPolicy('h1', 'h2', [lowestIgp({ bandwidthBps: 6 * G }, ['/constraints/bandwidthBps'])]);
    const full = inUse(['a:b', 'a:c'].map((linkId) => ({ linkId, bandwidthBps: 8 * G })));
    const without = evaluateOne(diamond(), policy, { booked: full });
    expect(without).toMatchObject({ status: 'up', bookings: [], starved: true, unsettled: true });
    expect(linksOf(without)).toEqual(UPPER);
    expect(achieved(without)).toEqual([[false, null]]);
    const again = evaluateOne(diamond(), adopted(policy, without));
    expect(again).toMatchObject({ decision: 'kept', starved: false });
    expect(again.bookings).toContainEqual({ linkId: 'a:b', bandwidthBps: 6 * G });
    // It is driven out of its booking, not off its path.
    const taken = inUse([{ linkId: 'a:b', bandwidthBps: 8 * G }], 0);
    const settled = adopted(policy, again);
    const driven = evaluateOne(
      diamond(),
      { ...settled, reoptimise: false },
      { booked: [...taken, ...settled.bookings] },
    );
    expect(achieved(driven)).toEqual([[true, null]]);
    expect(linksOf(driven)).toEqual(LOWER);
  });

  it('may be the number of SRH entries', () => {
    const path = { kind: 'dynamic' as const, metric: 'te' as const, constraints: {}, maxSegments: 0 };
    const candidate = { discriminator: 1, preference: 1, path: { ...path, optional: ['/maxSegments'] } };
    const evaluation = evaluateOne(
      withLinks(diamond(), { 'a:b': { teMetric: 90 } }),
      newPolicy('h1', 'h2', [{ ...candidate, path: { ...candidate.path, constraints: { include: [{ node: 'c' }] } } }]),
    );
    expect(linksOf(evaluation)).toEqual(LOWER);
    expect(achieved(evaluation)?.[0]?.[0]).toBe(false);
    expect(evaluation.lists[0]?.segmentLists[0]?.srhEntries).toBeGreaterThan(0);
  });
});
