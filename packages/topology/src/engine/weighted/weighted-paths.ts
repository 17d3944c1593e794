import { searchAllLists } from '../best-list.js';
import { finishPath, type Finished, type FinishedPath } from '../finish-path.js';
import { LooplessPaths } from '../loopless-paths.js';
import type { PreparedRequest } from '../prepare-request.js';
import type { SearchProblem } from '../search-problem.js';
import { WorkBudget } from '../work-budget.js';
import { isNegative, reducedCost, type LinearColumn, type Price, type Prices } from './linear-program.js';

/** A single path with its proved list, as a part of a demand could take it. */
export interface WeightedPath extends LinearColumn {
  readonly finished: Finished;
  /** The most that fits on it alone. */
  readonly widthBps: bigint;
  /** Tells paths apart. */
  readonly key: string;
}

/** Paths that are tried one by one when the search over lists does not end within its half of the budget. */
const PATH_ATTEMPTS = 16;

/** What it costs to encode and prove a path, in links looked at. */
const LIST_WORK = 500;

/** Sums up to here are exact in doubles. */
const EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** A path in the order of reduced costs; null: one that has no list, which proves nothing about lists that go other ways. */
export interface RankedPath {
  readonly path: WeightedPath | null;
  readonly reduced: Price;
}

/**
 * Every way that a part of a demand can take: single paths within all constraints but the bandwidth, over links that have
 * any left. Found by the searches for one path, with the prices of links added to their metric.
 */
export class WeightedPaths {
  readonly #prepared: PreparedRequest;
  readonly #known = new Map<string, WeightedPath | null>();
  /** A path can cross a link this often, for its include list. */
  readonly #mostCrossings: number;
  readonly #freeBps: (arc: number) => bigint;
  /** No path costs more; null where costs do not add up exactly in doubles. */
  readonly #mostCost: bigint | null;
  #isExact: boolean;

  /** `prepared`: without the bandwidth, but for single paths. */
  constructor(prepared: PreparedRequest) {
    this.#prepared = prepared;
    this.#mostCrossings = prepared.problem.include.length + 1;
    this.#freeBps = (arc) => BigInt(Math.floor(prepared.unreservedBps[arc] as number));
    this.#mostCost = mostCost(prepared.problem, this.#mostCrossings);
    this.#isExact = this.#mostCost !== null;
  }

  /** False once a path that `price` should have found may have been missed. */
  get isExact(): boolean {
    return this.#isExact;
  }

