import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allDistances, arbitraryGraph, arbitraryLength } from '../testing/arbitrary-graph.js';
import { PricedSearch } from './priced-search.js';

const priced = arbitraryGraph.chain((graph) =>
  fc.record({
    graph: fc.constant(graph),
    use: fc
      .array(arbitraryLength, { minLength: graph.length.length, maxLength: graph.length.length })
      .map((values) => Float64Array.from(values)),
    price: fc.constantFrom(0, 0.5, 1, 3),
    slack: fc.constantFrom(0, 1, 7, 500),
    isLimited: fc.boolean(),
  }),
);

describe('a search at a price', () => {
  it('finds a path of the least sum, and the nodes by way of which it is not much more', () => {
    fc.assert(
      fc.property(priced, ({ graph, use, price, slack, isLimited }) => {
        const sums = graph.length.map((length, arc) => length + price * (use[arc] as number));
        const all = allDistances({ ...graph, length: sums });
        const asked = { ...graph, use, price };
        const search = new PricedSearch(graph.nodeCount);
        const { arcFrom, arcTo } = graph.adjacencies;
        for (let source = 0; source < graph.nodeCount; source++) {
          for (let destination = 0; destination < graph.nodeCount; destination++) {
            if (source === destination) continue;
            const least = all[source]?.[destination] ?? Infinity;
            if (least > 0) expect(search.find(asked, source, destination, Math.min(least, 5_000) - 0.5)).toBeNull();
            const limit = least + slack;
            const arcs = search.find(asked, source, destination, isLimited ? limit : Infinity);
            expect(arcs === null).toBe(least === Infinity);
            if (arcs === null) continue;
            expect(arcs.reduce((sum, arc) => sum + (sums[arc] as number), 0)).toBe(least);
            const nodes = [source, ...arcs.map((arc) => arcTo[arc] as number)];
            expect(nodes.at(-1)).toBe(destination);
            arcs.forEach((arc, i) => expect([graph.mask[arc], arcFrom[arc]]).toEqual([1, nodes[i]]));
            const near = [...Array(graph.nodeCount).keys()].filter(
              (node) => (all[source]?.[node] ?? Infinity) + (all[node]?.[destination] ?? Infinity) <= limit,
            );
            expect(search.nodesWithin(asked, limit).sort((a, b) => a - b)).toEqual(near);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
