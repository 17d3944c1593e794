import { adjacenciesOf } from '../spf/adjacency.js';
import { engineState } from './engine-state.js';
import type { PricedGraph } from './priced-search.js';
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
/** Prices tried in order to meet a path within the bound before the one that uses least of it is sought. */
const GUESSES = 2;
const GUESS_FACTOR = 4;
/** A corridor is narrow enough when what it allows on top of the shortest path is this part of it. */
const NARROW = 0.05;

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
  const { snapshot, mask, weight: length, source, destination, bounds } = problem;
  const bound = bounds.find(({ weight, max }) => sumOver(weight, cheapest) > max);
  if (bound === undefined) return null;
  const { priced } = engineState(snapshot);
  const { weight: use, max } = bound;
  const before = priced.work;
  const graphAt = (price: number): PricedGraph => ({
    adjacencies: adjacenciesOf(snapshot.data),
    mask,
    length,
    use,
    price,
  });
  const pointOf = (arcs: readonly number[]): Point => ({ cost: sumOver(length, arcs), use: sumOver(use, arcs) });
  let above = pointOf(cheapest);
  let within: Point | null = null;
  let limit = Infinity;
  let corridor: PricedCorridor | null = null;
  for (let round = 0; round < MOST_PRICES; round++) {
    const price = within === null ? guess(above, bound, round) : slope(above, within);
    const graph = price === Infinity ? { ...graphAt(0), length: use } : graphAt(price);
    const arcs = priced.find(graph, source, destination, price === Infinity ? max : limit + price * max);
    if (arcs === null) {
      corridor = { nodes: [], limit };
      break;
    }
    const point = pointOf(arcs);
    const isWithin = point.use <= max;
    if (isWithin && point.cost < limit && isWithinBounds(bounds, arcs)) limit = point.cost;
    if (price < Infinity && limit < Infinity) {
      const shortest = point.cost + price * point.use;
      const isLast = shortest >= (above.cost + price * above.use) * (1 - 1e-12) || round === MOST_PRICES - 1;
      if (isLast || limit + price * max - shortest <= NARROW * shortest) {
        corridor = { nodes: priced.nodesWithin(graph, limit + price * max), limit };
        break;
      }
    }
    if (isWithin) within = point;
    else above = point;
  }
  budget.spend((priced.work - before) * RELAXATION);
  return corridor;
}

/** At an infinite price only the use counts. */
function guess(above: Point, { max }: CompiledBound, round: number): number {
  const isUseful = round < GUESSES && above.cost > 0 && max > 0;
  return isUseful ? (above.cost / max) * GUESS_FACTOR ** round : Infinity;
}

function slope(above: Point, within: Point): number {
  return (within.cost - above.cost) / (above.use - within.use);
}
