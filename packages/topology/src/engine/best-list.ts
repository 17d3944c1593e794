import { entriesThatFit } from '../model/encapsulation.js';
import type { NoPath } from '../model/path-answer.js';
import { explainFailures, leastDepth } from './explain-failures.js';
import { finishPath, type Finished, type FinishedPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import { reverseDistances } from './reverse-distances.js';
import { mostEntries, searchLists } from './search-lists.js';
import { WorkBudget } from './work-budget.js';

/**
 * The best path of a request with its lists, or why there is none. `isExact`: nothing better, or nothing at all, exists.
 * `leastOfPaths`: what the best path is worth, as the search sums it, whatever list would make packets take it; undefined: it was
 * not found within the budget, or the headend splits its traffic over several links.
 */
export type Best =
  | { readonly found: Finished; readonly isExact: boolean; readonly lowerBound: number; readonly leastOfPaths?: number }
  | { readonly found: null; readonly isExact: boolean; readonly lowerBound: number; readonly explain: () => NoPath };

/** Paths that are tried one by one when the search over lists does not end within its half of the budget. */
const PATH_ATTEMPTS = 64;

/**
 * The best list that the headend can push and whose every branch obeys, when that is not simply the best path's: the
 * best path needs too many entries, or one that nobody has, or the headend splits its traffic from the first packet on.
 * `lowerBound`: of every path; `failures`: what was tried before.
 */
export function bestList(
  prepared: PreparedRequest,
  budget: WorkBudget,
  lowerBound: number,
  failures: readonly FinishedPath[],
): Best {
  const tried = [...failures];
  let best: Finished | null = null;
  const offer = (result: FinishedPath | null): void => {
    if (result === null) return;
    if (result.kind !== 'finished') tried.push(result);
    else if (best === null || isBetter(result, best)) best = result;
  };
  const current = (): Finished | null => best;
  for (const path of compromises(prepared, budget)) offer(finishPath(prepared, path, prepared.problem.mask));

  const half = budget.left / 2;
  const own = new WorkBudget(half);
  const searched = searchAllLists(prepared, own, current()?.worst ?? Infinity);
  budget.spend(half - own.left);
  offer(searched.list);
  if (searched.isExact) {
    const found = current();
    if (found !== null) return { found, isExact: true, lowerBound: found.worst };
    return { found, isExact: true, lowerBound: Infinity, explain: () => explain(prepared, tried, budget) };
  }

  const ranked = new LooplessPaths(prepared.problem, prepared.state.search, budget);
  for (let attempt = 0; attempt < PATH_ATTEMPTS && !budget.isSpent; attempt++) {
    const path = ranked.next();
    const known = current();
    if (path === null || (known !== null && path.cost >= known.worst)) break;
    offer(finishPath(prepared, path.arcs, prepared.problem.mask));
  }
  const found = current();
  const least = Math.max(lowerBound, searched.lowerBound);
  if (found !== null) return { found, isExact: false, lowerBound: Math.min(found.worst, least) };
  budget.giveUp();
  return { found, isExact: false, lowerBound: least, explain: () => explain(prepared, tried, budget) };
}

function explain(prepared: PreparedRequest, tried: readonly FinishedPath[], budget: WorkBudget): NoPath {
  budget.decide();
  if (prepared.isProbe) return refusal(prepared.snapshot, 'path-not-found', 'there is no list');
  return explainFailures(prepared, tried, leastDepth(prepared, tried, budget), budget);
}

function isBetter(a: Finished, b: Finished): boolean {
  return a.worst !== b.worst ? a.worst < b.worst : a.entries < b.entries;
}

/** The IGP's own path and those that keep a bound best: often good enough, and a limit to what is sought. */
function* compromises(prepared: PreparedRequest, budget: WorkBudget): Generator<readonly number[]> {
  const { snapshot, problem, state } = prepared;
  for (const weight of [snapshot.data.igpMetric, ...problem.bounds.map((bound) => bound.weight)]) {
    const found = state.search.find({ ...problem, weight }, budget);
    if (found !== null) yield found.arcs;
  }
}

export interface AllLists {
  readonly list: Finished | null;
  /** Of the list, as the problem weighs links. */
  readonly cost: number;
  readonly isExact: boolean;
  readonly lowerBound: number;
}

/**
 * The best of all lists. Where MTUs limit lists more than the headend does, it is sought once for every such limit, over
 * the links that allow so much.
 */
export function searchAllLists(prepared: PreparedRequest, budget: WorkBudget, maxCost: number): AllLists {
  const { snapshot, problem, encapMode } = prepared;
  const { mtuBytes } = snapshot.data;
  const most = mostEntries(prepared);
  const fits = Array.from(mtuBytes, (mtu) => (Number.isNaN(mtu) ? Infinity : entriesThatFit(encapMode, mtu)));
  const limits = [...new Set(fits.map((fit) => Math.min(fit, most)))].sort((a, b) => b - a);
  let result: AllLists = { list: null, cost: Infinity, isExact: true, lowerBound: Infinity };
  for (const maxEntries of limits) {
    if (maxEntries < 1) break;
    const mask = problem.mask.map((allowed, arc) => ((fits[arc] as number) >= maxEntries ? allowed : 0));
    const within = { ...problem, mask };
    const weights = [problem.weight, ...problem.bounds.map((bound) => bound.weight)];
    const toDestination = weights.map((weight) => reverseDistances(within, weight, budget));
    const found = searchLists(prepared, budget, { problem: within, maxEntries, maxCost, order: 'cost', toDestination });
    const list = found.list?.kind === 'finished' ? found.list : null;
    const isBest =
      list !== null &&
      (found.cost < result.cost || (found.cost === result.cost && list.entries < leastEntries(result)));
    result = {
      list: isBest ? list : result.list,
      cost: isBest ? found.cost : result.cost,
      // A list that was found and yet refuted proves nothing about the others.
      isExact: result.isExact && found.isExact && (found.list === null || list !== null),
      lowerBound: Math.min(result.lowerBound, found.lowerBound),
    };
  }
  return result;
}

function leastEntries({ list }: AllLists): number {
  return list?.entries ?? Infinity;
}
