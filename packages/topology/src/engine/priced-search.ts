import type { Adjacencies, Adjacency } from '../spf/adjacency.js';
import { SearchHalf } from '../spf/search-half.js';

/** What is added up over a path: the length of each arc and, at a price, what it uses of something bounded. */
export interface PricedGraph {
  readonly adjacencies: Adjacencies;
  readonly mask: Uint8Array;
  readonly length: Float64Array;
  readonly use: Float64Array;
  readonly price: number;
}

/** Sums are not whole numbers: by how much one may be larger than a limit and yet count as equal. */
const TOLERANCE = 1 + 1e-9;

/**
 * Shortest paths between two nodes at a price, from both ends, and then every node by way of which the sum stays within a limit. Its
 * working memory is used again by the next query, without a reset.
 */
export class PricedSearch {
  readonly #forward: SearchHalf;
  readonly #backward: SearchHalf;
  /** Per node the last arc on its path from the source, and the first on its path to the destination. */
  readonly #arcInto: Int32Array;
  readonly #arcOutOf: Int32Array;
  #query = 0;
  #work = 0;
  #least = Infinity;
  #meeting = -1;

  constructor(nodeCount: number) {
    this.#forward = new SearchHalf(nodeCount);
    this.#backward = new SearchHalf(nodeCount);
    this.#arcInto = new Int32Array(nodeCount);
    this.#arcOutOf = new Int32Array(nodeCount);
  }

  /** Arcs looked at since this was made. */
  get work(): number {
    return this.#work;
  }

  /** A shortest path; null when there is none, or none within the limit. What is beyond the limit is not looked at. */
  find(graph: PricedGraph, source: number, destination: number, limit: number): number[] | null {
    const query = ++this.#query;
    const most = limit * TOLERANCE;
    const [forward, backward] = [this.#forward, this.#backward];
    forward.start(source, query);
    backward.start(destination, query);
    this.#least = Infinity;
    this.#meeting = -1;
    // Both roots in any case: when one half runs out of nodes, it has met the root of the other.
    this.#settleForward(graph, most);
    this.#settleBackward(graph, most);
    while (forward.next + backward.next < this.#least) this.#settleNarrower(graph, most);
    return this.#meeting < 0 || this.#least > most ? null : this.#pathBy(graph, this.#meeting);
  }

  /**
   * After `find` with at least this limit: the nodes by way of which source and destination are within it, and perhaps a few
   * more that are as good as on the limit.
   */
  nodesWithin(graph: PricedGraph, limit: number): number[] {
    const most = limit * TOLERANCE;
    const [forward, backward] = [this.#forward, this.#backward];
    while (forward.next + backward.next <= most) this.#settleNarrower(graph, most);
    // What neither half has settled is too far away by now: each has to go on only where the other has been.
    while (forward.next < Infinity) {
      if (this.#isWithin(forward.heap.first, most)) this.#settleForward(graph, most);
      else forward.heap.takeFirst(forward.distance);
    }
    while (backward.next < Infinity) {
      if (this.#isWithin(backward.heap.first, most)) this.#settleBackward(graph, most);
      else backward.heap.takeFirst(backward.distance);
    }
    return forward.settled.filter(
      (node) => this.#backward.settledIn[node] === this.#query && this.#isWithin(node, most),
    );
  }

  /** Of a node that one half has labelled: has the other settled it, and is the sum small enough? */
  #isWithin(node: number, most: number): boolean {
    const [forward, backward] = [this.#forward, this.#backward];
    if (forward.settledIn[node] !== this.#query && backward.settledIn[node] !== this.#query) return false;
    return (forward.distance[node] as number) + (backward.distance[node] as number) <= most;
  }

  /** Where fewer nodes are waiting, fewer are met (Pohl 1971). */
  #settleNarrower(graph: PricedGraph, most: number): void {
    if (this.#forward.heap.size <= this.#backward.heap.size) this.#settleForward(graph, most);
    else this.#settleBackward(graph, most);
  }

  #settleForward(graph: PricedGraph, most: number): void {
    this.#settle(graph, graph.adjacencies.outgoing, this.#forward, this.#backward, this.#arcInto, most);
  }

  #settleBackward(graph: PricedGraph, most: number): void {
    this.#settle(graph, graph.adjacencies.incoming, this.#backward, this.#forward, this.#arcOutOf, most);
  }

  #settle(
    { mask, length, use, price }: PricedGraph,
    { start, arcs, ends }: Adjacency,
    own: SearchHalf,
    other: SearchHalf,
    via: Int32Array,
    most: number,
  ): void {
    const query = this.#query;
    const { distance, labelledIn, heap } = own;
    const otherNext = other.next;
    const node = own.settleNearest(query);
    const here = distance[node] as number;
    const end = start[node + 1] as number;
    this.#work += end - (start[node] as number);
    for (let i = start[node] as number; i < end; i++) {
      const arc = arcs[i] as number;
      if (mask[arc] === 0) continue;
      const next = ends[i] as number;
      const candidate = here + (length[arc] as number) + price * (use[arc] as number);
      if (labelledIn[next] === query && candidate >= (distance[next] as number)) continue;
      const rest = other.settledIn[next] === query ? (other.distance[next] as number) : otherNext;
      // What the other half has not settled is at least as far from its root as what it settles next.
      if (candidate + rest > most) continue;
      distance[next] = candidate;
      labelledIn[next] = query;
      via[next] = arc;
      heap.moveUp(next, distance);
      if (other.labelledIn[next] !== query) continue;
      const sum = candidate + (other.distance[next] as number);
      if (sum >= this.#least) continue;
      this.#least = sum;
      this.#meeting = next;
    }
  }

  #pathBy({ adjacencies }: PricedGraph, meeting: number): number[] {
    const { arcFrom, arcTo } = adjacencies;
    const [source, destination] = [this.#forward.settled[0], this.#backward.settled[0]];
    const arcs: number[] = [];
    for (let node = meeting; node !== source; node = arcFrom[arcs.at(-1) as number] as number) {
      arcs.push(this.#arcInto[node] as number);
    }
    arcs.reverse();
    for (let node = meeting; node !== destination; node = arcTo[arcs.at(-1) as number] as number) {
      arcs.push(this.#arcOutOf[node] as number);
    }
    return arcs;
  }
}
