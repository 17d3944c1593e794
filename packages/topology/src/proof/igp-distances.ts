import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** Trees kept per snapshot, in bytes; the least recently used go first. */
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * IGP distances to a target, as the routers' own SPF computes them: over `Igp` arcs only, and to a host over the usable
 * links of its attachment routers. Deliberately a plain Dijkstra of its own: the proof must not inherit a mistake of
 * the search. It runs backwards from the target, and only as far as somebody asks.
 */
export class DistancesTo {
  readonly #snapshot: Snapshot;
  readonly #target: number;
  readonly #distance: Float64Array;
  readonly #queue = new DistanceQueue();

  constructor(snapshot: Snapshot, target: number) {
    this.#snapshot = snapshot;
    this.#target = target;
    this.#distance = new Float64Array(snapshot.nodeCount).fill(Infinity);
    this.#distance[target] = 0;
    this.#queue.push(0, target);
  }

  /** Infinity where the IGP has no route. */
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
    const entry = this.#queue.pop();
    if (entry === undefined) return false;
    const [reached, node] = entry;
    if (reached > (this.#distance[node] as number)) return true;
    const { arcFrom, igpMetric, inStart, inArcs } = this.#snapshot.data;
    for (let i = inStart[node] as number; i < (inStart[node + 1] as number); i++) {
      const arc = inArcs[i] as number;
      const from = arcFrom[arc] as number;
      if (this.#snapshot.isHost(from) || !carriesTowards(this.#snapshot, arc, this.#target)) continue;
      const candidate = reached + (igpMetric[arc] as number);
      if (candidate < (this.#distance[from] as number)) {
        this.#distance[from] = candidate;
        this.#queue.push(candidate, from);
      }
    }
    return true;
  }
}

/** The distances to every target that was asked for lately. */
export class IgpDistances {
  readonly #snapshot: Snapshot;
  readonly #capacity: number;
  readonly #trees = new Map<number, DistancesTo>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (8 * Math.max(1, snapshot.nodeCount))));
  }

  to(target: number): DistancesTo {
    const tree = this.#trees.get(target) ?? new DistancesTo(this.#snapshot, target);
    this.#trees.delete(target);
    this.#trees.set(target, tree);
    const oldest = this.#trees.keys().next();
    if (this.#trees.size > this.#capacity && oldest.done !== true) this.#trees.delete(oldest.value);
    return tree;
  }
}

/** May this arc carry packets towards `target` by the IGP? */
export function carriesTowards(snapshot: Snapshot, arc: number, target: number): boolean {
  const { arcFlags, arcTo } = snapshot.data;
  const flags = arcFlags[arc] as number;
  if ((flags & ArcFlag.Igp) !== 0) return true;
  return (flags & ArcFlag.Usable) !== 0 && arcTo[arc] === target && snapshot.isHost(target);
}

/** Binary heap of (distance, node). */
class DistanceQueue {
  readonly #entries: (readonly [distance: number, node: number])[] = [];

  /** Infinity when empty. */
  get least(): number {
    return this.#distanceAt(0);
  }

  push(distance: number, node: number): void {
    const entries = this.#entries;
    let i = entries.length;
    entries.push([distance, node]);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#distanceAt(parent) <= this.#distanceAt(i)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  pop(): readonly [distance: number, node: number] | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first;
    entries[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < entries.length && this.#distanceAt(child) < this.#distanceAt(least)) least = child;
      }
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #distanceAt(i: number): number {
    return this.#entries[i]?.[0] ?? Infinity;
  }

  #swap(i: number, j: number): void {
    const entries = this.#entries;
    [entries[i], entries[j]] = [entries[j] as readonly [number, number], entries[i] as readonly [number, number]];
  }
}
