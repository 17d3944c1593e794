import { layerAfterArc, layerAtNode, MISSED, type SearchProblem } from '../engine/search-problem.js';
import type { EncapMode } from '../model/ted.js';
import type { WorkBudget } from '../engine/work-budget.js';
import type { AlgorithmReaches } from './algorithm-reaches.js';
import { AllowedSegments, type ReachedNode } from './allowed-segments.js';
import type { CSids } from './c-sids.js';
import type { EntryLimits } from './entry-limits.js';
import { hostLinks } from './host-links.js';
import { ListGrowth } from './list-growth.js';
import type { SidChoice } from './sid-choice.js';
import { commonLayerOf, joinSplit, sumOfSplit, worseOf } from './merge-reached.js';
import { leadsOnlyTo } from './sid-route.js';
import { SegmentFrontier, type SegmentLabel } from './segment-frontier.js';
import type { SegmentStop } from './segment-stop.js';

export interface SegmentTask {
  /** Its mask says what branches may cross; its source and destination, metric, bounds and include list what is sought. */
  readonly problem: SearchProblem;
  /** Where a host's first packets go; empty when the source is a router. */
  readonly headendArcs: readonly number[];
  /** The SIDs that end the finished lists, all of them the destination's. */
  readonly finalSids: readonly number[];
  readonly encapMode: EncapMode;
  /** null: whatever endpoints can process. */
  readonly limits: EntryLimits | null;
  /** No segment may have more than one branch. */
  readonly singlePath: boolean;
  /** Entries that there may be, final SIDs included. */
  readonly maxEntries: number;
  /** Lists whose worst branch costs more are of no interest. */
  readonly maxCost: number;
  /** Least cost first (then fewest entries), or fewest entries first (then least cost). */
  readonly order: 'cost' | 'entries';
  /** Lower bounds per node to the destination: of the optimised metric, then of each bound. Without: zero. */
  readonly toDestination?: readonly Float64Array[];
}

/** A list found: the SIDs in front of the final one, and the arcs that its packets can cross from one SID to the next. */
export interface FoundList {
  readonly transport: readonly number[];
  /** Of the longest finished list. */
  readonly entries: number;
  /** The optimised metric on the worst branch. */
  readonly cost: number;
  /** How packets get from one SID to the next, and to the destination. */
  readonly stops: readonly SegmentStop[];
}

export interface SegmentSearchResult {
  /** null: there is none, or (when not exact) none was found. */
  readonly list: FoundList | null;
  /** False: the budget ended the search. */
  readonly isExact: boolean;
  /** No list is better than this in what is sought first; Infinity when there is none. */
  readonly lowerBound: number;
}

/** Start of packets of a host with several attachment routers. */
export const EVERYWHERE = -1;
const FINISHED = -2;
const NONE: readonly number[] = [];

/** By algorithm, what one segment reaches. */
type Reached = ReadonlyMap<number, readonly ReachedNode[]>;

/**
 * The best segment list of all, over the graph whose arcs are segments: an End SID, or an End.X SID, that every ECMP
 * branch of its algorithm may take. Labels carry entries, cost and bounded metrics of the worst branch; one that is worse in
 * nothing dominates. Exact, unless the budget ends it (the search over the SR graph of BEST2COP, on demand).
 */
export class SegmentSearch {
  readonly #task: SegmentTask;
  readonly #reaches: AlgorithmReaches;
  readonly #leaf: number;
  /** By algorithm. */
  readonly #segments: ReadonlyMap<number, AllowedSegments>;
  readonly #sids: SidChoice;
  readonly #cSids: CSids;
  readonly #budget: WorkBudget;
  readonly #frontier: SegmentFrontier;
  readonly #growth: ListGrowth;
  readonly #weights: readonly Float64Array[];
  readonly #limits: readonly number[];
  /** Per weight: is it the mean over branches that counts? */
  readonly #isMean: readonly boolean[];
  readonly #reachedFrom = new Map<number, Reached>();

  constructor(task: SegmentTask, reaches: AlgorithmReaches, sids: SidChoice, cSids: CSids, budget: WorkBudget) {
    const { problem, maxCost } = task;
    const { snapshot, destination } = problem;
    this.#task = task;
    this.#sids = sids;
    this.#cSids = cSids;
    this.#budget = budget;
    this.#weights = [problem.weight, ...problem.bounds.map((bound) => bound.weight)];
    this.#limits = [maxCost, ...problem.bounds.map((bound) => bound.max)];
    this.#isMean = [false, ...problem.bounds.map((bound) => bound.isMean === true)];
    this.#frontier = new SegmentFrontier(task.order);
    this.#growth = new ListGrowth(cSids, task.limits, task.encapMode, task.finalSids);
    const leaf = snapshot.isHost(destination) ? destination : -1;
    this.#reaches = reaches;
    this.#leaf = leaf;
    const rules = { snapshot, allowed: problem.mask, weights: this.#weights, include: problem.include, leaf };
    this.#segments = new Map(
      sids.algorithms.map((algorithm) => [algorithm, new AllowedSegments(rules, reaches.of(algorithm))]),
    );
  }

