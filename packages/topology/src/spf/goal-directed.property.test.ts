import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allDistances, arbitraryGraph } from '../testing/arbitrary-graph.js';
import { TreeBuilder } from './distance-tree.js';
import { GoalDirectedSearch } from './goal-directed.js';
import { Landmarks } from './landmarks.js';
import { PointToPoint } from './point-to-point.js';

/** Lengths above zero; the landmarks also know arcs that the search may not take. */
const scenario = arbitraryGraph.map((graph) => {
  const length = graph.length.map((value) => value + 1);
  const all = { ...graph, length, mask: graph.mask.map(() => 1) };
  return { graph: { ...graph, length }, landmarks: new Landmarks(all, new TreeBuilder(graph.nodeCount)) };
});

describe('landmarks', () => {
  it('never promise more than the distance, and say of neighbours nothing that contradicts the arc between them', () => {
    fc.assert(
      fc.property(scenario, ({ graph, landmarks }) => {
        const all = allDistances(graph);
        const { arcFrom, arcTo } = graph.adjacencies;
        for (let destination = 0; destination < graph.nodeCount; destination++) {
          landmarks.aimAt(destination);
          for (let node = 0; node < graph.nodeCount; node++) {
            expect(landmarks.bound(node)).toBeLessThanOrEqual(all[node]?.[destination] ?? Infinity);
          }
          graph.length.forEach((value, arc) => {
            const beyond = landmarks.bound(arcTo[arc] as number);
            expect(landmarks.bound(arcFrom[arc] as number)).toBeLessThanOrEqual(value + beyond);
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('lead a search to the same shortest paths as one from both ends', () => {
    fc.assert(
      fc.property(scenario, ({ graph, landmarks }) => {
        const [search, other] = [new GoalDirectedSearch(graph.nodeCount), new PointToPoint(graph.nodeCount)];
        for (let source = 0; source < graph.nodeCount; source++) {
          for (let destination = 0; destination < graph.nodeCount; destination++) {
            const found = search.find(graph, landmarks, source, destination);
            const expected = other.find(graph, source, destination);
            const sorted = (arcs: readonly number[]) => [...arcs].sort((a, b) => a - b);
            expect(found && { length: found.length, arcs: sorted(found.arcs) }).toEqual(
              expected && { length: expected.length, arcs: sorted(expected.arcs) },
            );
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
