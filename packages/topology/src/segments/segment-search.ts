import {
  commonLayer,
  layerAfterArc,
  layerAtNode,
  MISSED,
  type IncludeStep,
  type SearchProblem,
} from '../engine/search-problem.js';
import type { EncapMode } from '../model/ted.js';
import type { WorkBudget } from '../engine/work-budget.js';
import { AllowedSegments, type ReachedNode } from './allowed-segments.js';
import type { CSids } from './c-sids.js';
import type { EntryLimits } from './entry-limits.js';
import { hostLinks } from './host-links.js';
import type { IgpReach } from './igp-reach.js';
import { ListGrowth } from './list-growth.js';
import { reachOf } from './owned-sids.js';
import type { SidChoice } from './sid-choice.js';
import { SegmentFrontier, type SegmentLabel } from './segment-frontier.js';

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

/** From `from` (EVERYWHERE: from wherever the headend's links lead) by the IGP to `via`, then over `arc` (-1: none). */
export interface SegmentStop {
  readonly from: number;
  readonly via: number;
  readonly arc: number;
  /** `via` is a host to which `from` delivers over its own links, whatever the IGP has. */
  readonly isAttached: boolean;
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

/**
 * The best segment list of all, over the graph whose arcs are segments: an End SID, or an End.X SID, that every ECMP
 * branch of the IGP may take. Labels carry entries, cost and bounded metrics of the worst branch; one that is worse in
 * nothing dominates. Exact, unless the budget ends it (the search over the SR graph of BEST2COP, on demand).
 */
export class SegmentSearch {
  readonly #task: SegmentTask;
  readonly #segments: AllowedSegments;
  readonly #sids: SidChoice;
  readonly #cSids: CSids;
  readonly #budget: WorkBudget;
  readonly #frontier: SegmentFrontier;
  readonly #growth: ListGrowth;
  readonly #weights: readonly Float64Array[];
  readonly #limits: readonly number[];
  readonly #reachedFrom = new Map<number, readonly ReachedNode[]>();

  constructor(task: SegmentTask, reach: IgpReach, sids: SidChoice, cSids: CSids, budget: WorkBudget) {
    const { problem, maxCost } = task;
    const { snapshot, destination } = problem;
    this.#task = task;
    this.#sids = sids;
    this.#cSids = cSids;
    this.#budget = budget;
    this.#weights = [problem.weight, ...problem.bounds.map((bound) => bound.weight)];
    this.#limits = [maxCost, ...problem.bounds.map((bound) => bound.max)];
    this.#frontier = new SegmentFrontier(task.order);
    this.#growth = new ListGrowth(cSids, task.limits, task.encapMode, task.finalSids);
    const leaf = snapshot.isHost(destination) ? destination : -1;
    this.#segments = new AllowedSegments(
      { snapshot, allowed: problem.mask, weights: this.#weights, include: problem.include, leaf },
      reach,
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
    const sums = this.#weights.map((weight) => Math.max(...headendArcs.map((arc) => weight[arc] as number)));
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
      this.#finish(
        label,
        this.#weights.map(() => 0),
        false,
      );
      // Where endpoints cannot process the list as it is, one more SID of the destination may help.
      if (this.#growth.finish(label) !== null) return;
    }
    if (label.node !== EVERYWHERE && snapshot.isHost(label.node)) return;
    const reached = this.#reachedBy(label);
    this.#deliver(label, reached);
    if (!this.#canBeFinished(label, 1)) return;
    for (const target of reached) this.#useSids(label, target);
  }

  #reachedBy(label: SegmentLabel): readonly ReachedNode[] {
    const { snapshot } = this.#task.problem;
    const key = label.layer * snapshot.nodeCount + label.node;
    const known = label.node === EVERYWHERE ? undefined : this.#reachedFrom.get(key);
    if (known !== undefined) return known;
    const before = this.#segments.work;
    const all = label.node === EVERYWHERE ? this.#fromEverywhere() : this.#segments.from(label.node, label.layer);
    const { singlePath } = this.#task;
    const reached = singlePath ? all.filter((target) => target.isSinglePath) : all;
    this.#budget.spend(this.#segments.work - before + reached.length);
    if (label.node !== EVERYWHERE) this.#reachedFrom.set(key, reached);
    return reached;
  }