  run(): SegmentSearchResult {
    this.#start();
    for (let label = this.#frontier.pop(); label !== undefined; label = this.#frontier.pop()) {
      if (label.isDominated) continue;
      if (label.isFinished) {
        const list = listOf(label);
        return { list, isExact: true, lowerBound: this.#task.order === 'cost' ? list.cost : label.size.entries };
      }
      if (this.#budget.isSpent) {
        const best = this.#frontier.bestFinished();
        const lowerBound = this.#task.order === 'cost' ? label.estimate : label.size.entries;
        return { list: best === undefined ? null : listOf(best), isExact: false, lowerBound };
      }
      this.#expand(label);
    }
    return { list: null, isExact: true, lowerBound: Infinity };
  }

  #start(): void {
    const { problem, headendArcs } = this.#task;
    const { snapshot, source, include, mask } = problem;
    const atSource = layerAtNode(include, 0, source);
    const root = { ...this.#growth.start(), parent: null, isFinished: false, stop: null };
    if (!snapshot.isHost(source)) {
      this.#offer({ ...root, node: source, layer: atSource, sums: this.#weights.map(() => 0) });
      return;
    }
    if (headendArcs.length === 0 || headendArcs.some((arc) => mask[arc] === 0)) return;
    const entries = headendArcs.map((arc) => snapshot.data.arcTo[arc] as number);
    const layers = headendArcs.map((arc, i) => layerAfterArc(include, atSource, arc, entries[i] as number));
    const sums = this.#weights.map((weight, i) =>
      sumOfSplit(
        this.#isMean[i] === true,
        headendArcs.map((arc) => weight[arc] as number),
      ),
    );
    const isOneRouter = entries.every((entry) => entry === entries[0]);
    const node = isOneRouter ? (entries[0] as number) : EVERYWHERE;
    // From several routers each link is followed by itself; the sum of the worst of both parts would be too pessimistic.
    const atStart = isOneRouter ? sums : this.#weights.map(() => 0);
    this.#offer({ ...root, node, layer: commonLayerOf(include, layers), sums: atStart });
  }

  #expand(label: SegmentLabel): void {
    const { problem } = this.#task;
    const { snapshot, destination } = problem;
    if (label.node === destination && label.layer === problem.include.length) {
      const worst = this.#weights.map(() => 0);
      this.#finish(label, worst, { from: destination, via: destination, algorithm: 0, arc: -1, isAttached: false });
      // Where endpoints cannot process the list as it is, one more SID of the destination may help.
      if (this.#growth.finish(label) !== null) return;
    }
    if (label.node !== EVERYWHERE && snapshot.isHost(label.node)) return;
    const reached = this.#reachedBy(label);
    this.#deliver(label, reached);
    if (!this.#canBeFinished(label, 1)) return;
    for (const [algorithm, targets] of reached) {
      for (const target of targets) this.#useSids(label, target, algorithm);
    }
  }

  #reachedBy(label: SegmentLabel): Reached {
    const { snapshot } = this.#task.problem;
    const key = label.layer * snapshot.nodeCount + label.node;
    const known = label.node === EVERYWHERE ? undefined : this.#reachedFrom.get(key);
    if (known !== undefined) return known;
    const { singlePath } = this.#task;
    const reached = new Map<number, readonly ReachedNode[]>();
    for (const [algorithm, segments] of this.#segments) {
      const before = segments.work;
      const all = label.node === EVERYWHERE ? this.#fromEverywhere(segments) : segments.from(label.node, label.layer);
      const own = singlePath ? all.filter((target) => target.isSinglePath) : all;
      this.#budget.spend(segments.work - before + own.length);
      reached.set(algorithm, own);
    }
    if (label.node !== EVERYWHERE) this.#reachedFrom.set(key, reached);
    return reached;
  }

