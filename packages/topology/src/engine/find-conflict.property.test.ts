import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathRequest } from '../model/path-request.js';
import type { Ted } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { allowedWalks, walkMetric } from '../testing/path-oracle.js';
import { computePaths } from './compute-paths.js';
import { constraintsOf, withoutConstraints } from './constraint-set.js';

const cases = fc
  .record({ bounds: fc.boolean(), include: fc.boolean() })
  .chain((shape) =>
    arbitraryTed({ maxRouters: 4, maxLinks: 6, healthy: true }).chain((ted) =>
      fc.record({ ted: fc.constant(ted), request: arbitraryRequest(ted, shape) }),
    ),
  );

function hasOneFirstLink(ted: Ted, source: string): boolean {
  const node = ted.nodes.find((entry) => entry.id === source);
  return node?.kind !== 'host' || ted.links.filter((link) => link.from === source).length === 1;
}

/** Infinity when there is no path. */
function optimum(ted: Ted, request: PathRequest): number {
  return Math.min(...allowedWalks(ted, request).map((walk) => walkMetric(walk, request.metric)));
}

function withBound(request: PathRequest, pointer: string, max: number): PathRequest {
  const { constraints } = request;
  if (pointer === '/constraints/bandwidthBps')
    return { ...request, constraints: { ...constraints, bandwidthBps: max } };
  const bounds = (constraints.bounds ?? []).map((bound, i) =>
    pointer === `/constraints/bounds/${i}` ? { ...bound, max } : bound,
  );
  return { ...request, constraints: { ...constraints, bounds } };
}

describe('a conflict', () => {
  it('has no path by itself, and one without any of its members; relaxing says what brute force says', () => {
    const seen = { conflicts: 0, severalMembers: 0, bare: 0, values: 0 };
    fc.assert(
      fc.property(cases, ({ ted, request }) => {
        fc.pre(hasOneFirstLink(ted, request.source));
        const answer = computePaths(freezeSnapshot(ted), request);
        fc.pre(answer.status === 'no-path');
        const { constraints: members, isMinimal } = answer.conflict;
        expect([answer.isProved, isMinimal]).toEqual([true, true]);
        const pointers = members.map(({ constraint }) => constraint);
        const others = constraintsOf(request).filter((pointer) => !pointers.includes(pointer));
        expect(optimum(ted, withoutConstraints(request, new Set(others)))).toBe(Infinity);
        if (members.length === 0) seen.bare++;
        else seen.conflicts++;
        if (members.length > 1) seen.severalMembers++;
        for (const { constraint, nearestFeasible, metric } of members) {
          expect(optimum(ted, withoutConstraints(request, new Set([...others, constraint])))).toBeLessThan(Infinity);
          const dropped = optimum(ted, withoutConstraints(request, new Set([constraint])));
          if (nearestFeasible === null) {
            expect(metric ?? Infinity).toBe(dropped);
            continue;
          }
          seen.values++;
          const isBandwidth = constraint === '/constraints/bandwidthBps';
          expect(metric).toBe(optimum(ted, withBound(request, constraint, nearestFeasible)));
          const nearer = nearestFeasible + (isBandwidth ? 1 : -1);
          expect(optimum(ted, withBound(request, constraint, nearer))).toBe(Infinity);
        }
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.conflicts, seen.severalMembers, seen.bare, seen.values)).toBeGreaterThan(10);
  });
});
