import { adjacenciesOf, type Adjacency } from '../spf/adjacency.js';
import { DistanceHeap } from '../spf/distance-heap.js';
import { RELAXATION, type WorkBudget } from './work-budget.js';
import type { SearchProblem } from './search-problem.js';

/**
 * Least sums from every node to the destination over allowed arcs: of the optimised metric, then of each bound. Only of the nodes by
 * way of which source and destination are within every bound, each taken alone: no path that keeps the bounds leaves these.
 * Infinity elsewhere. Layers are ignored, so with an include list these are lower bounds.
 */
export function corridorDistances(problem: SearchProblem, budget: WorkBudget): Float64Array[] {
  const { snapshot, mask, source, destination, weight, bounds } = problem;
  const { nodeCount } = snapshot;
  const { outgoing, incoming } = adjacenciesOf(snapshot.data);
  const heap = new DistanceHeap(nodeCount);
  const grow = (adjacency: Adjacency, length: Float64Array, root: number, rest: Float64Array, max: number) => {
    const distance = new Float64Array(nodeCount).fill(Infinity);
    const work = settle({ adjacency, mask, length, root, rest, max, heap }, distance);
    budget.spend(work * RELAXATION);
    return distance;
  };
  /** 0 at the nodes that no bound has ruled out yet, Infinity elsewhere. */
  let open = new Float64Array(nodeCount);
  const trees: Float64Array[] = [];
  for (const { weight: length, max } of bounds) {
    const left = grow(incoming, length, destination, open, max);
    trees.push(left);
    open = grow(outgoing, length, source, left, max).map((distance) => (distance === Infinity ? Infinity : 0));
  }
  return [grow(incoming, weight, destination, open, Number.MAX_VALUE), ...trees];
}

/**
 * The same sums among a few nodes. Its arrays are used again: what `grow` returns is good until `clear`, which comes before the
 * next `grow`.
 */
export class CorridorTrees {
  readonly #heap: DistanceHeap;
  /** 0 at the nodes, Infinity elsewhere. */
  readonly #open: Float64Array;
  readonly #trees: Float64Array[] = [];
  #nodes: readonly number[] = [];

  constructor(nodeCount: number) {
    this.#heap = new DistanceHeap(nodeCount);
    this.#open = new Float64Array(nodeCount).fill(Infinity);
  }

  grow(problem: SearchProblem, nodes: readonly number[], budget: WorkBudget): readonly Float64Array[] {
    const { snapshot, mask, destination, weight, bounds } = problem;
    this.#nodes = nodes;
    for (const node of nodes) this.#open[node] = 0;
    const adjacency = adjacenciesOf(snapshot.data).incoming;
    const common = { adjacency, mask, root: destination, rest: this.#open, max: Number.MAX_VALUE, heap: this.#heap };
    return [weight, ...bounds.map((bound) => bound.weight)].map((length, i) => {
      const tree = (this.#trees[i] ??= new Float64Array(snapshot.nodeCount).fill(Infinity));
      budget.spend(settle({ ...common, length }, tree) * RELAXATION);
      return tree;
    });
  }

  clear(): void {
    for (const array of [this.#open, ...this.#trees]) for (const node of this.#nodes) array[node] = Infinity;
    this.#nodes = [];
  }
}

interface Growing {
  readonly adjacency: Adjacency;
  readonly mask: Uint8Array;
  readonly length: Float64Array;
  readonly root: number;
  /** A node is of interest while its distance and this together are at most `max`. */
  readonly rest: Float64Array;
  readonly max: number;
  readonly heap: DistanceHeap;
}

/** Dijkstra from the root over nodes of interest. Returns the number of arcs looked at. */
function settle({ adjacency, mask, length, root, rest, max, heap }: Growing, distance: Float64Array): number {
  const { start, arcs, ends } = adjacency;
  let work = 0;
  if ((rest[root] as number) > max) return work;
  distance[root] = 0;
  heap.moveUp(root, distance);
  while (heap.size > 0) {
    const node = heap.takeFirst(distance);
    const here = distance[node] as number;
    const end = start[node + 1] as number;
    work += end - (start[node] as number);
    for (let i = start[node] as number; i < end; i++) {
      const arc = arcs[i] as number;
      if (mask[arc] === 0) continue;
      const next = ends[i] as number;
      const candidate = here + (length[arc] as number);
      if (candidate >= (distance[next] as number) || candidate + (rest[next] as number) > max) continue;
      distance[next] = candidate;
      heap.moveUp(next, distance);
    }
  }
  return work;
}
