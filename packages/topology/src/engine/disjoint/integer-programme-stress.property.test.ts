import fc from 'fast-check';
import * as highsModule from 'highs';
import { describe, expect, it } from 'vitest';
import type { DisjointMember, DisjointRequest } from '../../model/disjoint-paths.js';
import type { Disjointness } from '../../model/path-request.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec } from '../../testing/build-ted.js';
import { integerProgramme } from '../../testing/ilp-oracle.js';
import { computeDisjointPaths } from './compute-disjoint.js';

/*
 * Larger than brute force can do: up to 14 routers and 28 links, against integer programming.
 */
// The typings miss that the module is its default export.
const loadHighs = (highsModule as unknown as { readonly default: typeof highsModule.default.default }).default;
const names = Array.from({ length: 14 }, (_, i) => String.fromCharCode(97 + i)).map((id) => (id === 'h' ? 'z' : id));

const networks = fc
  .record({
    links: fc.array(
      fc.record({
        from: fc.nat(13),
        step: fc.integer({ min: 1, max: 13 }),
        igpMetric: fc.integer({ min: 0, max: 9 }),
        srlgs: fc.subarray([1, 2, 3, 4, 5, 6], { maxLength: 1 }),
      }),
      { minLength: 18, maxLength: 28 },
    ),
    sites: fc.array(fc.constantFrom('v', 'w', 'x', 'y', null, null), { minLength: 14, maxLength: 14 }),
  })
  .map(({ links, sites }) => {
    const specs = links.map(({ from, step, ...attributes }, n): LinkSpec => {
      const between = `${names[from] ?? ''}-${names[(from + step) % 14] ?? ''}#${n}`;
      return { between, ...attributes };
    });
    return buildTed(
      names.map((id, i) => ({ id, site: sites[i] ?? null, msdHEncaps: 100 })),
      specs,
    );
  });

const groups = fc
  .record({
    ends: fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), { minLength: 2, maxLength: 3 }),
    equal: fc.boolean(),
    disjoint: fc.subarray<Disjointness>(['link', 'node', 'srlg', 'site'], { minLength: 1 }),
    objective: fc.constantFrom('sum' as const, 'worst' as const),
  })
  .filter(({ ends }) => ends.every(([source, destination]) => source !== destination))
  .map(({ ends, equal, disjoint, objective }): DisjointRequest => {
    const members = ends.map((own): DisjointMember => {
      const [source, destination] = equal ? (ends[0] ?? own) : own;
      return { source, destination, constraints: {}, families: [] };
    });
    return { members, metric: 'igp', disjoint, objective };
  });

describe('disjoint paths in networks of fourteen routers', () => {
  it('are as good as an integer programme finds them, and exist when it has a solution', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(networks, groups, async (ted, request) => {
        // A fresh instance each time: one that has solved many programmes runs out of its memory.
        const highs = await loadHighs();
        const solution = highs.solve(integerProgramme(ted, request, request.disjoint));
        const answer = computeDisjointPaths(freezeSnapshot(ted), request);
        if (answer.status === 'no-path') {
          expect([answer.message, answer.isProved, solution.Status]).toEqual([answer.message, true, 'Infeasible']);
          return;
        }
        found++;
        expect([solution.Status, answer.optimality]).toEqual(['Optimal', 'optimal']);
        expect(answer.lowerBound).toBeCloseTo(solution.ObjectiveValue, 6);
      }),
      { numRuns: 25 * 10, endOnFailure: true },
    );
    expect(found).toBeGreaterThan(0);
  });
});
