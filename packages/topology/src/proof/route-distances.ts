import type { Snapshot } from '../snapshot/snapshot.js';
import {
  flexTopology,
  igpTopology,
  incomingArcs,
  type AlgorithmTopology,
  type IncomingArcs,
} from './algorithm-topology.js';
import { DistanceQueue } from './distance-queue.js';

/** Trees kept per snapshot, in bytes; the least recently used go first. */
const CACHE_BYTES = 64 * 1024 * 1024;

/** Trees of any size that are kept in any case; then those that reach few nodes go, which are found again as soon as needed. */
const RECENT = 32;
/** Of all nodes, what a tree has to have reached to be worth keeping. */
const LEAST_PART_KEPT = 1 / 16;

/** Nodes that advertise a prefix, and the metric at which each does. */
type Targets = ReadonlyMap<number, number>;

/** What an algorithm's distances are computed over. */
interface Routes {
  readonly topology: AlgorithmTopology;
  readonly incoming: IncomingArcs;
}

/** Memory of a tree, whose distances are Infinity but for the nodes that it has reached. */
interface Memory {
  readonly distance: Float64Array;
  readonly queue: DistanceQueue;
  /** The nodes reached, while they are few. */
  readonly reached: number[];
}

/**
 * Distances to the nearest of some targets, as the routers' own SPF computes them: over the links of one algorithm, and to a
 * host over those of its attachment routers. Deliberately a plain Dijkstra of its own: the proof must not inherit a mistake
 * of the search. It runs backwards from the targets, and only as far as somebody asks.
 */
export class DistancesTo {
  readonly #snapshot: Snapshot;
  readonly #routes: Routes;
  readonly #targets: Targets;
  #memory: Memory;
  /** Another snapshot's distances are in the same memory: whoever goes on from here copies it first. */
  #isShared: boolean;
  /** How many nodes are few. */
  readonly #few: number;

  /** `memory`: of a tree that nobody uses any more, or of the same tree in another snapshot. */
  constructor(snapshot: Snapshot, routes: Routes, targets: Targets, memory: Memory | undefined, isSame: boolean) {
    this.#snapshot = snapshot;
    this.#routes = routes;
    this.#targets = targets;
    this.#few = LEAST_PART_KEPT * snapshot.nodeCount;
    this.#isShared = isSame;
    this.#memory = memory ?? newMemory(snapshot.nodeCount);
    if (isSame) return;
    for (const [target, metric] of targets) this.#label(target, metric);
  }

  get topology(): AlgorithmTopology {
    return this.#routes.topology;
  }

  /** Does it reach so much that it is worth keeping? */
  get isLarge(): boolean {
    return this.#memory.reached.length > this.#few;
  }

