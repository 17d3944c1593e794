import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allDistances, arbitraryGraph } from '../testing/arbitrary-graph.js';
import { PointToPoint } from './point-to-point.js';

describe('shortest paths between two nodes', () => {
  it('have the least length, and consist of the arcs that are on the way', () => {
    fc.assert(
      fc.property(arbitraryGraph, (graph) => {
        const all = allDistances(graph);
        const search = new PointToPoint(graph.nodeCount);
        const { arcFrom, arcTo } = graph.adjacencies;
        for (let source = 0; source < graph.nodeCount; source++) {
          for (let destination = 0; destination < graph.nodeCount; destination++) {
            if (source === destination) continue;
            const found = search.find(graph, source, destination);
            const least = all[source]?.[destination] ?? Infinity;
            expect(found?.length ?? Infinity).toBe(least);
            if (found === null) continue;
            const isOnTheWay = (arc: number) =>
              graph.mask[arc] === 1 &&
              (all[source]?.[arcFrom[arc] as number] ?? Infinity) +
                (graph.length[arc] as number) +
                (all[arcTo[arc] as number]?.[destination] ?? Infinity) ===
                least;
            const onTheWay = [...graph.length.keys()].filter(isOnTheWay);
            // Over length zero an arc can be on the way by its distances and yet on no path without a circle.
            const isInCircle = (arc: number) => all[arcTo[arc] as number]?.[arcFrom[arc] as number] === 0;
            const sorted = [...found.arcs].sort((a, b) => a - b);
            expect(new Set(sorted).size).toBe(sorted.length);
            expect(sorted.filter((arc) => !onTheWay.includes(arc))).toEqual([]);
            expect(onTheWay.filter((arc) => !sorted.includes(arc) && !isInCircle(arc))).toEqual([]);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
