import type { Snapshot } from '../snapshot/snapshot.js';
import { flexTopology, igpTopology, type AlgorithmTopology } from './algorithm-topology.js';

/** Trees kept per snapshot, in bytes; the least recently used go first. */
const CACHE_BYTES = 64 * 1024 * 1024;

/** Nodes that advertise a prefix, and the metric at which each does. */
type Targets = ReadonlyMap<number, number>;

/**
 * Distances to the nearest of some targets, as the routers' own SPF computes them: over the links of one algorithm, and to a
 * host over those of its attachment routers. Deliberately a plain Dijkstra of its own: the proof must not inherit a mistake
 * of the search. It runs backwards from the targets, and only as far as somebody asks.
 */
export class DistancesTo {
  readonly #snapshot: Snapshot;
  readonly topology: AlgorithmTopology;
  readonly #targets: Targets;
  #distance: Float64Array;
  #queue: DistanceQueue;
  /** Another snapshot's distances are the same arrays: whoever goes on from here copies them first. */
  #isShared: boolean;

  constructor(snapshot: Snapshot, topology: AlgorithmTopology, targets: Targets, same?: DistancesTo) {
    this.#snapshot = snapshot;
    this.topology = topology;
    this.#targets = targets;
    this.#isShared = same !== undefined;
    if (same !== undefined) {
      same.#isShared = true;
      this.#distance = same.#distance;
      this.#queue = same.#queue;
      return;
    }
    this.#distance = new Float64Array(snapshot.nodeCount).fill(Infinity);
    this.#queue = new DistanceQueue();
    for (const [target, metric] of targets) {
      this.#distance[target] = metric;
      this.#queue.push(metric, target);
    }
  }

