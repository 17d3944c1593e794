import { findBest } from '../best-path.js';
import { finishPath, type Finished, type FinishedPath } from '../finish-path.js';
import { LooplessPaths } from '../loopless-paths.js';
import type { PreparedRequest } from '../prepare-request.js';
import { reverseDistances } from '../reverse-distances.js';
import type { WorkBudget } from '../work-budget.js';
import type { Level } from './disjointness-level.js';
import { Risks } from './risks.js';

/** One way for a member: a path whose lists are still to be made, or finished lists. */
export interface Route {
  /** Of the path, or of the worst branch. */
  readonly cost: number;
  /** Nothing that keeps what the member was forbidden is cheaper. */
  readonly lowerBound: number;
  /** Arcs with the share of the member's traffic that they carry. */
  readonly load: ReadonlyMap<number, number>;
  readonly risks: ReadonlySet<number>;
  readonly arcs: readonly number[];
  readonly finished: Finished | null;
}

/** `null`: there is none. A number: the budget ended the search, and nothing below it exists. */
export type RouteSearch = Route | number | null;

/** One member of a group at one level, with the risks that its ends bring with them. */
export class GroupMember {
  readonly prepared: PreparedRequest;
  /** Members with the same number ask for the same. */
  readonly likeness: number;
  /** Whatever this member does, it takes these. */
  readonly forced: ReadonlySet<number>;
  /** Two members may share what is in this set of both. */
  readonly shareable: ReadonlySet<number>;
  readonly bandwidthBps: number;
  readonly #risks: Risks;
  readonly #level: Level;
  #toDestination: readonly Float64Array[] | undefined;

  constructor(prepared: PreparedRequest, likeness: number, level: Level, mayShareExits: boolean) {
    const { snapshot } = prepared;
    this.prepared = prepared;
    this.likeness = likeness;
    this.#risks = Risks.of(snapshot);
    this.#level = level;
    this.bandwidthBps = prepared.request.constraints.bandwidthBps ?? 0;
    const ends = endsOf(prepared);
    this.forced = this.#risksAt(ends.forcedArcs, ends.forcedNodes);
    this.shareable = mayShareExits
      ? this.#risksAt([...ends.forcedArcs, ...ends.exitArcs], [...ends.forcedNodes, ...ends.exitNodes])
      : this.forced;
  }

  #risksAt(arcs: readonly number[], nodes: readonly number[]): Set<number> {
    return new Set([...this.#risks.ofArcs(arcs, this.#level), ...this.#risks.ofNodes(nodes, this.#level)]);
  }

  /** A host that splits its traffic from the first packet on has no path that stands for all of it. */
  get isSplit(): boolean {
    return this.prepared.headendArcs.length > 1;
  }

  /** The request's mask without some risks and arcs. */
  maskWithout(risks: Iterable<number>, arcs: Iterable<number> = []): Uint8Array {
    const mask = this.prepared.problem.mask.slice();
    for (const risk of risks) for (const arc of this.#risks.arcsOf(risk)) mask[arc] = 0;
    for (const arc of arcs) mask[arc] = 0;
    const { headendArcs } = this.prepared;
    if (headendArcs.some((arc) => mask[arc] === 0)) for (const arc of headendArcs) mask[arc] = 0;
    return mask;
  }

  /**
   * The cheapest path over a mask; null also when it costs more than `limit`, unless bounds make it another one than without
   * them, which may cost more. With other weights, none of which may be smaller, `cost` is still the request's metric.
   */
  findPath(
    mask: Uint8Array,
    budget: WorkBudget,
    { weight = this.prepared.problem.weight, limit = Infinity }: { weight?: Float64Array; limit?: number } = {},
  ): RouteSearch {
    const { problem, state } = this.prepared;
    budget.spend(1 + mask.length / 64);
    const known = { toDestination: this.#distances(budget), limit };
    const ranked = new LooplessPaths({ ...problem, mask, weight }, state.search, budget, known);
    const path = ranked.next();
    if (path === null) return ranked.isExact ? null : ranked.lowerBound;
    return { ...this.routeOver(path.arcs), lowerBound: path.cost };
  }

  /** To the destination over all that the request allows: of the metric, then of each bound. */
  #distances(budget: WorkBudget): readonly Float64Array[] {
    const { problem } = this.prepared;
    const weights = [problem.weight, ...problem.bounds.map((bound) => bound.weight)];
    this.#toDestination ??= weights.map((weight) => reverseDistances(problem, weight, budget));
    return this.#toDestination;
  }

  /** The best list of all whose packets keep to a mask. */
  findList(mask: Uint8Array, budget: WorkBudget): RouteSearch {
    const { prepared } = this;
    budget.spend(1 + mask.length / 64);
    const best = findBest({ ...prepared, problem: { ...prepared.problem, mask } }, budget);
    if (best.found === null) return best.isExact ? null : best.lowerBound;
    return this.routeWith(best.found, best.lowerBound);
  }

  finish(arcs: readonly number[], allowed: Uint8Array): FinishedPath {
    return finishPath(this.prepared, arcs, allowed);
  }

  routeOver(arcs: readonly number[]): Route {
    const { weight } = this.prepared.problem;
    const load = new Map<number, number>();
    let cost = 0;
    for (const arc of arcs) {
      cost += weight[arc] as number;
      load.set(arc, (load.get(arc) ?? 0) + 1);
    }
    const risks = this.#risks.ofArcs(arcs, this.#level);
    return { cost, lowerBound: cost, load, risks, arcs, finished: null };
  }

  routeWith(finished: Finished, lowerBound: number): Route {
    const risks = this.#risks.ofArcs(finished.load.keys(), this.#level);
    return { cost: finished.worst, lowerBound, load: finished.load, risks, arcs: [], finished };
  }
}

interface Ends {
  readonly forcedArcs: readonly number[];
  readonly forcedNodes: readonly number[];
  /** Where the last link can be one of several. */
  readonly exitArcs: readonly number[];
  readonly exitNodes: readonly number[];
}

function endsOf({ snapshot, problem, headendArcs, deliveryArcs }: PreparedRequest): Ends {
  const { arcFrom, arcTo } = snapshot.data;
  const exitArcs = deliveryArcs.filter((arc) => problem.mask[arc] === 1);
  const exitNodes = [...new Set(exitArcs.map((arc) => arcFrom[arc] as number))];
  return {
    forcedArcs: [...headendArcs, ...(exitArcs.length === 1 ? exitArcs : [])],
    forcedNodes: [
      problem.source,
      problem.destination,
      ...headendArcs.map((arc) => arcTo[arc] as number),
      ...(exitNodes.length === 1 ? exitNodes : []),
    ],
    exitArcs,
    exitNodes,
  };
}

/** Share of a member's traffic on the arcs that it crosses in any case. */
export function forcedLoad(prepared: PreparedRequest): ReadonlyMap<number, number> {
  const { headendArcs } = prepared;
  return new Map(
    endsOf(prepared).forcedArcs.map((arc) => [arc, headendArcs.includes(arc) ? 1 / headendArcs.length : 1]),
  );
}

/** Has a member several last links to choose from? */
export function canChooseExit(prepared: PreparedRequest): boolean {
  return endsOf(prepared).exitArcs.length > 1;
}
