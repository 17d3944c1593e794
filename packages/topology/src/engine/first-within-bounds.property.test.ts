import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { engineState } from './engine-state.js';
import { LooplessPaths } from './loopless-paths.js';
import { isWithinBounds, sumOver, type SearchProblem } from './search-problem.js';
import { WorkBudget } from './work-budget.js';

const scenario = fc.record({
  ted: arbitraryTed({ maxRouters: 7, maxLinks: 18, healthy: true, routing: 'never' }),
  metric: fc.constantFrom('igpMetric', 'teMetric', 'delayUs'),
  bounds: fc.array(
    fc.record({ metric: fc.constantFrom('igpMetric', 'teMetric', 'delayUs'), max: fc.integer({ min: 0, max: 9 }) }),
    { minLength: 1, maxLength: 3 },
  ),
  closed: fc.array(fc.nat({ max: 27 }), { maxLength: 3 }),
});

/** Every path from one node to another that passes no node twice. */
function simplePaths({ data }: Snapshot, mask: Uint8Array, source: number, destination: number): number[][] {
  const found: number[][] = [];
  const walk = (node: number, arcs: readonly number[], passed: ReadonlySet<number>): void => {
    if (node === destination) found.push([...arcs]);
    else
      for (let arc = data.outStart[node] as number; arc < (data.outStart[node + 1] as number); arc++) {
        const to = data.arcTo[arc] as number;
        if (mask[arc] === 1 && !passed.has(to)) walk(to, [...arcs, arc], new Set(passed).add(to));
      }
  };
  walk(source, [], new Set([source]));
  return found;
}

/** In the order in which they are preferred: cost, tie value, use of the bounds, arcs from the last to the first. */
function inOrder({ weight, tie, bounds }: SearchProblem, paths: readonly number[][]): number[][] {
  const keys = new Map(
    paths.map((arcs) => {
      const sums = [weight, tie, ...bounds.map((bound) => bound.weight)].map((values) => sumOver(values, arcs));
      return [arcs, [...sums, ...[...arcs].reverse()]];
    }),
  );
  const compare = (a: readonly number[] = [], b: readonly number[] = []) => {
    const at = a.findIndex((value, i) => value !== b[i]);
    return (a[at] ?? 0) - (b[at] ?? 0);
  };
  return [...paths].sort((a, b) => compare(keys.get(a), keys.get(b)));
}

describe('the first path within bounds', () => {
  it('is the cheapest, of the least tie value, use of the bounds and numbers among its equals, whose arcs it tells', () => {
    let bounded = 0;
    fc.assert(
      fc.property(scenario, ({ ted, metric, bounds, closed }) => {
        const snapshot = freezeSnapshot(ted);
        const { search, tie } = engineState(snapshot);
        const mask = new Uint8Array(snapshot.arcCount).fill(1);
        for (const arc of closed) mask[arc] = 0;
        for (let source = 0; source < snapshot.nodeCount; source++) {
          const destination = (source + 1) % snapshot.nodeCount;
          if (source === destination) continue;
          const problem: SearchProblem = {
            snapshot,
            weight: snapshot.data[metric],
            tie,
            mask,
            source,
            destination,
            include: [],
            bounds: bounds.map((bound) => ({ weight: snapshot.data[bound.metric], max: bound.max })),
          };
          const all = simplePaths(snapshot, mask, source, destination);
          const paths = inOrder(
            problem,
            all.filter((arcs) => isWithinBounds(problem.bounds, arcs)),
          );
          const ranked = new LooplessPaths(problem, search, new WorkBudget(Infinity));
          const first = ranked.firstAndTies();
          expect(ranked.isExact).toBe(true);
          const [best] = paths;
          if (best === undefined) {
            expect(first).toBeNull();
            continue;
          }
          const isBinding = !isWithinBounds(problem.bounds, inOrder({ ...problem, bounds: [] }, all)[0] ?? []);
          if (isBinding) bounded++;
          // Where the bounds do not bind, what is used of them is not looked at.
          if (isBinding) expect(first?.arcs).toEqual(best);
          expect(first?.cost).toBe(sumOver(problem.weight, best));
          for (const arcs of paths) {
            if (sumOver(problem.weight, arcs) > sumOver(problem.weight, best)) break;
            for (const arc of arcs) expect(ranked.optimalArcs?.has(arc)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(bounded).toBeGreaterThan(50);
  });
});
