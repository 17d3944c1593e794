import { SearchHeap } from '../engine/search-heap.js';

/** How far the shortest paths from one router are known. Used again for another without a reset of its arrays. */
export class IgpGrowth {
  router = -1;
  leaf = -1;
  readonly heap: SearchHeap;
  readonly distance: Float64Array;
  /** Settled nodes, nearest first. */
  readonly order: number[] = [];
  /** By node, its place in `order`: true only where that place holds the node. */
  readonly rank: Uint32Array;
  /** By node, the use in which it got its distance. */
  readonly labelledIn: Uint32Array;
  use = 0;

  constructor(nodeCount: number) {
    this.heap = new SearchHeap(nodeCount);
    this.distance = new Float64Array(nodeCount);
    this.rank = new Uint32Array(nodeCount);
    this.labelledIn = new Uint32Array(nodeCount);
  }

  start(router: number, leaf: number): void {
    this.router = router;
    this.leaf = leaf;
    this.use++;
    this.order.length = 0;
    this.heap.clear();
    this.distance[router] = 0;
    this.labelledIn[router] = this.use;
    this.heap.put(router, 0, 0);
  }

  isSettled(node: number): boolean {
    return this.order[this.rank[node] as number] === node;
  }

  /** Is a path known to it that is shorter than this? */
  isNearer(node: number, length: number): boolean {
    return this.labelledIn[node] === this.use && (this.distance[node] as number) < length;
  }

  /**
   * Did the arc carry a shortest path that is known, or does it now, or one as short? What is not settled has not looked at its
   * arcs yet.
   */
  isTouchedBy({ from, to, length, isIntoHost }: ChangedArc): boolean {
    if (!this.isSettled(from) || (isIntoHost && to !== this.leaf)) return false;
    const known = this.labelledIn[to] === this.use ? (this.distance[to] as number) : Infinity;
    return length < Infinity && (this.distance[from] as number) + length <= known;
  }
}

/** An arc that is not what it was in another snapshot. */
export interface ChangedArc {
  readonly from: number;
  readonly to: number;
  /** Packets take it for that host alone. */
  readonly isIntoHost: boolean;
  /** In whichever of the two it is shorter; Infinity where nothing takes it in either. */
  readonly length: number;
}
