import fc from 'fast-check';
import { adjacenciesOf, type Adjacencies } from '../spf/adjacency.js';

/** A multigraph with whole lengths: parallel arcs, loops of length zero, arcs that are masked, parts that are not joined. */
export interface RandomGraph {
  readonly nodeCount: number;
  readonly adjacencies: Adjacencies;
  readonly length: Float64Array;
  readonly mask: Uint8Array;
}

export interface RandomArc {
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly isThere: boolean;
}

export const arbitraryLength = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 1, max: 1000 }),
);

export const arbitraryGraph: fc.Arbitrary<RandomGraph> = fc.integer({ min: 1, max: 12 }).chain((nodeCount) => {
  const node = fc.integer({ min: 0, max: nodeCount - 1 });
  const arc = fc.record({
    from: node,
    to: node,
    length: arbitraryLength,
    isThere: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  });
  return fc.array(arc, { maxLength: 4 * nodeCount }).map((arcs) => graphOf(nodeCount, arcs));
});

/** The arcs are numbered in the order of their first node, as in a snapshot. */
export function graphOf(nodeCount: number, unordered: readonly RandomArc[]): RandomGraph {
  const arcs = [...unordered].sort((a, b) => a.from - b.from);
  const arcFrom = Uint32Array.from(arcs, ({ from }) => from);
  const arcTo = Uint32Array.from(arcs, ({ to }) => to);
  const startsOf = (ends: Uint32Array) =>
    Uint32Array.from({ length: nodeCount + 1 }, (_, node) => ends.filter((end) => end < node).length);
  const inArcs = Uint32Array.from(arcs.keys()).sort((a, b) => (arcTo[a] as number) - (arcTo[b] as number) || a - b);
  const rows = { nodeCount, arcFrom, arcTo, inArcs, outStart: startsOf(arcFrom), inStart: startsOf(arcTo) };
  return {
    nodeCount,
    adjacencies: adjacenciesOf(rows),
    length: Float64Array.from(arcs, ({ length }) => length),
    mask: Uint8Array.from(arcs, ({ isThere }) => (isThere ? 1 : 0)),
  };
}

/** Distances between all nodes, by Floyd and Warshall. */
export function allDistances({ nodeCount, adjacencies, length, mask }: RandomGraph): number[][] {
  const distances = Array.from({ length: nodeCount }, (_, a) =>
    Array.from({ length: nodeCount }, (_, b) => (a === b ? 0 : Infinity)),
  );
  const at = (a: number, b: number) => distances[a]?.[b] ?? Infinity;
  const improve = (a: number, b: number, value: number) => {
    const row = distances[a];
    if (row !== undefined && value < at(a, b)) row[b] = value;
  };
  length.forEach((value, arc) => {
    if (mask[arc] === 1) improve(adjacencies.arcFrom[arc] as number, adjacencies.arcTo[arc] as number, value);
  });
  for (let via = 0; via < nodeCount; via++) {
    for (let a = 0; a < nodeCount; a++) {
      for (let b = 0; b < nodeCount; b++) improve(a, b, at(a, via) + at(via, b));
    }
  }
  return distances;
}
