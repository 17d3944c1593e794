import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allDistances, arbitraryGraph, arbitraryLength, type RandomGraph } from '../testing/arbitrary-graph.js';
import { TreeBuilder, type DistanceTree, type TreeDirection } from './distance-tree.js';

const directions: readonly TreeDirection[] = ['from', 'to'];

/** Does every node hang on the root by tight arcs, and only those without a path on nothing? */
function expectTree(graph: RandomGraph, tree: DistanceTree): void {
  const { arcFrom, arcTo } = graph.adjacencies;
  const nearer = tree.direction === 'from' ? arcFrom : arcTo;
  for (let node = 0; node < graph.nodeCount; node++) {
    let at = node;
    for (let steps = 0; tree.parent[at] !== -1; steps++) {
      const arc = tree.parent[at] as number;
      const before = nearer[arc] as number;
      expect(steps).toBeLessThan(graph.nodeCount);
      expect(graph.mask[arc]).toBe(1);
      expect((tree.distance[before] as number) + (graph.length[arc] as number)).toBe(tree.distance[at]);
      at = before;
    }
    expect(at).toBe(tree.distance[node] === Infinity ? node : tree.root);
  }
}

function distancesOf(graph: RandomGraph, root: number, direction: TreeDirection): number[] {
  const all = allDistances(graph);
  return direction === 'from' ? (all[root] ?? []) : all.map((row) => row[root] ?? Infinity);
}

describe('distance trees', () => {
  it('hold the least distances, with a path for each', () => {
    fc.assert(
      fc.property(arbitraryGraph, fc.nat(), (graph, seed) => {
        const root = seed % graph.nodeCount;
        const builder = new TreeBuilder(graph.nodeCount);
        for (const direction of directions) {
          const tree = builder.grow(graph, root, direction);
          expect([...tree.distance]).toEqual(distancesOf(graph, root, direction));
          expectTree(graph, tree);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are after every repair what they would be if they were grown anew, and say what has moved', () => {
    const change = fc.record({ arc: fc.nat(), length: arbitraryLength, isThere: fc.boolean() });
    fc.assert(
      fc.property(
        arbitraryGraph,
        fc.nat(),
        fc.array(fc.array(change, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        (first, seed, batches) => {
          if (first.length.length === 0) return;
          const root = seed % first.nodeCount;
          const builder = new TreeBuilder(first.nodeCount);
          const graph = { ...first, length: first.length.slice(), mask: first.mask.slice() };
          const trees = directions.map((direction) => builder.grow(graph, root, direction));
          for (const batch of batches) {
            const changed = [...new Set(batch.map(({ arc }) => arc % graph.length.length))];
            for (const { arc, length, isThere } of batch) {
              graph.length[arc % graph.length.length] = length;
              graph.mask[arc % graph.length.length] = isThere ? 1 : 0;
            }
            for (const tree of trees) {
              const before = [...tree.distance];
              const moved = builder.repair(graph, tree, changed);
              const expected = distancesOf(graph, root, tree.direction);
              expect([...tree.distance]).toEqual(expected);
              expectTree(graph, tree);
              expect([...moved].sort((a, b) => a - b)).toEqual(
                expected.map((_, node) => node).filter((node) => expected[node] !== before[node]),
              );
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
