import { entryLimitsOf } from '../segments/entry-limits.js';
import { SegmentSearch, type SegmentTask } from '../segments/segment-search.js';
import { bestBranchOf } from '../segments/shown-path.js';
import { finishList, type FinishedPath } from './finish-path.js';
import type { PreparedRequest } from './prepare-request.js';
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
  const task: SegmentTask = { ...search, headendArcs, finalSids, encapMode, limits, singlePath: isOnePath };
  const { list, isExact, lowerBound } = new SegmentSearch(task, state.reaches, state.sids, state.cSids, budget).run();
  if (list === null) return { list, entries: Infinity, cost: Infinity, isExact, lowerBound };
  const arcs = bestBranchOf(search.problem, headendArcs, list, state.reaches);
  const finished = finishList(prepared, list.transport, arcs);
  return { list: finished, entries: list.entries, cost: list.cost, isExact, lowerBound };
}

/** How many entries the headend can push, one of which may need no SRH. */
export function mostEntries({ encapMode, msd }: PreparedRequest): number {
  return encapMode === 'full' ? msd : msd + 1;
}
