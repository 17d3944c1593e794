import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { sumBranches, type EcmpBranches } from './ecmp-branches.js';
import { flexMetric } from './flex-links.js';
import { IgpGrowth, type ChangedArc } from './igp-growth.js';

/** Memory for what is known from routers asked about lately, per snapshot and algorithm, in bytes. */
const KEPT_BYTES = 32 * 1024 * 1024;
/** Of the heap, the distance, the mark and the rank. */
const BYTES_PER_NODE = 40;
/** What is known of less than this part of all nodes is cheaper to find out again than to keep. */
const LEAST_PART_KEPT = 1 / 16;

/** What has been found out of an arc between two routers, compared with the distance between them. */
const Way = {
  Unknown: 0,
  /** They are nearer to each other. */
  Longer: 1,
  /** It is the only shortest path. */
  Sole: 2,
  /** There are others, or the IGP does not use it. */
  Other: 3,
} as const;

/**
 * The shortest paths of one algorithm of the IGP from one router at a time, grown as far as is asked. A host given as `leaf` is
 * reached over its usable links like a stub network; no other host is. What is known from the routers asked about last is kept,
 * and of each arc that was asked about, whether the IGP has something better.
 */
export class IgpReach {
  readonly #snapshot: Snapshot;
  /** By arc. Of a flexible algorithm NaN where the arc is none of its links. */
  readonly metric: Float64Array;
  readonly #isFlexible: boolean;
  /** 1 at nodes into which some arc of metric zero leads; null where no arc has it. */
  readonly #zeroInto: Uint8Array | null;
  readonly #capacity: number;
  readonly #kept = new Map<number, IgpGrowth>();
  /** By arc, a `Way`. */
  readonly #ways: Uint8Array;
  #router = -1;
  #leaf = -1;
  /** That of the router, once something is asked that needs it. */
  #growth: IgpGrowth | null = null;
  /** The last that was started. */
  #last: IgpGrowth | null = null;

  /** `before`: that of the snapshot's predecessor. What the changes between the two do not touch is taken from it. */
  constructor(snapshot: Snapshot, algorithm = 0, before?: IgpReach) {
    this.#snapshot = snapshot;
    this.#isFlexible = algorithm !== 0;
    this.metric = this.#isFlexible ? flexMetric(snapshot, algorithm) : snapshot.data.igpMetric;
    this.#zeroInto = nodesBehindZero(snapshot, this.metric);
    this.#capacity = Math.max(2, Math.floor(KEPT_BYTES / (BYTES_PER_NODE * snapshot.nodeCount)));
    this.#ways = new Uint8Array(snapshot.arcCount);
    if (before !== undefined) this.#takeOver(before);
  }

  #takeOver(before: IgpReach): void {
    const changed = this.#arcsOtherThanIn(before);
    for (const [key, growth] of before.#kept) {
      // Somebody may be in the middle of asking about the last one, and start another in its place.
      if (growth === before.#last || changed.some((arc) => growth.isTouchedBy(arc))) continue;
      before.#kept.delete(key);
      this.#kept.set(key, growth);
    }
  }

