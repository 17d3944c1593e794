import type { ComputedPath, NoPath, PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import { findBest } from '../best-path.js';
import { withoutConstraints } from '../constraint-set.js';
import { answerWith } from '../finish-path.js';
import { LooplessPaths } from '../loopless-paths.js';
import { prepareRequest, type PreparedRequest } from '../prepare-request.js';
import { WorkBudget } from '../work-budget.js';
import { chooseLists, meanCost, type Choice } from './choose-lists.js';
import { explainSplit } from './explain-split.js';
import { toNumber } from './fraction.js';
import { solveLinearProgram } from './linear-program.js';
import { WeightedPaths, type WeightedPath } from './weighted-paths.js';

/**
 * The best path of a request, or where none carries its bandwidth, up to `maxLists` of them with weights: each a single path within
 * all other constraints, and on every link their shares together within what is unreserved. Minimised is the mean of the metric
 * over the traffic. Column generation (Dantzig, Wolfe; Ford, Fulkerson) finds the cheapest split over any number of
 * lists, and with it the bound; branch and bound then takes few lists with small weights.
 */
export function splitDemand(prepared: PreparedRequest, maxLists: number, budget: WorkBudget): PathAnswer {
  const part = new WorkBudget(budget.left);
  const single = findBest(prepared, part);
  budget.spend(budget.left - part.left);
  if (single.found !== null) {
    return answerWith(prepared, [single.found.path], single.isExact, single.lowerBound, single.leastOfPaths);
  }
  const spread = withoutBandwidth(prepared);
  // Each list of a headend that splits over its links by itself would branch.
  if (spread === null || prepared.headendArcs.length > 1 || budget.isSpent) {
    part.decide();
    if (!part.isDecided) budget.giveUp();
    return single.explain();
  }

  const demand = BigInt(Math.ceil(prepared.request.constraints.bandwidthBps ?? 0));
  const paths = new WeightedPaths(spread);
  const relaxed = solveLinearProgram<WeightedPath>(
    {
      demand,
      capacityOf: (arc) => paths.capacityOf(arc, demand),
      price: (prices) => paths.price(prices, budget),
    },
    budget,
  );
  const isBound = relaxed.isDone && paths.isExact;
  const fits = relaxed.carried === relaxed.scale * demand;
  if (!fits && !isBound) budget.giveUp();
  const none = (): NoPath =>
    explainSplit({
      prepared,
      maxLists,
      relaxed,
      isBound,
      single,
      budget,
      ask: (variant) => probe(prepared, variant, budget),
    });
  if (!fits) return none();

  const { best, isProved } = chooseLists({ demand, maxLists, relaxed, paths }, budget);
  if (best === null) {
    if (!(isProved && isBound)) budget.giveUp();
    return none();
  }
  const isOptimal = isBound && isProved && single.isExact;
  const lowerBound = isBound ? toNumber(isOptimal ? best.mean : meanCost(relaxed, demand)) : leastOfOne(spread, budget);
  return answerWith(prepared, pathsOf(best), isOptimal, lowerBound);
}

/** No mean is less than the metric of the best path, whatever that carries. */
function leastOfOne({ problem, state }: PreparedRequest, budget: WorkBudget): number {
  const ranked = new LooplessPaths(problem, state.search, budget);
  return ranked.next()?.cost ?? ranked.lowerBound;
}

/** Cheapest first, of equal ones those with the largest part. */
function pathsOf({ paths, weights }: Choice): ComputedPath[] {
  return paths
    .map(({ cost, finished }, i) => ({ cost, path: { ...finished.path, weight: Number(weights[i]) } }))
    .sort((a, b) => (a.cost < b.cost ? -1 : a.cost > b.cost ? 1 : b.path.weight - a.path.weight))
    .map(({ path }) => path);
}

/** The same request for any part of its bandwidth; null when it has not even an end. */
function withoutBandwidth(prepared: PreparedRequest): PreparedRequest | null {
  const { snapshot, request, unreservedBps } = prepared;
  const plain = withoutConstraints(request, new Set(['/constraints/bandwidthBps']));
  const spread = prepareRequest(snapshot, plain, unreservedBps, true);
  if ('status' in spread) return null;
  const mask = spread.problem.mask.map((allowed, arc) => ((unreservedBps[arc] as number) >= 1 ? allowed : 0));
  return { ...spread, isOnePath: true, problem: { ...spread.problem, mask } };
}

/** The answer to a variant of the request; null: the budget does not suffice to know. */
function probe(
  { snapshot, unreservedBps }: PreparedRequest,
  variant: PathRequest,
  budget: WorkBudget,
): PathAnswer | null {
  const prepared = prepareRequest(snapshot, variant, unreservedBps, true);
  if ('status' in prepared) return prepared;
  const own = new WorkBudget(budget.left);
  const answer = splitDemand(prepared, variant.maxLists ?? 1, own);
  budget.spend(budget.left - own.left);
  return answer.status === 'computed' || own.isDecided ? answer : null;
}
