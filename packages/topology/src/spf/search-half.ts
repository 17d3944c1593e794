import { DistanceHeap } from './distance-heap.js';

/** One half of a search from both ends: what it knows of distances from its root, and whether they are final. */
export class SearchHalf {
  readonly distance: Float64Array;
  readonly heap: DistanceHeap;
  /** Nodes whose distance is final, nearest first. */
  readonly settled: number[] = [];
  /** Per node the query that labelled it, and the one that settled it. */
  readonly labelledIn: Uint32Array;
  readonly settledIn: Uint32Array;

  constructor(nodeCount: number) {
    this.distance = new Float64Array(nodeCount);
    this.heap = new DistanceHeap(nodeCount);
    this.labelledIn = new Uint32Array(nodeCount);
    this.settledIn = new Uint32Array(nodeCount);
  }

  start(root: number, query: number): void {
    this.heap.clear();
    this.settled.length = 0;
    this.distance[root] = 0;
    this.labelledIn[root] = query;
    this.heap.moveUp(root, this.distance);
  }

  /** Distance of what would be settled next; Infinity when nothing is left. */
  get next(): number {
    return this.heap.size === 0 ? Infinity : (this.distance[this.heap.first] as number);
  }

  /** Makes the distance of the nearest labelled node final, and returns the node. There must be one. */
  settleNearest(query: number): number {
    const node = this.heap.takeFirst(this.distance);
    this.settledIn[node] = query;
    this.settled.push(node);
    return node;
  }
}