  /** What packets over all of the headend's links reach with the same segment. */
  #fromEverywhere(): ReachedNode[] {
    const { headendArcs, problem } = this.#task;
    const { snapshot, include, source } = problem;
    const perLink = headendArcs.map((arc) => {
      const entry = snapshot.data.arcTo[arc] as number;
      const layer = layerAfterArc(include, layerAtNode(include, 0, source), arc, entry);
      const reached = this.#segments.from(entry, layer);
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
      if (targets.length === perLink.length) common.push(targets.reduce((a, b) => worseOf(include, a, b)));
    }
    return common;
  }

  #useSids(label: SegmentLabel, target: ReachedNode): void {
    const { problem } = this.#task;
    const { snapshot, mask, include, destination } = problem;
    const { arcTo } = snapshot.data;
    const { node } = target;
    if (snapshot.isHost(node)) return;
    const isHere = node === label.node;
    const from = label.node;
    const sums = label.sums.map((sum, i) => sum + (target.worst[i] as number));
    // A SID of the router where packets are is of use only to remove the SRH, or to keep it.
    for (const sid of isHere && label.caps === null ? NONE : this.#sids.endSids(node)) {
      const stop = { from, via: node, arc: -1, isAttached: false };
      for (const list of this.#growth.with(label, sid)) {
        this.#offer({ node, layer: target.layer, sums, ...list, parent: label, isFinished: false, stop });
      }
    }
    for (const arc of snapshot.linksOf(node)) {
      const to = arcTo[arc] as number;
      if (mask[arc] === 0 || (snapshot.isHost(to) && to !== destination)) continue;
      const sids = this.#sids.adjacencySids(arc, isHere);
      if (sids.length === 0) continue;
      const layer = layerAfterArc(include, target.layer, arc, to);
      const over = sums.map((sum, i) => sum + ((this.#weights[i] as Float64Array)[arc] as number));
      const stop = { from, via: node, arc, isAttached: false };
      for (const sid of sids) {
        for (const list of this.#growth.with(label, sid)) {
          this.#offer({ node: to, layer, sums: over, ...list, parent: label, isFinished: false, stop });
        }
      }
    }
  }

  /** Lets the final SIDs take over here, when every one of them arrives as it must. */
  #deliver(label: SegmentLabel, reached: readonly ReachedNode[]): void {
    const { problem, finalSids } = this.#task;
    const at = new Map(reached.map((target) => [target.node, target]));
    let merged: ReachedNode | null = null;
    for (const sid of finalSids) {
      const how = reachOf(problem.snapshot, sid);
      const target =
        how === 'igp' ? at.get(problem.destination) : how === 'attachment' ? this.#attached(label) : undefined;
      if (target === undefined || target.layer < problem.include.length) return;
      merged = merged === null ? target : worseOf(problem.include, merged, target);
    }
    const [first] = finalSids;
    const isAttached = first !== undefined && reachOf(problem.snapshot, first) === 'attachment';
    if (merged !== null) this.#finish(label, merged.worst, isAttached);
  }

  /** What attachment routers do with a packet for their host: even split over the host links of least metric. */
  #attached(label: SegmentLabel): ReachedNode | undefined {
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
    let merged: ReachedNode | undefined;
    for (const { router, layer, sums } of starts) {
      const links = hostLinks(snapshot, router, destination);
      if (links.length === 0 || links.some((arc) => mask[arc] === 0)) return undefined;
      if (singlePath && links.length > 1) return undefined;
      const here = {
        node: destination,
        layer: commonLayerOf(
          include,
          links.map((arc) => layerAfterArc(include, layer, arc, destination)),
        ),
        worst: sums.map(
          (sum, i) => sum + Math.max(...links.map((arc) => (this.#weights[i] as Float64Array)[arc] as number)),
        ),
        isSinglePath: links.length === 1,
      };
      merged = merged === undefined ? here : worseOf(include, merged, here);
    }
    return merged;
  }

  #finish(label: SegmentLabel, worst: readonly number[], isAttached: boolean): void {
    const { problem } = this.#task;
    const { destination } = problem;
    const sums = label.sums.map((sum, i) => sum + (worst[i] as number));
    const stop = { from: label.node, via: destination, arc: -1, isAttached };
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

function commonLayerOf(include: readonly IncludeStep[], layers: readonly number[]): number {
  return layers.reduce((a, b) => commonLayer(include, a, b));
}

function worseOf(include: readonly IncludeStep[], a: ReachedNode, b: ReachedNode): ReachedNode {
  return {
    node: a.node,
    layer: commonLayer(include, a.layer, b.layer),
    worst: a.worst.map((sum, i) => Math.max(sum, b.worst[i] as number)),
    isSinglePath: a.isSinglePath && b.isSinglePath,
  };
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