  /**
   * How many of the equal parts of a demand a link carries; null where that is all of them, however often their path comes by. With
   * as many parts as bits per second: its bandwidth.
   */
  capacityOf(arc: number, demand: bigint, parts: bigint = demand): bigint | null {
    const free = (this.#freeBps(arc) * parts) / demand;
    return free < parts * BigInt(this.#mostCrossings) ? free : null;
  }

  freeBps(arc: number): bigint {
    return this.#freeBps(arc);
  }

  /** The path of the least reduced cost, if that is negative, among those over links that have so much left. */
  price(prices: Prices, budget: WorkBudget, widthBps = 1n): WeightedPath | null {
    const problem = this.#priced(prices, budget, widthBps);
    if (problem === null) return this.#giveUp();
    const ranked = new LooplessPaths(problem, this.#prepared.state.search, budget);
    const first = ranked.next();
    if (first === null) return ranked.isExact ? null : this.#giveUp();
    if (!isNegative(reducedCost(prices, this.#measure(first.arcs)))) return null;
    const own = this.#pathOf(first.arcs, budget);
    if (own !== null) return own;

    const half = budget.left / 2;
    const part = new WorkBudget(half);
    const searched = searchAllLists({ ...this.#prepared, problem }, part, Infinity);
    budget.spend(half - part.left);
    const best = searched.list === null ? null : this.#remember(searched.list);
    if (best !== null && isNegative(reducedCost(prices, best))) return best;
    if (searched.isExact && (best !== null || searched.list === null)) return null;
    for (let attempt = 0; attempt < PATH_ATTEMPTS && !budget.isSpent; attempt++) {
      const next = ranked.next();
      const path = next && this.#pathOf(next.arcs, budget);
      if (path !== null && isNegative(reducedCost(prices, path))) return path;
    }
    return this.#giveUp();
  }

  /** What links have left, ascending: a path can take as much as one of them. */
  widths(): bigint[] {
    const { mask } = this.#prepared.problem;
    const widths = new Set<bigint>();
    mask.forEach((allowed, arc) => {
      if (allowed === 1) widths.add(this.#freeBps(arc));
    });
    return [...widths].sort((a, b) => (a < b ? -1 : 1));
  }

  /** Paths over links that have so much left, in ascending order of their reduced cost. Ends when there are no more. */
  *ranked(prices: Prices, widthBps: bigint, budget: WorkBudget): Generator<RankedPath, 'complete' | 'unknown'> {
    const problem = this.#priced(prices, budget, widthBps);
    if (problem === null) return 'unknown';
    const ranked = new LooplessPaths(problem, this.#prepared.state.search, budget);
    for (let next = ranked.next(); next !== null; next = ranked.next()) {
      if (!ranked.isExact || budget.isSpent) return 'unknown';
      yield { path: this.#pathOf(next.arcs, budget), reduced: reducedCost(prices, this.#measure(next.arcs)) };
    }
    return ranked.isExact && !budget.isSpent ? 'complete' : 'unknown';
  }

  #giveUp(): null {
    this.#isExact = false;
    return null;
  }

  /** The search problem whose weights are reduced costs, up to what all paths have in common; null: beyond exact doubles. */
  #priced(prices: Prices, budget: WorkBudget, widthBps: bigint): SearchProblem | null {
    if (this.#mostCost === null) return null;
    const { problem, snapshot, unreservedBps } = this.#prepared;
    const { scale, links } = prices;
    const total = (rank: (price: Price) => bigint) =>
      [...links.values()].reduce((sum, price) => sum + (rank(price) < 0n ? -rank(price) : rank(price)), 0n);
    const crossings = BigInt(this.#mostCrossings);
    const costs = this.#mostCost * scale + total(({ cost }) => cost) * crossings;
    const displaced = total((price) => price.displaced) * crossings;
    const rank = displaced === 0n ? 0n : 2n * costs + 1n;
    if (costs + displaced * rank > EXACT) return null;
    const factor = Number(scale);
    const weight = problem.weight.map((value) => value * factor);
    for (const [arc, price] of links) {
      weight[arc] = (weight[arc] as number) + Number(price.displaced * rank + price.cost);
    }
    budget.spend(snapshot.arcCount >> 3);
    const width = Number(widthBps);
    const mask = problem.mask.map((allowed, arc) => (allowed === 1 && (unreservedBps[arc] as number) >= width ? 1 : 0));
    return { ...problem, weight, mask };
  }

  #measure(arcs: readonly number[]): LinearColumn {
    const { weight } = this.#prepared.problem;
    const crossings = new Map<number, bigint>();
    let cost = 0n;
    for (const arc of arcs) {
      crossings.set(arc, (crossings.get(arc) ?? 0n) + 1n);
      cost += BigInt(weight[arc] as number);
    }
    return { cost, crossings };
  }

  /** null: no list makes packets take this path, and only this. */
  #pathOf(arcs: readonly number[], budget: WorkBudget): WeightedPath | null {
    const key = arcs.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    budget.spend(LIST_WORK);
    return this.#remember(finishPath(this.#prepared, arcs, this.#prepared.problem.mask), key);
  }

  #remember(finished: FinishedPath, asked?: string): WeightedPath | null {
    const path = finished.kind === 'finished' ? this.#columnOf(finished) : null;
    const key = asked ?? path?.key;
    if (key === undefined) return null;
    const known = this.#known.get(key);
    if (known !== undefined && known !== null) return known;
    this.#known.set(key, path);
    return path;
  }

  #columnOf(finished: Finished): WeightedPath | null {
    const { snapshot } = this.#prepared;
    const arcs = finished.path.links.map((link) => snapshot.arcOf(link));
    const { cost, crossings } = this.#measure(arcs);
    const isSingle =
      finished.load.size === crossings.size &&
      [...crossings].every(([arc, times]) => finished.load.get(arc) === Number(times)) &&
      [...crossings.values()].every((times) => times <= this.#mostCrossings);
    if (!isSingle) return null;
    const widths = [...crossings].map(([arc, times]) => this.#freeBps(arc) / times);
    const widthBps = widths.reduce((least, width) => (width < least ? width : least));
    return { cost, crossings, finished, widthBps, key: arcs.join() };
  }
}

/** An upper limit of what any path costs; null when it is too large for exact sums, or a metric is not whole. */
function mostCost({ weight, mask, snapshot }: SearchProblem, mostCrossings: number): bigint | null {
  let dearest = 0;
  let all = 0;
  for (let arc = 0; arc < mask.length; arc++) {
    if (mask[arc] === 0) continue;
    const value = weight[arc] as number;
    if (!Number.isInteger(value)) return null;
    dearest = Math.max(dearest, value);
    all += value;
  }
  const most = Math.min(all, dearest * snapshot.nodeCount) * mostCrossings;
  return most <= Number.MAX_SAFE_INTEGER ? BigInt(most) : null;
}
