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
  readonly #distance: Float64Array;
  readonly #queue = new DistanceQueue();

  constructor(snapshot: Snapshot, topology: AlgorithmTopology, targets: Targets) {
    this.#snapshot = snapshot;
    this.topology = topology;
    this.#targets = targets;
    this.#distance = new Float64Array(snapshot.nodeCount).fill(Infinity);
    for (const [target, metric] of targets) {
      this.#distance[target] = metric;
      this.#queue.push(metric, target);
    }
  }

  /** Infinity where there is no route. */
  from(node: number): number {
    // A distance is final once everything left in the queue is further away.
    while (this.#queue.least <= (this.#distance[node] as number)) {
      if (!this.#settleNearest()) break;
    }
    return this.#distance[node] as number;
  }

  /** What is known already: final for every node that is no further away than one that was asked for. */
  knownFrom(node: number): number {
    return this.#distance[node] as number;
  }

  #settleNearest(): boolean {
    const { least: reached, nearest: node } = this.#queue;
    if (node < 0) return false;
    this.#queue.pop();
    if (reached > (this.#distance[node] as number)) return true;
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
    return true;
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
  readonly #trees = new Map<number, DistancesTo>();
  /** By algorithm. */
  readonly #topologies = new Map<number, AlgorithmTopology>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (8 * Math.max(1, snapshot.nodeCount))));
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
    const tree = known ?? new DistancesTo(this.#snapshot, this.#topologyOf(algorithm), new Map(targets));
    this.#trees.delete(key);
    this.#trees.set(key, tree);
    const oldest = this.#trees.keys().next();
    if (this.#trees.size > this.#capacity && oldest.done !== true) this.#trees.delete(oldest.value);
    return tree;
  }

  #topologyOf(algorithm: number): AlgorithmTopology {
    const known = this.#topologies.get(algorithm);
    if (known !== undefined) return known;
    const topology = algorithm === 0 ? igpTopology(this.#snapshot) : flexTopology(this.#snapshot, algorithm);
    this.#topologies.set(algorithm, topology);
    return topology;
  }
}

/** Binary heap of (distance, node), in two columns: it holds thousands of entries, and as pairs they would be garbage. */
class DistanceQueue {
  readonly #distances: number[] = [];
  readonly #nodes: number[] = [];

  /** Infinity when empty. */
  get least(): number {
    return this.#distances[0] ?? Infinity;
  }

  /** Of the entry of the least distance; -1 when empty. */
  get nearest(): number {
    return this.#nodes[0] ?? -1;
  }

  push(distance: number, node: number): void {
    let i = this.#distances.length;
    this.#distances.push(distance);
    this.#nodes.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#distanceAt(parent) <= distance) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#put(i, distance, node);
  }

  /** Removes the nearest entry. */
  pop(): void {
    const distance = this.#distances.pop();
    const node = this.#nodes.pop();
    if (distance === undefined || node === undefined || this.#distances.length === 0) return;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const child = this.#distanceAt(left + 1) < this.#distanceAt(left) ? left + 1 : left;
      if (this.#distanceAt(child) >= distance) break;
      this.#move(child, i);
      i = child;
    }
    this.#put(i, distance, node);
  }

  #distanceAt(i: number): number {
    return this.#distances[i] ?? Infinity;
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#distances[from] as number, this.#nodes[from] as number);
  }

  #put(i: number, distance: number, node: number): void {
    this.#distances[i] = distance;
    this.#nodes[i] = node;
  }
}
