import { entryLimitsOf } from '../segments/entry-limits.js';
import { SegmentSearch, type SegmentTask } from '../segments/segment-search.js';
import { crossingsOf } from '../segments/list-crossings.js';
import { bestBranchOf } from '../segments/shown-path.js';
import { crossingLimits } from './crossing-limits.js';
import { finishList, type FinishedPath } from './finish-path.js';
import type { PreparedRequest } from './prepare-request.js';
import { reverseDistances } from './reverse-distances.js';
import type { SearchProblem } from './search-problem.js';
import type { WorkBudget } from './work-budget.js';

export interface ListSearch {
  readonly problem: SearchProblem;
  readonly maxEntries: number;
  readonly maxCost: number;
  readonly order: SegmentTask['order'];
  readonly toDestination?: readonly Float64Array[];
  /** As if every endpoint could process whatever is pushed. */
  readonly ignoresLimits?: true;
}

export interface ListFound {
  /** The best list, proved; null: there is none, or (when not exact) none was found. */
  readonly list: FinishedPath | null;
  /** Of the longest finished list. */
  readonly entries: number;
  readonly cost: number;
  readonly isExact: boolean;
  readonly lowerBound: number;
}

/** The best list for a request among all lists there are, proved like any other. */
export function searchLists(prepared: PreparedRequest, budget: WorkBudget, search: ListSearch): ListFound {
  const { state, headendArcs, finalSids, isOnePath, encapMode, snapshot } = prepared;
  const all = entryLimitsOf(snapshot);
  const limits = all.isInUse && search.ignoresLimits !== true ? all : null;
  const { reaches, sids, cSids } = state;
  const task: SegmentTask = { ...search, headendArcs, finalSids, encapMode, limits, singlePath: isOnePath };
  const { list, isExact, lowerBound } = new SegmentSearch(task, reaches, sids, cSids, budget).run();
  if (list === null) return { list, entries: Infinity, cost: Infinity, isExact, lowerBound };
  const { problem, toDestination } = search;
  const crossings = crossingsOf(snapshot, problem.destination, headendArcs, list, reaches);
  const tooOften = crossingLimits(problem, crossings);
  if (tooOften.length === 0) {
    const arcs = bestBranchOf(problem, headendArcs, list, reaches);
    const finished = finishList(prepared, list.transport, arcs);
    return { list: finished, entries: list.entries, cost: list.cost, isExact, lowerBound };
  }
  if (!isExact) return { list: null, entries: Infinity, cost: Infinity, isExact, lowerBound };
  const trees = tooOften.map(({ weight }) => reverseDistances(problem, weight, budget));
  return searchLists(prepared, budget, {
    ...search,
    problem: { ...problem, bounds: [...problem.bounds, ...tooOften] },
    ...(toDestination && { toDestination: [...toDestination, ...trees] }),
  });
}

/** How many entries the headend can push, one of which may need no SRH. */
export function mostEntries({ encapMode, msd }: PreparedRequest): number {
  return encapMode === 'full' ? msd : msd + 1;
}
