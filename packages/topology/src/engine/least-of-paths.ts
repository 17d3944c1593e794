import type { PathRequest } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { ComputeOptions } from './compute-options.js';
import { LooplessPaths } from './loopless-paths.js';
import { reportedValue } from './metric-values.js';
import { prepareRequest } from './prepare-request.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from './work-budget.js';

/**
 * What the best path of a request is worth, in the unit of its metric, whatever list would make packets take it: a headend
 * that could push any list would get no less. Of a host that sends over several links, the worst of the best ones over each.
 * null: there is no such path, or the budget ended the search.
 */
export function leastOfPaths(
  snapshot: Snapshot,
  request: PathRequest,
  { unreservedBps = snapshot.data.reservableBps, workBudget = DEFAULT_WORK_BUDGET }: ComputeOptions = {},
): number | null {
  const prepared = prepareRequest(snapshot, request, unreservedBps, true);
  if ('status' in prepared) return null;
  const { problem, headendArcs, state } = prepared;
  const budget = new WorkBudget(workBudget);
  const leastOver = (mask: Uint8Array): number => {
    const ranked = new LooplessPaths({ ...problem, mask }, state.search, budget);
    const path = ranked.next();
    return path !== null && ranked.isExact ? path.cost : Infinity;
  };
  const masks =
    headendArcs.length <= 1 ? [problem.mask] : headendArcs.map((arc) => withoutOthers(problem.mask, headendArcs, arc));
  const least = Math.max(...masks.map(leastOver));
  return least === Infinity ? null : reportedValue(request.metric, least);
}

function withoutOthers(mask: Uint8Array, arcs: readonly number[], kept: number): Uint8Array {
  const only = mask.slice();
  for (const arc of arcs) if (arc !== kept) only[arc] = 0;
  return only;
}
