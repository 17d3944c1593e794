import type { TreeBuilder, TreeGraph } from './distance-tree.js';

const LANDMARKS = 8;
/** Distances from each landmark, then to each. */
const PER_NODE = 2 * LANDMARKS;

/**
 * Lower bounds of the distance to a destination, by the triangle inequality over nodes at the rim of a graph from and to which all
 * distances are known (ALT: Goldberg and Harrelson 2005). They hold in every graph with the same lengths, or greater ones, and
 * no arcs more; and they are consistent: between neighbours they differ by no more than the arc is long.
 */
export class Landmarks {
  /** By node. */
  readonly #rows: Float64Array;
  /** That of the destination. */
  #target: Float64Array = new Float64Array(PER_NODE);

  /** Lengths are whole numbers. Which nodes are chosen depends on the graph alone. */
  constructor(graph: TreeGraph, trees: TreeBuilder) {
    const { nodeCount } = graph.adjacencies.outgoing;
    this.#rows = new Float64Array(PER_NODE * nodeCount).fill(Infinity);
    const nearest = new Float64Array(nodeCount).fill(Infinity);
    let next = furthest(trees.grow(graph, 0, 'from').distance);
    for (let i = 0; i < LANDMARKS && next >= 0; i++) {
      const from = trees.grow(graph, next, 'from').distance;
      const to = trees.grow(graph, next, 'to').distance;
      for (let node = 0; node < nodeCount; node++) {
        const least = Math.min(from[node] as number, to[node] as number);
        this.#rows[PER_NODE * node + i] = from[node] as number;
        this.#rows[PER_NODE * node + LANDMARKS + i] = to[node] as number;
        if (least < (nearest[node] as number)) nearest[node] = least;
      }
      next = furthest(nearest);
    }
  }

  aimAt(destination: number): void {
    this.#target = this.#rows.subarray(PER_NODE * destination, PER_NODE * (destination + 1));
  }

  /** Least distance that a node can have to the destination; Infinity where there is no path. */
  bound(node: number): number {
    const rows = this.#rows;
    const target = this.#target;
    const row = PER_NODE * node;
    let bound = 0;
    for (let i = 0; i < LANDMARKS; i++) {
      // Between two Infinities there is no difference (NaN), and nothing to learn.
      const over = (target[i] as number) - (rows[row + i] as number);
      const before = (rows[row + LANDMARKS + i] as number) - (target[LANDMARKS + i] as number);
      if (over > bound) bound = over;
      if (before > bound) bound = before;
    }
    return bound;
  }
}

/** The first node at the greatest distance that is not Infinity; -1 when that is zero. */
function furthest(distance: Float64Array): number {
  let best = -1;
  let most = 0;
  distance.forEach((value, node) => {
    if (value <= most || value === Infinity) return;
    best = node;
    most = value;
  });
  return best;
}
