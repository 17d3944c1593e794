import { DistanceHeap } from './distance-heap.js';
import type { TreeGraph } from './distance-tree.js';
import type { Landmarks } from './landmarks.js';
import type { ShortestPaths } from './point-to-point.js';

/**
 * Shortest paths between two nodes by A* with the bounds of landmarks: it looks at few nodes that are not on the way. Lengths are whole
 * numbers above zero. Its working memory is used again by the next query, without a reset.
 */
export class GoalDirectedSearch {
  readonly #distance: Float64Array;
  /** Of the path through a node, the least length there can be. */
  readonly #estimate: Float64Array;
  readonly #bound: Float64Array;
  readonly #labelledIn: Uint32Array;
  readonly #heap: DistanceHeap;
  #query = 0;

  constructor(nodeCount: number) {
    this.#distance = new Float64Array(nodeCount);
    this.#estimate = new Float64Array(nodeCount);
    this.#bound = new Float64Array(nodeCount);
    this.#labelledIn = new Uint32Array(nodeCount);
    this.#heap = new DistanceHeap(nodeCount);
  }

  /** null when there is no path. */
  find(graph: TreeGraph, landmarks: Landmarks, source: number, destination: number): ShortestPaths | null {
    if (source === destination) return { length: 0, arcs: [] };
    const { length: lengths, mask, adjacencies } = graph;
    const { start, ends } = adjacencies.outgoing;
    const { arcs } = adjacencies.outgoing;
    const distance = this.#distance;
    const estimate = this.#estimate;
    const heap = this.#heap;
    const labelledIn = this.#labelledIn;
    const bound = this.#bound;
    const query = ++this.#query;
    landmarks.aimAt(destination);
    heap.clear();
    distance[source] = 0;
    labelledIn[source] = query;
    bound[source] = landmarks.bound(source);
    estimate[source] = bound[source];
    heap.moveUp(source, estimate);
    let shortest = Infinity;
    // To the end of what is as short, so that every node of every shortest path has its distance.
    while (heap.size > 0 && (estimate[heap.first] as number) <= shortest) {
      const node = heap.takeFirst(estimate);
      const here = distance[node] as number;
      if (node === destination) {
        shortest = here;
        continue;
      }
      const end = start[node + 1] as number;
      for (let i = start[node] as number; i < end; i++) {
        const arc = arcs[i] as number;
        if (mask[arc] === 0) continue;
        const next = ends[i] as number;
        const candidate = here + (lengths[arc] as number);
        if (labelledIn[next] !== query) {
          labelledIn[next] = query;
          bound[next] = landmarks.bound(next);
        } else if (candidate >= (distance[next] as number)) continue;
        const least = candidate + (bound[next] as number);
        distance[next] = candidate;
        estimate[next] = least;
        if (least < Infinity) heap.moveUp(next, estimate);
      }
    }
    return shortest === Infinity ? null : { length: shortest, arcs: this.#collect(graph, destination) };
  }

  /** Backwards from the destination along the arcs by which distances came about. */
  #collect({ adjacencies, length, mask }: TreeGraph, destination: number): number[] {
    const { start, arcs, ends } = adjacencies.incoming;
    const distance = this.#distance;
    const collected: number[] = [];
    const seen = new Set([destination]);
    for (const node of seen) {
      const here = distance[node] as number;
      const end = start[node + 1] as number;
      for (let i = start[node] as number; i < end; i++) {
        const arc = arcs[i] as number;
        const before = ends[i] as number;
        if (mask[arc] === 0 || this.#labelledIn[before] !== this.#query) continue;
        if ((distance[before] as number) + (length[arc] as number) !== here) continue;
        collected.push(arc);
        seen.add(before);
      }
    }
    return collected;
  }
}
