import { adjacenciesOf } from '../spf/adjacency.js';
import { engineState } from './engine-state.js';
import type { PricedGraph, PricedSearch } from './priced-search.js';
import { isWithinBounds, sumOver, type CompiledBound, type SearchProblem } from './search-problem.js';
import { RELAXATION, type WorkBudget } from './work-budget.js';

/** Where the cheapest paths within the bounds are. */
export interface PricedCorridor {
  /** Every path within the bounds that costs no more than `limit` passes no other nodes; empty when there is none. */
  readonly nodes: readonly number[];
  /** What a path within the bounds costs. */
  readonly limit: number;
}

/** After so many prices the next would not make the corridor much smaller. */
const MOST_PRICES = 6;
/**
 * Prices tried before the path that uses least of the bound is sought, which is expensive where use follows distance: so many times
 * what makes the cost of the cheapest path and the price of all that is allowed equal.
 */
const GUESSES = [2, 8];
/**
 * A corridor is narrow enough when what it allows on top of the shortest path is this part of it: to walk what is left of it costs less
 * than to try another price.
 */
const NARROW = 0.2;

/** Relative; of sums that are not whole numbers. */
const ROUNDING = 1e-12;

/** A path by what it costs and what it uses of the bound. */
interface Point {
  readonly cost: number;
  readonly use: number;
}

/**
 * Puts a price on what the cheapest path uses too much of (Handler and Zang 1980; the prices are those of LARAC, Juttner et al.
 * 2001): a path within the bound that costs at most c is, at any price p, no longer than c + p * bound, and at the right price
 * hardly any node is on the way of one that is so short. Needs no include list. null when no path within all the bounds was met.
 */
export function pricedCorridor(
  problem: SearchProblem,
  cheapest: readonly number[],
  budget: WorkBudget,
): PricedCorridor | null {
  const { snapshot, bounds } = problem;
  const bound = bounds.find(({ weight, max }) => sumOver(weight, cheapest) > max);
  if (bound === undefined) return null;
  const { priced } = engineState(snapshot);
  const before = priced.work;
  const corridor = narrow(problem, bound, cheapest, priced);
  budget.spend((priced.work - before) * RELAXATION);
  return corridor;
}

function narrow(
  { snapshot, mask, weight: length, source, destination, bounds }: SearchProblem,
  bound: CompiledBound,
  cheapest: readonly number[],
  priced: PricedSearch,
): PricedCorridor | null {
  const { weight: use, max } = bound;
  const graph = { adjacencies: adjacenciesOf(snapshot.data), mask, length, use };
  const pointOf = (arcs: readonly number[]): Point => ({ cost: sumOver(length, arcs), use: sumOver(use, arcs) });
  let above = pointOf(cheapest);
  let within: Point | null = null;
  let limit = Infinity;
  for (let round = 1; round <= MOST_PRICES; round++) {
    const price = within === null ? guess(above, bound, round) : slope(above, within);
    const isUseOnly = price === Infinity;
    const at: PricedGraph = isUseOnly ? { ...graph, length: use, price: 0 } : { ...graph, price };
    const arcs = priced.find(at, source, destination, isUseOnly ? max : limit + price * max);
    if (arcs === null) return { nodes: [], limit };
    const point = pointOf(arcs);
    const isWithin = point.use <= max;
    if (isWithin && point.cost < limit && isWithinBounds(bounds, arcs)) limit = point.cost;
    const shortest = point.cost + price * point.use;
    // No path is shorter at this price than both of those that it was made from: every other price allows more.
    const isBest = within !== null && shortest >= (above.cost + price * above.use) * (1 - ROUNDING);
    const isNarrow = limit + price * max - shortest <= NARROW * shortest;
    if (limit < Infinity && !isUseOnly && (isBest || isNarrow || round === MOST_PRICES)) {
      return { nodes: priced.nodesWithin(at, limit + price * max), limit };
    }
    if (isBest) return null;
    if (isWithin) within = point;
    else above = point;
  }
  return null;
}

/** At an infinite price only the use counts. */
function guess(above: Point, { max }: CompiledBound, round: number): number {
  const factor = above.cost > 0 && max > 0 ? (GUESSES[round - 1] ?? Infinity) : Infinity;
  return factor === Infinity ? Infinity : (factor * above.cost) / max;
}

function slope(above: Point, within: Point): number {
  return (within.cost - above.cost) / (above.use - within.use);
}
