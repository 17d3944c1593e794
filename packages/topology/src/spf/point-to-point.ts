import type { Adjacency } from './adjacency.js';
import type { TreeGraph } from './distance-tree.js';
import { SearchHalf } from './search-half.js';

/** All shortest paths between two nodes. */
export interface ShortestPaths {
  readonly length: number;
  /** Every arc of every one of them, each once, in no order; with metric zero perhaps also arcs that only lead in a circle. */
  readonly arcs: readonly number[];
}

/**
 * Shortest paths between two nodes by Dijkstra from both ends (Nicholson 1966, with the stopping rule of Pohl 1971 made strict, so
 * that every node of every shortest path is settled from at least one end). Lengths are whole numbers: sums of the two halves
 * are compared for equality. Its working memory is used again by the next query, without a reset.
 */
export class PointToPoint {
  readonly #forward: SearchHalf;
  readonly #backward: SearchHalf;
  #query = 0;
  #work = 0;

  constructor(nodeCount: number) {
    this.#forward = new SearchHalf(nodeCount);
    this.#backward = new SearchHalf(nodeCount);
  }

  /** Arcs looked at since this was made. */
  get work(): number {
    return this.#work;
  }

  /** null when there is no path. */
  find(graph: TreeGraph, source: number, destination: number): ShortestPaths | null {
    if (source === destination) return { length: 0, arcs: [] };
    const { outgoing, incoming } = graph.adjacencies;
    const [forward, backward] = [this.#forward, this.#backward];
    const query = ++this.#query;
    forward.start(source, query);
    backward.start(destination, query);
    // Both roots in any case: when one half runs out of nodes, it has met the root of the other.
    let length = this.#settleNext(graph, outgoing, forward, backward, Infinity);
    length = this.#settleNext(graph, incoming, backward, forward, length);
    while (forward.next + backward.next <= length && forward.next + backward.next < Infinity) {
      // Where fewer nodes are waiting, fewer are met.
      length =
        forward.heap.size <= backward.heap.size
          ? this.#settleNext(graph, outgoing, forward, backward, length)
          : this.#settleNext(graph, incoming, backward, forward, length);
    }
    return length === Infinity ? null : { length, arcs: this.#collect(graph, length) };
  }

  /** Returns the length of the shortest path that is known afterwards. */
  #settleNext(
    { length, mask }: TreeGraph,
    adjacency: Adjacency,
    own: SearchHalf,
    other: SearchHalf,
    known: number,
  ): number {
    const query = this.#query;
    const { start, arcs, ends } = adjacency;
    const { distance, labelledIn, heap } = own;
    const node = own.settleNearest(query);
    const here = distance[node] as number;
    const end = start[node + 1] as number;
    this.#work += end - (start[node] as number);
    let best = known;
    for (let i = start[node] as number; i < end; i++) {
      const arc = arcs[i] as number;
      if (mask[arc] === 0) continue;
      const next = ends[i] as number;
      const candidate = here + (length[arc] as number);
      if (labelledIn[next] === query && candidate >= (distance[next] as number)) continue;
      if (candidate > best) continue;
      distance[next] = candidate;
      labelledIn[next] = query;
      heap.moveUp(next, distance);
      if (other.labelledIn[next] === query) best = Math.min(best, candidate + (other.distance[next] as number));
    }
    return best;
  }

  /** From the arcs where the halves meet, along tight arcs to both ends. */
  #collect(graph: TreeGraph, shortest: number): number[] {
    const { adjacencies, length, mask } = graph;
    const { outgoing, incoming } = adjacencies;
    const query = this.#query;
    const [forward, backward] = [this.#forward, this.#backward];
    const arcs = new Set<number>();
    const before: number[] = [];
    const behind: number[] = [];
    for (const node of forward.settled) {
      const here = forward.distance[node] as number;
      const end = outgoing.start[node + 1] as number;
      for (let i = outgoing.start[node] as number; i < end; i++) {
        const next = outgoing.ends[i] as number;
        const arc = outgoing.arcs[i] as number;
        if (backward.settledIn[next] !== query || mask[arc] === 0) continue;
        if (here + (length[arc] as number) + (backward.distance[next] as number) !== shortest) continue;
        arcs.add(arc);
        before.push(node);
        behind.push(next);
      }
    }
    this.#follow(graph, incoming, forward, before, arcs);
    this.#follow(graph, outgoing, backward, behind, arcs);
    return [...arcs];
  }

  /** Adds every tight arc between the root of a half and these nodes; `adjacency` leads towards the root. */
  #follow(
    { length, mask }: TreeGraph,
    adjacency: Adjacency,
    half: SearchHalf,
    from: number[],
    collected: Set<number>,
  ): void {
    const { start, arcs, ends } = adjacency;
    const seen = new Set(from);
    for (const node of seen) {
      const here = half.distance[node] as number;
      const end = start[node + 1] as number;
      for (let i = start[node] as number; i < end; i++) {
        const next = ends[i] as number;
        const arc = arcs[i] as number;
        if (half.settledIn[next] !== this.#query || mask[arc] === 0) continue;
        if ((half.distance[next] as number) + (length[arc] as number) !== here) continue;
        collected.add(arc);
        seen.add(next);
      }
    }
  }
}
