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
  )
  .chain(({ ted, request }) =>
    fc.record({
      ted: fc.constant(ted),
      request: fc.constant(request),
      optional: fc.shuffledSubarray(constraintsOf(request)).map((pointers) => pointers.slice(0, 4)),
    }),
  );

function hasOneFirstLink(ted: Ted, source: string): boolean {
  const node = ted.nodes.find((entry) => entry.id === source);
  return node?.kind !== 'host' || ted.links.filter((link) => link.from === source).length === 1;
}

function optimum(ted: Ted, request: PathRequest): number {
  return Math.min(...allowedWalks(ted, request).map((walk) => walkMetric(walk, request.metric)));
}

/** Of all choices of optional constraints for which there is a path: the one that keeps the most important ones. */
function bestChoice(ted: Ted, request: PathRequest, optional: readonly string[]): boolean[] | null {
  for (let choice = 2 ** optional.length - 1; choice >= 0; choice--) {
    const kept = optional.map((_, i) => (choice & (2 ** (optional.length - 1 - i))) !== 0);
    const dropped = new Set(optional.filter((_, i) => kept[i] !== true));
    if (optimum(ted, withoutConstraints(request, dropped)) < Infinity) return kept;
  }
  return null;
}

describe('optional constraints', () => {
  it('are kept as brute force over all choices of them would, and the path is the best that keeps these', () => {
    const seen = { all: 0, some: 0, none: 0 };
    fc.assert(
      fc.property(cases, ({ ted, request, optional }) => {
        fc.pre(optional.length > 0 && hasOneFirstLink(ted, request.source));
        const answer = computePaths(freezeSnapshot(ted), { ...request, optional });
        const kept = bestChoice(ted, request, optional);
        if (answer.status === 'no-path') {
          expect(kept).toBeNull();
          expect(answer.conflict.constraints.some(({ constraint }) => optional.includes(constraint))).toBe(false);
          return;
        }
        expect(answer.optional.map(({ constraint }) => constraint)).toEqual(optional);
        expect(answer.optional.map(({ isAchieved }) => isAchieved)).toEqual(kept);
        const dropped = optional.filter((_, i) => kept?.[i] !== true);
        expect(answer.lowerBound).toBe(optimum(ted, withoutConstraints(request, new Set(dropped))));
        expect(answer.optimality).toBe('optimal');
        for (const { isAchieved, missedBy } of answer.optional) {
          if (isAchieved) expect(missedBy).toBeNull();
        }
        seen[dropped.length === 0 ? 'all' : dropped.length === optional.length ? 'none' : 'some']++;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.all, seen.some, seen.none)).toBeGreaterThan(5);
  });
});