  /**
   * The same distances in another snapshot, unless a changed link has a part in them: it carried a shortest path and got
   * longer, or it offers one that is as short as what is known, or shorter.
   */
  unlessTouched(
    snapshot: Snapshot,
    topology: AlgorithmTopology,
    changed: readonly ChangedArc[],
  ): DistancesTo | undefined {
    const { arcFrom, arcTo } = snapshot.data;
    const isTouched = changed.some(({ arc, before, after }) => {
      const from = arcFrom[arc] as number;
      const beyond = this.#distance[arcTo[arc] as number] as number;
      if (beyond === Infinity || snapshot.isHost(from)) return false;
      return beyond + Math.min(before, after) <= (this.#distance[from] as number);
    });
    return isTouched ? undefined : new DistancesTo(snapshot, topology, this.#targets, this);
  }

  /** Infinity where there is no route. */
  from(node: number): number {
    // A distance is final once everything left in the queue is further away.
    while (this.#queue.size > 0 && this.#queue.least <= (this.#distance[node] as number)) this.#settleNearest();
    return this.#distance[node] as number;
  }

  /** What is known already: final for every node that is no further away than one that was asked for. */
  knownFrom(node: number): number {
    return this.#distance[node] as number;
  }

  #settleNearest(): void {
    if (this.#isShared) {
      this.#distance = this.#distance.slice();
      this.#queue = new DistanceQueue(this.#queue);
      this.#isShared = false;
    }
    const reached = this.#queue.least;
    const node = this.#queue.pop();
    if (reached > (this.#distance[node] as number)) return;
    const { arcFrom, inStart, inArcs } = this.#snapshot.data;
    for (let i = inStart[node] as number; i < (inStart[node + 1] as number); i++) {
      const arc = inArcs[i] as number;
      const from = arcFrom[arc] as number;
      if (this.#snapshot.isHost(from) || !this.carries(arc)) continue;
      const candidate = reached + (this.topology.metric[arc] as number);
      if (candidate < (this.#distance[from] as number)) {
        this.#distance[from] = candidate;
        this.#queue.push(candidate, from);
      }
    }
  }

  /** May the arc carry packets for the targets? */
  carries(arc: number): boolean {
    const to = this.#snapshot.data.arcTo[arc] as number;
    return this.topology.has(arc) && (!this.#snapshot.isHost(to) || this.#targets.has(to));
  }

  /** Is the node a target that is nothing further away than itself? */
  isNearest(node: number): boolean {
    return this.#targets.get(node) === this.#distance[node];
  }
}

/** The distances to whatever was asked for lately. */
export class RouteDistances {
  readonly #snapshot: Snapshot;
  readonly #capacity: number;
  readonly #trees = new Map<number, { readonly algorithm: number; readonly tree: DistancesTo }>();
  /** By algorithm. */
  readonly #topologies = new Map<number, AlgorithmTopology>();

  /** `before`: those of the snapshot's predecessor, of which it takes over what the changes between the two do not touch. */
  constructor(snapshot: Snapshot, before?: RouteDistances) {
    this.#snapshot = snapshot;
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (8 * Math.max(1, snapshot.nodeCount))));
    if (before === undefined) return;
    const changedIn = new Map<AlgorithmTopology, readonly ChangedArc[]>();
    for (const [algorithm, old] of before.#topologies) {
      changedIn.set(old, changedArcs(old, this.#topologyOf(algorithm), snapshot.arcCount));
    }
    for (const [key, { algorithm, tree }] of before.#trees) {
      const kept = tree.unlessTouched(snapshot, this.#topologyOf(algorithm), changedIn.get(tree.topology) ?? []);
      if (kept !== undefined) this.#trees.set(key, { algorithm, tree: kept });
    }
  }

  /** To the nodes that advertise one prefix for an algorithm: the owners of these locators. */
  to(locators: readonly number[]): DistancesTo {
    const { locatorNode, locatorMetric, locatorAlgorithm } = this.#snapshot.data;
    const [first = -1] = locators;
    const algorithm = locatorAlgorithm[first] as number;
    const isAlone = locators.length === 1;
    const targets = locators.map(
      (locator) => [locatorNode[locator] as number, isAlone ? 0 : (locatorMetric[locator] as number)] as const,
    );
    // All prefixes of one node alone have the same tree.
    const key = isAlone ? algorithm * this.#snapshot.nodeCount + (locatorNode[first] as number) : -1 - first;
    const known = this.#trees.get(key);
    const entry = known ?? {
      algorithm,
      tree: new DistancesTo(this.#snapshot, this.#topologyOf(algorithm), new Map(targets)),
    };
    this.#trees.delete(key);
    this.#trees.set(key, entry);
    const oldest = this.#trees.keys().next();
    if (this.#trees.size > this.#capacity && oldest.done !== true) this.#trees.delete(oldest.value);
    return entry.tree;
  }

  #topologyOf(algorithm: number): AlgorithmTopology {
    const known = this.#topologies.get(algorithm);
    if (known !== undefined) return known;
    const topology = algorithm === 0 ? igpTopology(this.#snapshot) : flexTopology(this.#snapshot, algorithm);
    this.#topologies.set(algorithm, topology);
    return topology;
  }
}

/** An arc that is shorter or longer in another snapshot; Infinity where it is not there. */
interface ChangedArc {
  readonly arc: number;
  readonly before: number;
  readonly after: number;
}

function changedArcs(before: AlgorithmTopology, after: AlgorithmTopology, arcCount: number): ChangedArc[] {
  const lengthIn = ({ has, metric }: AlgorithmTopology, arc: number) => (has(arc) ? (metric[arc] as number) : Infinity);
  const changed: ChangedArc[] = [];
  for (let arc = 0; arc < arcCount; arc++) {
    const [was, is] = [lengthIn(before, arc), lengthIn(after, arc)];
    if (was !== is) changed.push({ arc, before: was, after: is });
  }
  return changed;
}

/** Binary heap of nodes by distance. */
class DistanceQueue {
  readonly #distances: number[];
  readonly #nodes: number[];

  constructor(same?: DistanceQueue) {
    this.#distances = same === undefined ? [] : [...same.#distances];
    this.#nodes = same === undefined ? [] : [...same.#nodes];
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Infinity when empty. */
  get least(): number {
    return this.#distances[0] ?? Infinity;
  }

  push(distance: number, node: number): void {
    let i = this.size;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((this.#distances[parent] as number) <= distance) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#distances[i] = distance;
    this.#nodes[i] = node;
  }

  /** The nearest, of which `least` tells the distance; not for an empty queue. */
  pop(): number {
    const first = this.#nodes[0] as number;
    const distance = this.#distances.pop() as number;
    const node = this.#nodes.pop() as number;
    const { size } = this;
    if (size === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && (this.#distances[child + 1] as number) < (this.#distances[child] as number)) child++;
      if ((this.#distances[child] as number) >= distance) break;
      this.#move(child, i);
      i = child;
    }
    this.#distances[i] = distance;
    this.#nodes[i] = node;
    return first;
  }

  #move(from: number, to: number): void {
    this.#distances[to] = this.#distances[from] as number;
    this.#nodes[to] = this.#nodes[from] as number;
  }
}
