import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** Trees kept per snapshot, in bytes; the least recently used go first. */
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * IGP distance from every router to a target, as the routers' own SPF computes it: over `Igp` arcs only, and to a host
 * over the usable links of its attachment routers. Deliberately a plain Dijkstra of its own: the proof must not
 * inherit a mistake of the search.
 */
export class IgpDistances {
  readonly #snapshot: Snapshot;
  readonly #capacity: number;
  readonly #trees = new Map<number, Float64Array>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / (8 * Math.max(1, snapshot.nodeCount))));
  }

  /** Distance of every node to `target`; Infinity where the IGP has no route. */
  to(target: number): Float64Array {
    const known = this.#trees.get(target);
    if (known !== undefined) {
      this.#trees.delete(target);
      this.#trees.set(target, known);
      return known;
    }
    const oldest = this.#trees.keys().next();
    if (this.#trees.size >= this.#capacity && oldest.done !== true) this.#trees.delete(oldest.value);
    const tree = distancesTo(this.#snapshot, target);
    this.#trees.set(target, tree);
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

function distancesTo(snapshot: Snapshot, target: number): Float64Array {
  const { arcFrom, igpMetric, inStart, inArcs } = snapshot.data;
  const distance = new Float64Array(snapshot.nodeCount).fill(Infinity);
  distance[target] = 0;
  const queue = new DistanceQueue();
  queue.push(0, target);
  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    const [reached, node] = entry;
    if (reached > (distance[node] as number)) continue;
    for (let i = inStart[node] as number; i < (inStart[node + 1] as number); i++) {
      const arc = inArcs[i] as number;
      const from = arcFrom[arc] as number;
      if (snapshot.isHost(from) || !carriesTowards(snapshot, arc, target)) continue;
      const candidate = reached + (igpMetric[arc] as number);
      if (candidate < (distance[from] as number)) {
        distance[from] = candidate;
        queue.push(candidate, from);
      }
    }
  }
  return distance;
}

/** Binary heap of (distance, node). */
class DistanceQueue {
  readonly #entries: (readonly [distance: number, node: number])[] = [];

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
