import { SearchHeap } from '../engine/search-heap.js';
import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { flexMetric } from './flex-links.js';

/** Everything a packet can take between two routers when the IGP alone decides. */
export interface EcmpBranches {
  /** Arcs that can be taken. */
  readonly arcs: readonly number[];
  readonly isSinglePath: boolean;
  /** Per weight asked for: the sum over the branch where it is largest. */
  readonly worst: readonly number[];
}

/**
 * The shortest paths of one algorithm of the IGP from one router, grown as far as is asked. A host given as `leaf` is
 * reached over its usable links like a stub network; no other host is. Reused between queries without a reset.
 */
export class IgpReach {
  readonly #snapshot: Snapshot;
  /** By arc. Of a flexible algorithm NaN where the arc is none of its links. */
  readonly metric: Float64Array;
  readonly #isFlexible: boolean;
  readonly #heap: SearchHeap;
  readonly #distance: Float64Array;
  readonly #labelled: Uint32Array;
  readonly #settled: Uint32Array;
  /** Settled nodes, nearest first. */
  readonly #order: number[] = [];
  #query = 0;
  #router = -1;
  #leaf = -1;

  constructor(snapshot: Snapshot, algorithm = 0) {
    this.#snapshot = snapshot;
    this.#isFlexible = algorithm !== 0;
    this.metric = this.#isFlexible ? flexMetric(snapshot, algorithm) : snapshot.data.igpMetric;
    this.#heap = new SearchHeap(snapshot.nodeCount);
    this.#distance = new Float64Array(snapshot.nodeCount);
    this.#labelled = new Uint32Array(snapshot.nodeCount);
    this.#settled = new Uint32Array(snapshot.nodeCount);
  }

  /** The router that questions are asked from. */
  get start(): number {
    return this.#router;
  }