  /** Its memory, cleared for another tree, when this one is used no more; undefined where others still use it. */
  release(): Memory | undefined {
    if (this.#isShared) return undefined;
    const { distance, queue, reached } = this.#memory;
    if (this.isLarge) distance.fill(Infinity);
    else for (const node of reached) distance[node] = Infinity;
    queue.clear();
    reached.length = 0;
    return this.#memory;
  }

  /**
   * The same distances in another snapshot, unless a changed link has a part in them: it carried a shortest path and got
   * longer, or it offers one that is as short as what is known, or shorter.
   */
  unlessTouched(snapshot: Snapshot, routes: Routes, changed: readonly ChangedArc[]): DistancesTo | undefined {
    const { arcFrom, arcTo } = snapshot.data;
    const { distance } = this.#memory;
    const isTouched = changed.some(({ arc, before, after }) => {
      const from = arcFrom[arc] as number;
      const beyond = distance[arcTo[arc] as number] as number;
      if (beyond === Infinity || snapshot.isHost(from)) return false;
      return beyond + Math.min(before, after) <= (distance[from] as number);
    });
    if (isTouched) return undefined;
    this.#isShared = true;
    return new DistancesTo(snapshot, routes, this.#targets, this.#memory, true);
  }

  /** Infinity where there is no route. */
  from(node: number): number {
    // A distance is final once everything left in the queue is further away.
    while (this.#memory.queue.size > 0 && this.#memory.queue.least <= this.knownFrom(node)) this.#settleNearest();
    return this.knownFrom(node);
  }

  /** What is known already: final for every node that is no further away than one that was asked for. */
  knownFrom(node: number): number {
    return this.#memory.distance[node] as number;
  }

  #settleNearest(): void {
    if (this.#isShared) {
      this.#memory = copyOf(this.#memory);
      this.#isShared = false;
    }
    const { distance, queue } = this.#memory;
    const near = queue.least;
    const node = queue.pop();
    if (near > (distance[node] as number)) return;
    const { from, length } = this.#routes.incoming;
    const { inStart } = this.#snapshot.data;
    const end = inStart[node + 1] as number;
    for (let i = inStart[node] as number; i < end; i++) {
      const before = from[i] as number;
      const candidate = near + (length[i] as number);
      if (candidate < (distance[before] as number)) this.#label(before, candidate);
    }
  }

  #label(node: number, distance: number): void {
    const memory = this.#memory;
    if (memory.distance[node] === Infinity && memory.reached.length <= this.#few) memory.reached.push(node);
    memory.distance[node] = distance;
    memory.queue.push(distance, node);
  }

  /** May the arc carry packets for the targets? */
  carries(arc: number): boolean {
    const to = this.#snapshot.data.arcTo[arc] as number;
    return this.#routes.topology.has(arc) && (!this.#snapshot.isHost(to) || this.#targets.has(to));
  }

  /** Is the node a target that is nothing further away than itself? */
  isNearest(node: number): boolean {
    return this.#targets.get(node) === this.knownFrom(node);
  }
}

function newMemory(nodeCount: number): Memory {
  return { distance: new Float64Array(nodeCount).fill(Infinity), queue: new DistanceQueue(), reached: [] };
}

function copyOf({ distance, queue, reached }: Memory): Memory {
  return { distance: distance.slice(), queue: new DistanceQueue(queue), reached: [...reached] };
}

interface KeptTree {
  readonly algorithm: number;
  readonly tree: DistancesTo;
}

/** The distances to whatever was asked for lately. */
export class RouteDistances {
  readonly #snapshot: Snapshot;
  readonly #capacity: number;
  /** The last few, then the large ones before them; each in the order of their last use. */
  readonly #recent = new Map<number, KeptTree>();
  readonly #large = new Map<number, KeptTree>();
  /** Of trees that are not kept any more. */
  readonly #free: Memory[] = [];
  /** By algorithm. */
  readonly #routes = new Map<number, Routes>();

  /** `before`: those of the snapshot's predecessor, of which it takes over what the changes between the two do not touch. */
  constructor(snapshot: Snapshot, before?: RouteDistances) {
    this.#snapshot = snapshot;
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (8 * Math.max(1, snapshot.nodeCount))));
    if (before === undefined) return;
    const changedIn = new Map<AlgorithmTopology, readonly ChangedArc[]>();
    for (const [algorithm, { topology }] of before.#routes) {
      changedIn.set(topology, changedArcs(topology, this.#routesOf(algorithm).topology, snapshot.arcCount));
    }
    for (const [key, { algorithm, tree }] of [...before.#large, ...before.#recent]) {
      const kept = tree.unlessTouched(snapshot, this.#routesOf(algorithm), changedIn.get(tree.topology) ?? []);
      if (kept !== undefined) this.#keepLarge(key, { algorithm, tree: kept });
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
    const known = this.#recent.get(key) ?? this.#large.get(key);
    const entry = known ?? { algorithm, tree: this.#grow(algorithm, new Map(targets)) };
    this.#recent.delete(key);
    this.#large.delete(key);
    this.#recent.set(key, entry);
    this.#forgetOldest();
    return entry.tree;
  }

  #grow(algorithm: number, targets: Targets): DistancesTo {
    return new DistancesTo(this.#snapshot, this.#routesOf(algorithm), targets, this.#free.pop(), false);
  }

  #forgetOldest(): void {
    const [oldest] = this.#recent;
    if (this.#recent.size <= RECENT || oldest === undefined) return;
    const [key, entry] = oldest;
    this.#recent.delete(key);
    if (entry.tree.isLarge) this.#keepLarge(key, entry);
    else this.#takeBack(entry);
  }

  #keepLarge(key: number, entry: KeptTree): void {
    this.#large.set(key, entry);
    const [oldest] = this.#large;
    if (this.#large.size <= this.#capacity || oldest === undefined) return;
    this.#large.delete(oldest[0]);
    this.#takeBack(oldest[1]);
  }

  #takeBack({ tree }: KeptTree): void {
    const memory = tree.release();
    if (memory !== undefined && this.#free.length < RECENT) this.#free.push(memory);
  }

  #routesOf(algorithm: number): Routes {
    const known = this.#routes.get(algorithm);
    if (known !== undefined) return known;
    const topology = algorithm === 0 ? igpTopology(this.#snapshot) : flexTopology(this.#snapshot, algorithm);
    const routes = { topology, incoming: incomingArcs(this.#snapshot, topology) };
    this.#routes.set(algorithm, routes);
    return routes;
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
