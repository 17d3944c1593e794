import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { allowedWalks, walkMetric } from '../testing/path-oracle.js';
import { computePaths } from './compute-paths.js';
import { leastOfPaths } from './least-of-paths.js';

const cases = fc
  .record({ bounds: fc.boolean(), include: fc.boolean(), maxSegments: fc.constantFrom(0, 1, 2) })
  .chain(({ maxSegments, ...shape }) =>
    arbitraryTed({ maxRouters: 4, maxLinks: 6, healthy: true }).chain((ted) =>
      fc.record({
        ted: fc.constant(ted),
        request: arbitraryRequest(ted, shape).map((request) => ({ ...request, maxSegments })),
      }),
    ),
  );

describe('what the best path is worth, whatever the headend can push', () => {
  it('is what brute force over all paths finds, and no list is worth less', () => {
    const seen = { asGood: 0, beyond: 0 };
    fc.assert(
      fc.property(cases, ({ ted, request }) => {
        const least = leastOfPaths(freezeSnapshot(ted), request) ?? Infinity;
        const isSplit =
          ted.nodes.find(({ id }) => id === request.source)?.kind === 'host' &&
          ted.links.filter(({ from }) => from === request.source).length > 1;
        const best = Math.min(...allowedWalks(ted, request).map((walk) => walkMetric(walk, request.metric)));
        if (isSplit) expect(least).toBeGreaterThanOrEqual(best);
        else expect(least).toBe(best);
        const answer = computePaths(freezeSnapshot(ted), request, { skipConflict: true });
        if (answer.status === 'no-path') return;
        if (isSplit) expect(answer.leastOfPaths ?? least).toBe(least);
        else expect(answer.leastOfPaths).toBe(least);
        expect(answer.lowerBound).toBeGreaterThanOrEqual(least);
        seen[answer.lowerBound > least ? 'beyond' : 'asGood']++;
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(seen.asGood, seen.beyond)).toBeGreaterThan(0);
  });
});
