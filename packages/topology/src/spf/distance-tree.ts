import type { Adjacencies, Adjacency } from './adjacency.js';
import { DistanceHeap } from './distance-heap.js';

/** `from`: distances from the root to every node; `to`: from every node to the root. */
export type TreeDirection = 'from' | 'to';

/** What a tree is grown over. Lengths are not negative; an arc whose mask is 0 is not there. */
export interface TreeGraph {
  readonly adjacencies: Adjacencies;
  readonly length: Float64Array;
  readonly mask: Uint8Array;
}

/** Distances between one node and all others, with one shortest path to each. */
export interface DistanceTree {
  readonly root: number;
  readonly direction: TreeDirection;
  /** Per node; Infinity where there is no path. */
  readonly distance: Float64Array;
  /** Per node the last arc on a shortest path from the root (`to`: the first arc towards it); -1 at the root and where there is no path. */
  readonly parent: Int32Array;
}

/**
 * Grows distance trees, and repairs them after arcs have changed at the cost of what the change affects (in the manner of
 * Ramalingam and Reps, but by subtrees of one shortest-path tree: their count of tight arcs cannot tell a shortest path from a
 * cycle of length zero). Its working memory is used again by the next tree.
 */
export class TreeBuilder {
  readonly #heap: DistanceHeap;
  /** The number of the repair that last marked a node as affected. */
  readonly #affectedIn: Uint32Array;
  #repairs = 0;
  #work = 0;

  constructor(nodeCount: number) {
    this.#heap = new DistanceHeap(nodeCount);
    this.#affectedIn = new Uint32Array(nodeCount);
  }

  /** Arcs looked at since this was made. */
  get work(): number {
    return this.#work;
  }

  grow(graph: TreeGraph, root: number, direction: TreeDirection): DistanceTree {
    const { nodeCount } = graph.adjacencies.outgoing;
    const tree: DistanceTree = {
      root,
      direction,
      distance: new Float64Array(nodeCount).fill(Infinity),
      parent: new Int32Array(nodeCount).fill(-1),
    };
    tree.distance[root] = 0;
    this.#heap.moveUp(root, tree.distance);
    this.#settle(graph, tree, null);
    return tree;
  }

  /**
   * Makes a tree right again, in place, after `changed` arcs of the graph got another length or mask; the graph given is
   * the new one. Returns the nodes whose distance is not what it was, in no order.
   */
  repair(graph: TreeGraph, tree: DistanceTree, changed: readonly number[]): number[] {
    const { distance, parent, direction } = tree;
    const { length, mask, adjacencies } = graph;
    const [near, far] = nearAndFar(adjacencies, direction);
    const before = new Map<number, number>();
    const lengthOf = (arc: number) => (mask[arc] === 0 ? Infinity : (length[arc] as number));
    const affected = this.#affectedBy(
      changed.filter((arc) => {
        const node = far[arc] as number;
        return (
          parent[node] === arc && (distance[near[arc] as number] as number) + lengthOf(arc) > (distance[node] as number)
        );
      }),
      graph,
      tree,
    );
    for (const node of affected) {
      before.set(node, distance[node] as number);
      distance[node] = Infinity;
      parent[node] = -1;
    }
    for (const node of affected) this.#joinFromOutside(graph, tree, node);
    for (const arc of changed) {
      const to = far[arc] as number;
      const candidate = (distance[near[arc] as number] as number) + lengthOf(arc);
      if (candidate >= (distance[to] as number)) continue;
      if (!before.has(to)) before.set(to, distance[to] as number);
      distance[to] = candidate;
      parent[to] = arc;
      this.#heap.moveUp(to, distance);
    }
    this.#settle(graph, tree, before);
    const moved: number[] = [];
    for (const [node, was] of before) if (distance[node] !== was) moved.push(node);
    return moved;
  }

  /** The nodes whose path in the tree crosses one of these arcs. */
  #affectedBy(arcs: readonly number[], graph: TreeGraph, tree: DistanceTree): number[] {
    if (arcs.length === 0) return [];
    const mark = ++this.#repairs;
    const [, far] = nearAndFar(graph.adjacencies, tree.direction);
    const { start, arcs: leaving, ends: children } = along(graph.adjacencies, tree.direction);
    const affected: number[] = [];
    const add = (node: number) => {
      if (this.#affectedIn[node] === mark) return;
      this.#affectedIn[node] = mark;
      affected.push(node);
    };
    for (const arc of arcs) add(far[arc] as number);
    for (const node of affected) {
      const end = start[node + 1] as number;
      for (let i = start[node] as number; i < end; i++) {
        const child = children[i] as number;
        if (tree.parent[child] === leaving[i]) add(child);
      }
    }
    return affected;
  }

  /** Gives an affected node the best distance that it can have by way of a node that is not. */
  #joinFromOutside(
    { adjacencies, length, mask }: TreeGraph,
    { direction, distance, parent }: DistanceTree,
    node: number,
  ) {
    const { start, arcs, ends: neighbours } = along(adjacencies, direction === 'from' ? 'to' : 'from');
    let best = Infinity;
    let by = -1;
    const end = start[node + 1] as number;
    for (let i = start[node] as number; i < end; i++) {
      const neighbour = neighbours[i] as number;
      const arc = arcs[i] as number;
      if (this.#affectedIn[neighbour] === this.#repairs || mask[arc] === 0) continue;
      const candidate = (distance[neighbour] as number) + (length[arc] as number);
      if (candidate >= best) continue;
      best = candidate;
      by = arc;
    }
    if (by < 0) return;
    distance[node] = best;
    parent[node] = by;
    this.#heap.moveUp(node, distance);
  }

  /** Dijkstra from what is in the heap. `before`: takes the old distance of each node that gets a shorter one. */
  #settle({ adjacencies, length, mask }: TreeGraph, tree: DistanceTree, before: Map<number, number> | null): void {
    const { distance, parent, direction } = tree;
    const { start, arcs, ends: neighbours } = along(adjacencies, direction);
    const heap = this.#heap;
    while (heap.size > 0) {
      const node = heap.takeFirst(distance);
      const here = distance[node] as number;
      const end = start[node + 1] as number;
      this.#work += end - (start[node] as number);
      for (let i = start[node] as number; i < end; i++) {
        const arc = arcs[i] as number;
        if (mask[arc] === 0) continue;
        const next = neighbours[i] as number;
        const candidate = here + (length[arc] as number);
        const known = distance[next] as number;
        if (candidate >= known) continue;
        if (before !== null && !before.has(next)) before.set(next, known);
        distance[next] = candidate;
        parent[next] = arc;
        heap.moveUp(next, distance);
      }
    }
  }
}

/** Arcs as a tree crosses them, away from its root. */
function along({ outgoing, incoming }: Adjacencies, direction: TreeDirection): Adjacency {
  return direction === 'from' ? outgoing : incoming;
}

/** The ends of each arc as a tree crosses it: nearer to its root, and further away. */
function nearAndFar(
  { arcFrom, arcTo }: Adjacencies,
  direction: TreeDirection,
): readonly [near: Uint32Array, far: Uint32Array] {
  return direction === 'from' ? [arcFrom, arcTo] : [arcTo, arcFrom];
}