  #arcsOtherThanIn(before: IgpReach): ChangedArc[] {
    const { arcFlags, arcFrom, arcTo } = this.#snapshot.data;
    const flagsBefore = before.#snapshot.data.arcFlags;
    const changed: ChangedArc[] = [];
    for (let arc = 0; arc < arcFlags.length; arc++) {
      const flags = (arcFlags[arc] as number) ^ (flagsBefore[arc] as number);
      if ((flags & (ArcFlag.Igp | ArcFlag.Usable)) === 0 && Object.is(before.metric[arc], this.metric[arc])) continue;
      const to = arcTo[arc] as number;
      const length = Math.min(before.#lengthOf(arc), this.#lengthOf(arc));
      changed.push({ from: arcFrom[arc] as number, to, isIntoHost: this.#snapshot.isHost(to), length });
    }
    return changed;
  }

  /** For packets to where it leads; Infinity where they cannot take it. */
  #lengthOf(arc: number): number {
    const metric = this.metric[arc] as number;
    const { arcFlags, arcTo } = this.#snapshot.data;
    const isTaken = this.#snapshot.isHost(arcTo[arc] as number)
      ? this.#carriesIntoHost(arc)
      : ((arcFlags[arc] as number) & ArcFlag.Igp) !== 0;
    return isTaken && !Number.isNaN(metric) ? metric : Infinity;
  }

  /** The router that questions are asked from; -1 before the first. */
  get start(): number {
    return this.#router;
  }

  /** Asking from where questions were asked lately continues with what is already known. */
  startAt(router: number, leaf: number): void {
    if (this.#router === router && this.#leaf === leaf) return;
    this.#router = router;
    this.#leaf = leaf;
    this.#growth = null;
  }

  get #current(): IgpGrowth {
    return this.#growth ?? this.#takeUp();
  }

  /** What is known from the router, or a beginning. */
  #takeUp(): IgpGrowth {
    const [router, leaf] = [this.#router, this.#leaf];
    if (router < 0) throw new Error('startAt comes first');
    const key = this.#keyOf(router, leaf);
    const known = this.#kept.get(key);
    const growth = known ?? this.#takeOut();
    if (known === undefined) growth.start(router, leaf);
    else this.#kept.delete(key);
    this.#kept.set(key, growth);
    this.#growth = growth;
    this.#last = growth;
    return growth;
  }

  /** One to start anew: the last, when little is known from it, or else what was asked about longest ago. */
  #takeOut(): IgpGrowth {
    const { nodeCount } = this.#snapshot;
    const last = this.#last;
    const [oldest] = this.#kept.values();
    const isSmall = last !== null && last.order.length < LEAST_PART_KEPT * nodeCount;
    const free = isSmall ? last : this.#kept.size >= this.#capacity ? oldest : undefined;
    if (free === undefined) return new IgpGrowth(nodeCount);
    this.#kept.delete(this.#keyOf(free.router, free.leaf));
    return free;
  }