  /** Asking from where the last question was asked continues with what is already known. */
  startAt(router: number, leaf: number): void {
    if (router === this.#router && leaf === this.#leaf) return;
    this.#router = router;
    this.#heap.clear();
    this.#order.length = 0;
    this.#query++;
    this.#leaf = leaf;
    this.#distance[router] = 0;
    this.#labelled[router] = this.#query;
    this.#heap.put(router, 0, 0);
  }

  /** IGP distance; Infinity when there is no route. */
  distanceTo(node: number): number {
    // Everything as near as the node must be settled too, so that all its equal predecessors are known.
    while (this.#settled[node] !== this.#query || this.#heap.leastKey <= (this.#distance[node] as number)) {
      if (!this.#settleNearest()) break;
    }
    return this.#settled[node] === this.#query ? (this.#distance[node] as number) : Infinity;
  }

  /** The node that is settled as number `i`: 0 is the router itself. -1 when there are not so many. */
  nth(i: number): number {
    while (this.#order.length <= i && this.#settleNearest());
    return this.#order[i] ?? -1;
  }

  #settleNearest(): boolean {
    const heap = this.#heap;
    if (heap.size === 0) return false;
    const { arcTo, outStart } = this.#snapshot.data;
    const { metric } = this;
    const query = this.#query;
    const isLabelled = this.#labelled;
    const distance = this.#distance;
    const nearest = heap.pop();
    this.#settled[nearest] = query;
    this.#order.push(nearest);
    const here = distance[nearest] as number;
    const end = outStart[nearest + 1] as number;
    for (let arc = outStart[nearest] as number; arc < end; arc++) {
      if (!this.carries(arc)) continue;
      const to = arcTo[arc] as number;
      const candidate = here + (metric[arc] as number);
      if (isLabelled[to] === query && candidate >= (distance[to] as number)) continue;
      isLabelled[to] = query;
      distance[to] = candidate;
      heap.put(to, candidate, 0);
    }
    return true;
  }

  /** Can packets of the IGP enter a node over an arc of metric zero? */
  hasZeroArcInto(node: number): boolean {
    const { inStart, inArcs } = this.#snapshot.data;
    const end = inStart[node + 1] as number;
    for (let i = inStart[node] as number; i < end; i++) {
      const arc = inArcs[i] as number;
      if (this.metric[arc] === 0 && this.carries(arc)) return true;
    }
    return false;
  }

  /** The only arc by which shortest paths enter a node; -1 when there are none or several, or its metric is zero. */
  soleArcInto(node: number): number {
    this.distanceTo(node);
    const arcs = this.shortestArcsInto(node);
    const arc = arcs.length === 1 ? (arcs[0] as number) : -1;
    return arc >= 0 && (this.metric[arc] as number) > 0 ? arc : -1;
  }

  /** All branches to a node; null when it is unreachable, or when they can loop. */
  branchesTo(node: number, weights: readonly Float64Array[]): EcmpBranches | null {
    if (this.distanceTo(node) === Infinity) return null;
    const router = this.#router;
    const { arcFrom, arcTo } = this.#snapshot.data;
    const leaving = new Map<number, number[]>();
    const seen = new Set([node]);
    for (const reached of seen) {
      for (const arc of this.shortestArcsInto(reached)) {
        const from = arcFrom[arc] as number;
        const known = leaving.get(from);
        if (known === undefined) leaving.set(from, [arc]);
        else known.push(arc);
        seen.add(from);
      }
    }
    // Over metric zero, "as near" does not mean "on the way": a next hop must reach the node without coming back.
    const leadsThere = (arc: number): boolean =>
      (this.metric[arc] as number) > 0 ||
      isReachable(arcTo[arc] as number, node, arcFrom[arc] as number, (from) => leaving.get(from) ?? [], arcTo);
    const nextHops = new Map<number, readonly number[]>();
    const walked = new Set([router]);
    for (const from of walked) {
      if (from === node) continue;
      const arcs = (leaving.get(from) ?? []).filter(leadsThere);
      nextHops.set(from, arcs);
      for (const arc of arcs) walked.add(arcTo[arc] as number);
    }
    return sumBranches(router, node, nextHops, arcTo, weights);
  }

  /** Arcs by which shortest paths enter a settled node; complete once everything as near is settled. */
  shortestArcsInto(node: number): number[] {
    const { arcFrom, inStart, inArcs } = this.#snapshot.data;
    const { metric } = this;
    const arcs: number[] = [];
    const end = inStart[node + 1] as number;
    for (let i = inStart[node] as number; i < end; i++) {
      const arc = inArcs[i] as number;
      const from = arcFrom[arc] as number;
      const isShortest =
        this.#settled[from] === this.#query &&
        this.carries(arc) &&
        (this.#distance[from] as number) + (metric[arc] as number) === this.#distance[node];
      if (isShortest) arcs.push(arc);
    }
    return arcs;
  }

  /** May the IGP send packets for the nodes asked about over this arc? */
  carries(arc: number): boolean {
    const { arcFlags, arcTo } = this.#snapshot.data;
    const flags = arcFlags[arc] as number;
    if (this.#isFlexible && Number.isNaN(this.metric[arc])) return false;
    return (flags & ArcFlag.Igp) !== 0 || (arcTo[arc] === this.#leaf && this.#carriesIntoHost(arc));
  }

  /** Distance to a host, `leaf` or not. */
  distanceToHost(host: number): number {
    let least = Infinity;
    for (const arc of this.#snapshot.linksInto(host)) {
      if (!this.#carriesIntoHost(arc)) continue;
      const distance = this.distanceTo(this.#snapshot.data.arcFrom[arc] as number) + (this.metric[arc] as number);
      if (distance < least) least = distance;
    }
    return least;
  }

  #carriesIntoHost(arc: number): boolean {
    return this.#snapshot.isUsable(arc) && !this.#snapshot.isHost(this.#snapshot.data.arcFrom[arc] as number);
  }
}

function isReachable(
  from: number,
  to: number,
  avoided: number,
  arcsOf: (node: number) => readonly number[],
  arcTo: Uint32Array,
): boolean {
  const seen = new Set([from]);
  for (const node of seen) {
    if (node === to) return true;
    for (const arc of arcsOf(node)) {
      const next = arcTo[arc] as number;
      if (next !== avoided) seen.add(next);
    }
  }
  return false;
}

/** Longest sums over the branches, each node after all it leads to; a node that never gets its turn is in a loop. */
function sumBranches(
  router: number,
  node: number,
  nextHops: ReadonlyMap<number, readonly number[]>,
  arcTo: Uint32Array,
  weights: readonly Float64Array[],
): EcmpBranches | null {
  const entering = new Map<number, { readonly from: number; readonly arc: number }[]>();
  const open = new Map<number, number>();
  const arcs: number[] = [];
  let isSinglePath = true;
  for (const [from, leaving] of nextHops) {
    open.set(from, leaving.length);
    if (leaving.length > 1) isSinglePath = false;
    for (const arc of leaving) {
      arcs.push(arc);
      const to = arcTo[arc] as number;
      const known = entering.get(to);
      if (known === undefined) entering.set(to, [{ from, arc }]);
      else known.push({ from, arc });
    }
  }
  const worst = new Map<number, number[]>([[node, weights.map(() => 0)]]);
  const ready = [node];
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    const sumsHere = worst.get(at) as number[];
    for (const { from, arc } of entering.get(at) ?? []) {
      const sums = weights.map((weight, i) => (sumsHere[i] as number) + (weight[arc] as number));
      const known = worst.get(from);
      worst.set(from, known === undefined ? sums : known.map((sum, i) => Math.max(sum, sums[i] as number)));
      const left = (open.get(from) as number) - 1;
      open.set(from, left);
      if (left === 0) ready.push(from);
    }
  }
  const isFinished = [...open.values()].every((left) => left === 0);
  const sums = worst.get(router);
  return isFinished && sums !== undefined ? { arcs, isSinglePath, worst: sums } : null;
}