  /** What packets over all of the headend's links reach with the same segment. */
  #fromEverywhere(segments: AllowedSegments): ReachedNode[] {
    const { headendArcs, problem } = this.#task;
    const { snapshot, include, source } = problem;
    const perLink = headendArcs.map((arc) => {
      const entry = snapshot.data.arcTo[arc] as number;
      const layer = layerAfterArc(include, layerAtNode(include, 0, source), arc, entry);
      const reached = segments.from(entry, layer);
      const added = this.#weights.map((weight) => weight[arc] as number);
      return new Map<number, ReachedNode>(
        reached.map((target) => [
          target.node,
          { ...target, worst: target.worst.map((sum, i) => sum + (added[i] as number)) },
        ]),
      );
    });
    const common: ReachedNode[] = [];
    for (const node of perLink[0]?.keys() ?? []) {
      const targets = perLink.map((reached) => reached.get(node)).filter((target) => target !== undefined);
      if (targets.length === perLink.length) common.push(joinSplit(include, this.#isMean, targets));
    }
    return common;
  }

  #useSids(label: SegmentLabel, target: ReachedNode, algorithm: number): void {
    const { problem } = this.#task;
    const { snapshot, mask, include, destination } = problem;
    const { arcTo } = snapshot.data;
    const { node } = target;
    if (snapshot.isHost(node)) return;
    const isHere = node === label.node;
    // Where the packet is already it takes no route: once for all algorithms.
    if (isHere && algorithm !== 0) return;
    const from = label.node;
    const sums = label.sums.map((sum, i) => sum + (target.worst[i] as number));
    // A SID of the router where packets are is of use only to remove the SRH, or to keep it.
    const spare = label.caps === null ? NONE : this.#sids.endSidsAtOwner(node);
    for (const sid of isHere ? spare : this.#sids.endSids(node, algorithm)) {
      if (!isHere && !this.#arrives(label, sid, node)) continue;
      const stop = { from, via: node, algorithm, arc: -1, isAttached: false };
      for (const list of this.#growth.with(label, sid)) {
        this.#offer({ node, layer: target.layer, sums, ...list, parent: label, isFinished: false, stop });
      }
    }
    for (const arc of snapshot.linksOf(node)) {
      const to = arcTo[arc] as number;
      if (mask[arc] === 0 || (snapshot.isHost(to) && to !== destination)) continue;
      const sids = isHere ? this.#sids.adjacencySidsAtOwner(arc) : this.#sids.adjacencySids(arc, algorithm);
      if (sids.length === 0) continue;
      const layer = layerAfterArc(include, target.layer, arc, to);
      const over = sums.map((sum, i) => sum + ((this.#weights[i] as Float64Array)[arc] as number));
      const stop = { from, via: node, algorithm, arc, isAttached: false };
      for (const sid of sids) {
        if (!isHere && !this.#arrives(label, sid, node)) continue;
        for (const list of this.#growth.with(label, sid)) {
          this.#offer({ node: to, layer, sums: over, ...list, parent: label, isFinished: false, stop });
        }
      }
    }
  }

  /** Do packets for a SID that is routed get to this owner? Those for an anycast SID may get to another. */
  #arrives(label: SegmentLabel, sid: number, owner: number): boolean {
    if (!this.#sids.hasAnycast) return true;
    const route = this.#sids.routeOf(sid);
    if (route.kind !== 'igp' || route.anycast === null) return true;
    const { anycast } = route;
    const { headendArcs, problem } = this.#task;
    const { arcTo } = problem.snapshot.data;
    const origins = label.node === EVERYWHERE ? headendArcs.map((arc) => arcTo[arc] as number) : [label.node];
    const reach = this.#reaches.of(route.algorithm);
    return origins.every((origin) => {
      if (origin === owner) return true;
      reach.startAt(origin, this.#leaf);
      return leadsOnlyTo(problem.snapshot, reach, owner, anycast);
    });
  }

  /** Lets the final SIDs take over here, when every one of them arrives as it must. */
  #deliver(label: SegmentLabel, reached: Reached): void {
    const { problem, finalSids } = this.#task;
    const { destination, include } = problem;
    let merged: ReachedNode | null = null;
    for (const sid of finalSids) {
      const target = this.#delivered(label, reached, sid);
      if (target === undefined || target.layer < include.length) return;
      merged = merged === null ? target : worseOf(include, merged, target);
    }
    const [first] = finalSids;
    if (merged === null || first === undefined) return;
    const route = this.#sids.routeOf(first);
    const algorithm = route.kind === 'igp' ? route.algorithm : 0;
    const stop = { from: label.node, via: destination, algorithm, arc: -1, isAttached: route.kind === 'attachment' };
    this.#finish(label, merged.worst, stop);
  }

  #delivered(label: SegmentLabel, reached: Reached, sid: number): ReachedNode | undefined {
    const { destination } = this.#task.problem;
    const route = this.#sids.routeOf(sid);
    if (route.kind === 'attachment') return this.#attached(label, route.others);
    if (route.kind === 'unrouted' || !this.#arrives(label, sid, destination)) return undefined;
    return reached.get(route.algorithm)?.find((target) => target.node === destination);
  }

  /** What attachment routers do with a packet for their host: even split over the host links of least metric. */
  #attached(label: SegmentLabel, others: readonly number[]): ReachedNode | undefined {
    const { problem, headendArcs, singlePath } = this.#task;
    const { snapshot, include, destination, mask, source } = problem;
    const { arcTo } = snapshot.data;
    const isEverywhere = label.node === EVERYWHERE;
    const starts = isEverywhere
      ? headendArcs.map((arc) => ({
          router: arcTo[arc] as number,
          layer: layerAfterArc(include, layerAtNode(include, 0, source), arc, arcTo[arc] as number),
          sums: this.#weights.map((weight) => weight[arc] as number),
        }))
      : [{ router: label.node, layer: label.layer, sums: this.#weights.map(() => 0) }];
    const targets: ReachedNode[] = [];
    for (const { router, layer, sums } of starts) {
      const links = hostLinks(snapshot, router, destination, others);
      if (links.length === 0 || links.some((arc) => mask[arc] === 0)) return undefined;
      if (singlePath && links.length > 1) return undefined;
      targets.push({
        node: destination,
        layer: commonLayerOf(
          include,
          links.map((arc) => layerAfterArc(include, layer, arc, destination)),
        ),
        worst: sums.map(
          (sum, i) => sum + Math.max(...links.map((arc) => (this.#weights[i] as Float64Array)[arc] as number)),
        ),
        isSinglePath: links.length === 1,
      });
    }
    return targets.length === 0 ? undefined : joinSplit(include, this.#isMean, targets);
  }

  #finish(label: SegmentLabel, worst: readonly number[], stop: SegmentStop): void {
    const { problem } = this.#task;
    const { destination } = problem;
    const sums = label.sums.map((sum, i) => sum + (worst[i] as number));
    const { layer } = label;
    const sizes = this.#growth.finish(label);
    if (sizes === null) return;
    const size = {
      entries: Math.max(...sizes.map(({ entries }) => entries)),
      used: Math.max(...sizes.map(({ used }) => used)),
      // Nothing follows: among finished lists only what they take counts.
      open: 0,
    };
    this.#offer({ node: destination, layer, sums, size, caps: null, sid: -1, parent: label, isFinished: true, stop });
  }

  /** May the list fit with so many SIDs more in front of the final one? */
  #canBeFinished({ size: { entries, open }, caps }: Pick<SegmentLabel, 'size' | 'caps'>, more: number): boolean {
    const needed = this.#cSids.isInUse ? (open >= 0 ? 0 : 1) : more + 1;
    return entries + needed <= Math.min(this.#task.maxEntries, caps?.most ?? Infinity);
  }

  #offer(label: Omit<SegmentLabel, 'isDominated' | 'estimate' | 'serial' | 'key'>): void {
    const { problem, maxEntries, toDestination } = this.#task;
    if (label.layer === MISSED) return;
    if (label.isFinished ? label.size.entries > maxEntries : !this.#canBeFinished(label, 0)) return;
    const isOpen = !label.isFinished && label.node !== EVERYWHERE;
    const rest = (i: number) =>
      isOpen && toDestination ? ((toDestination[i] as Float64Array)[label.node] as number) : 0;
    const isWithin = this.#limits.every((limit, i) => (label.sums[i] as number) + rest(i) <= limit);
    // Infinity <= Infinity: where nothing leads to the destination no limit is needed to see it.
    if (!isWithin || rest(0) === Infinity) return;
    const place = label.layer * problem.snapshot.nodeCount + label.node;
    const key = label.isFinished ? FINISHED : label.node === EVERYWHERE ? EVERYWHERE : place;
    this.#frontier.offer(key, label, (label.sums[0] as number) + rest(0));
  }
}

function listOf(finished: SegmentLabel): FoundList {
  const transport: number[] = [];
  const stops: SegmentStop[] = [];
  for (let label: SegmentLabel | null = finished; label !== null; label = label.parent) {
    if (label.sid >= 0) transport.push(label.sid);
    if (label.stop !== null) stops.push(label.stop);
  }
  return {
    transport: transport.reverse(),
    entries: finished.size.entries,
    cost: finished.sums[0] as number,
    stops: stops.reverse(),
  };
}
