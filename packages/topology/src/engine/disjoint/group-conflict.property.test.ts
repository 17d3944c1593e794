import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DisjointRequest } from '../../model/disjoint-paths.js';
import type { Ted } from '../../model/ted.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { arbitraryGroup, kindsIn, levelsOf } from '../../testing/arbitrary-group.js';
import { bestGroup } from '../../testing/group-oracle.js';
import { computeDisjointPaths } from './compute-disjoint.js';
import { constraintsOfGroup, withGroupValue, withoutGroupConstraints } from './group-constraints.js';

const cases = fc
  .record({ equal: fc.boolean(), bounds: fc.boolean(), members: fc.integer({ min: 2, max: 3 }) })
  .chain((shape) => arbitraryGroup({ ...shape, ted: { maxRouters: 4, maxLinks: 6, healthy: true } }));

/** At the strongest level there is; Infinity when there are no paths. */
function optimum(ted: Ted, request: DisjointRequest): number {
  for (const level of request.disjoint.length === 0 ? [''] : levelsOf(request)) {
    const best = bestGroup(ted, request, kindsIn(level));
    if (best !== null) return best.value;
  }
  return Infinity;
}

function without(request: DisjointRequest, pointers: readonly string[]): DisjointRequest {
  return withoutGroupConstraints(request, new Set(pointers));
}

describe('a conflict within a group', () => {
  it('leaves no paths by itself, and some without any of its members; relaxing says what brute force says', () => {
    const seen = { conflicts: 0, disjointness: 0, values: 0 };
    fc.assert(
      fc.property(cases, ({ ted, request }) => {
        const answer = computeDisjointPaths(freezeSnapshot(ted), request);
        fc.pre(answer.status === 'no-path');
        const { constraints, isMinimal } = answer.conflict;
        expect([answer.isProved, isMinimal]).toEqual([true, true]);
        const pointers = constraints.map(({ constraint }) => constraint);
        const others = constraintsOfGroup(request).filter((pointer) => !pointers.includes(pointer));
        expect(optimum(ted, without(request, others))).toBe(Infinity);
        if (pointers.length > 0) seen.conflicts++;
        if (pointers.includes('/disjoint')) seen.disjointness++;
        for (const { constraint, nearestFeasible, metric } of constraints) {
          expect(optimum(ted, without(request, [...others, constraint]))).toBeLessThan(Infinity);
          if (nearestFeasible === null) {
            expect(metric ?? Infinity).toBe(optimum(ted, without(request, [constraint])));
            continue;
          }
          seen.values++;
          expect(metric).toBe(optimum(ted, withGroupValue(request, constraint, nearestFeasible)));
          const nearer = nearestFeasible + (constraint.endsWith('/bandwidthBps') ? 1 : -1);
          expect(optimum(ted, withGroupValue(request, constraint, nearer))).toBe(Infinity);
        }
      }),
      { numRuns: 250 },
    );
    expect(Math.min(seen.conflicts, seen.disjointness, seen.values)).toBeGreaterThan(3);
  });
});

describe('optional constraints of a group', () => {
  const withOptional = cases.chain(({ ted, request }) =>
    fc.record({
      ted: fc.constant(ted),
      request: fc.constant(request),
      optional: fc.shuffledSubarray(constraintsOfGroup(request)).map((pointers) => pointers.slice(0, 3)),
    }),
  );

  /** Of all choices for which there are paths: the one that keeps the most important ones. */
  function bestChoice(ted: Ted, request: DisjointRequest, optional: readonly string[]): boolean[] | null {
    for (let choice = 2 ** optional.length - 1; choice >= 0; choice--) {
      const kept = optional.map((_, i) => (choice & (2 ** (optional.length - 1 - i))) !== 0);
      const dropped = optional.filter((_, i) => kept[i] !== true);
      if (optimum(ted, without(request, dropped)) < Infinity) return kept;
    }
    return null;
  }

  it('are kept as brute force over all choices of them would', () => {
    const seen = { all: 0, some: 0, none: 0, refused: 0 };
    fc.assert(
      fc.property(withOptional, ({ ted, request, optional }) => {
        fc.pre(optional.length > 0);
        const answer = computeDisjointPaths(freezeSnapshot(ted), { ...request, optional });
        const kept = bestChoice(ted, request, optional);
        if (answer.status === 'no-path') {
          expect(kept).toBeNull();
          expect(answer.conflict.constraints.some(({ constraint }) => optional.includes(constraint))).toBe(false);
          seen.refused++;
          return;
        }
        expect(answer.optional.map(({ constraint, isAchieved }) => [constraint, isAchieved])).toEqual(
          optional.map((pointer, i) => [pointer, kept?.[i]]),
        );
        const dropped = optional.filter((_, i) => kept?.[i] !== true);
        expect([answer.optimality, answer.lowerBound]).toEqual(['optimal', optimum(ted, without(request, dropped))]);
        seen[dropped.length === 0 ? 'all' : dropped.length === optional.length ? 'none' : 'some']++;
      }),
      { numRuns: 250 },
    );
    expect(Math.min(seen.all, seen.some, seen.none, seen.refused)).toBeGreaterThan(3);
  });
});