  #keyOf(router: number, leaf: number): number {
    return (leaf + 1) * this.#snapshot.nodeCount + router;
  }

  /** IGP distance; Infinity when there is no route. */
  distanceTo(node: number): number {
    const growth = this.#current;
    const { distance, heap } = growth;
    // Everything as near as the node must be settled too, so that all its equal predecessors are known.
    while (!growth.isSettled(node) || heap.leastKey <= (distance[node] as number)) {
      if (!this.#settleNearest(growth)) break;
    }
    return growth.isSettled(node) ? (distance[node] as number) : Infinity;
  }

  /** Is that the IGP distance of a node? Grows no further than it takes to say so. */
  isAt(node: number, distance: number): boolean {
    const growth = this.#current;
    while (!growth.isNearer(node, distance) && growth.heap.leastKey <= distance) this.#settleNearest(growth);
    return growth.isSettled(node) && growth.distance[node] === distance;
  }

  /** Is the arc, which leaves the router, as long as the IGP distance to where it leads? */
  isDirect(arc: number): boolean {
    const way = this.#ways[arc];
    if (way === Way.Longer || way === Way.Sole) return way === Way.Sole;
    const { arcTo } = this.#snapshot.data;
    const to = arcTo[arc] as number;
    const length = this.metric[arc] as number;
    const isDirect = this.isAt(to, length);
    if (way === Way.Unknown && !this.#snapshot.isHost(to)) {
      const isSole = isDirect && this.soleArcInto(to) === arc;
      const isLonger = !isDirect && this.#current.isNearer(to, length);
      this.#ways[arc] = isSole ? Way.Sole : isLonger ? Way.Longer : Way.Other;
    }
    return isDirect;
  }

  /** Is it known already that the arc is longer than the IGP distance between its ends? Then no shortest path crosses it. */
  isKnownLonger(arc: number): boolean {
    return this.#ways[arc] === Way.Longer;
  }

  /** Is it known already that the arc is the only shortest path between its ends, and its metric not zero? */
  isKnownSole(arc: number): boolean {
    return this.#ways[arc] === Way.Sole;
  }

  /** The node that is settled as number `i`: 0 is the router itself. -1 when there are not so many. */
  nth(i: number): number {
    const growth = this.#current;
    while (growth.order.length <= i && this.#settleNearest(growth));
    return growth.order[i] ?? -1;
  }

  /** Is the node one of the first `count` that are settled? Of no more than were asked for with `nth`. */
  isAmongFirst(count: number, node: number): boolean {
    const growth = this.#current;
    return growth.isSettled(node) && (growth.rank[node] as number) < count;
  }

  #settleNearest({ heap, distance, rank, order, leaf, labelledIn, use }: IgpGrowth): boolean {
    if (heap.size === 0) return false;
    const { arcTo, outStart, arcFlags } = this.#snapshot.data;
    const { metric } = this;
    const nearest = heap.pop();
    rank[nearest] = order.length;
    order.push(nearest);
    const here = distance[nearest] as number;
    const end = outStart[nearest + 1] as number;
    for (let arc = outStart[nearest] as number; arc < end; arc++) {
      const to = arcTo[arc] as number;
      const candidate = here + (metric[arc] as number);
      if (labelledIn[to] === use && candidate >= (distance[to] as number)) continue;
      // What is no link of a flexible algorithm.
      if (Number.isNaN(candidate)) continue;
      if (((arcFlags[arc] as number) & ArcFlag.Igp) === 0 && !(to === leaf && this.#carriesIntoHost(arc))) continue;
      labelledIn[to] = use;
      distance[to] = candidate;
      heap.put(to, candidate, 0);
    }
    return true;
  }

  /** Has some arc the metric zero? */
  get hasZeroMetric(): boolean {
    return this.#zeroInto !== null;
  }

  /** Can packets of the IGP enter a node over an arc of metric zero? */
  hasZeroArcInto(node: number): boolean {
    if (this.#zeroInto === null || this.#zeroInto[node] === 0) return false;
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
    const nextHops = this.nextHopsTo(node);
    return sumBranches(this.#router, node, nextHops, this.#snapshot.data.arcTo, weights);
  }

  /** For the nodes that packets for a reachable node can pass before it, and before `endsAt`: the arcs they leave by. */
  nextHopsTo(node: number, endsAt = node): ReadonlyMap<number, readonly number[]> {
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
      if (from === node || from === endsAt) continue;
      const arcs = (leaving.get(from) ?? []).filter(leadsThere);
      nextHops.set(from, arcs);
      for (const arc of arcs) walked.add(arcTo[arc] as number);
    }
    return nextHops;
  }

  /** Arcs by which shortest paths enter a settled node; complete once everything as near is settled. */
  shortestArcsInto(node: number): number[] {
    const { arcFrom, inStart, inArcs } = this.#snapshot.data;
    const { metric } = this;
    const growth = this.#current;
    const { distance } = growth;
    const arcs: number[] = [];
    const end = inStart[node + 1] as number;
    for (let i = inStart[node] as number; i < end; i++) {
      const arc = inArcs[i] as number;
      const from = arcFrom[arc] as number;
      const isShortest =
        growth.isSettled(from) &&
        (distance[from] as number) + (metric[arc] as number) === distance[node] &&
        this.carries(arc);
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

function nodesBehindZero({ nodeCount, data }: Snapshot, metric: Float64Array): Uint8Array | null {
  if (!metric.includes(0)) return null;
  const behind = new Uint8Array(nodeCount);
  metric.forEach((value, arc) => {
    if (value === 0) behind[data.arcTo[arc] as number] = 1;
  });
  return behind;
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
