import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { adjacenciesOf } from '../spf/adjacency.js';
import { TreeBuilder, type DistanceTree, type TreeGraph } from '../spf/distance-tree.js';

/** Trees kept per snapshot, in bytes. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** A tree of an earlier snapshot, and the arcs by which that one's IGP differs where the tree may be touched. */
interface StaleTree {
  readonly tree: DistanceTree;
  readonly changed: readonly number[];
}

/**
 * IGP distances to one router after the other. Of the snapshot's predecessor it takes over the trees that a change does not
 * touch, and repairs the others when they are asked for: never in place, since the predecessor goes on using them.
 */
class IgpDistances {
  readonly #graph: TreeGraph;
  readonly #builder: TreeBuilder;
  readonly #capacity: number;
  readonly #trees = new Map<number, DistanceTree>();
  readonly #stale = new Map<number, StaleTree>();

  constructor({ data, nodeCount }: Snapshot, before: IgpDistances | undefined) {
    const mask = data.arcFlags.map((flags) => flags & ArcFlag.Igp);
    this.#graph = { adjacencies: adjacenciesOf(data), length: data.igpMetric, mask };
    this.#builder = before === undefined ? new TreeBuilder(nodeCount) : before.#builder;
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (12 * Math.max(1, nodeCount))));
    if (before !== undefined) this.#takeOver(before);
  }

  to(router: number): Float64Array {
    const known = this.#trees.get(router);
    if (known !== undefined) return known.distance;
    const tree = this.#repaired(router) ?? this.#builder.grow(this.#graph, router, 'to');
    if (this.#trees.size >= this.#capacity) this.#trees.clear();
    this.#trees.set(router, tree);
    return tree.distance;
  }

  #takeOver(before: IgpDistances): void {
    const changed = changedArcs(before.#graph, this.#graph);
    for (const [router, tree] of before.#trees) {
      const isTouched = changed.some((arc) => isTouchedBy(tree, arc, before.#graph, this.#graph));
      if (!isTouched) this.#trees.set(router, tree);
      else if (changed.length <= MOST_CHANGED) this.#stale.set(router, { tree, changed });
    }
    for (const [router, { tree, changed: earlier }] of before.#stale) {
      const all = [...new Set([...earlier, ...changed])];
      if (all.length <= MOST_CHANGED) this.#stale.set(router, { tree, changed: all });
    }
  }

  #repaired(router: number): DistanceTree | undefined {
    const stale = this.#stale.get(router);
    if (stale === undefined) return undefined;
    this.#stale.delete(router);
    const { tree, changed } = stale;
    const copy = { ...tree, distance: tree.distance.slice(), parent: tree.parent.slice() };
    this.#builder.repair(this.#graph, copy, changed);
    return copy;
  }
}

/** Of more arcs than that a tree is not repaired but grown anew. */
const MOST_CHANGED = 32;

function changedArcs(before: TreeGraph, after: TreeGraph): number[] {
  const changed: number[] = [];
  for (let arc = 0; arc < after.mask.length; arc++) {
    if (before.mask[arc] !== after.mask[arc] || before.length[arc] !== after.length[arc]) changed.push(arc);
  }
  return changed;
}

/** Ramalingam and Reps: only what the tree crosses, or what is now a shorter way, can change a distance. */
function isTouchedBy({ distance, parent }: DistanceTree, arc: number, before: TreeGraph, after: TreeGraph): boolean {
  const { arcFrom, arcTo } = after.adjacencies;
  const from = arcFrom[arc] as number;
  if (parent[from] === arc && lengthIn(after, arc) > lengthIn(before, arc)) return true;
  return (distance[arcTo[arc] as number] as number) + lengthIn(after, arc) < (distance[from] as number);
}

function lengthIn({ mask, length }: TreeGraph, arc: number): number {
  return mask[arc] === 0 ? Infinity : (length[arc] as number);
}

const known = new WeakMap<Snapshot, IgpDistances>();

/**
 * By node, the least IGP metric from it to a router over what carries the routers' SPF; Infinity where there is no path. Kept,
 * and carried over to snapshots derived from this one: not to be written to.
 */
export function igpDistancesTo(snapshot: Snapshot, router: number): Float64Array {
  let found = known.get(snapshot);
  if (found === undefined) {
    const predecessor = snapshot.predecessorIn(known);
    found = new IgpDistances(snapshot, predecessor && known.get(predecessor));
    known.set(snapshot, found);
  }
  return found.to(router);
}
