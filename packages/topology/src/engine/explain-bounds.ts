import type { NoPath } from '../model/path-answer.js';
import { finishPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import { reportedValue } from './metric-values.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import { mostEntries, searchLists } from './search-lists.js';
import type { CompiledBound } from './search-problem.js';
import type { WorkBudget } from './work-budget.js';

/** Which bound to blame, and the least value with which it alone would be met while all others hold. */
export function explainBounds(prepared: PreparedRequest, budget: WorkBudget): NoPath {
  const { snapshot, request, problem } = prepared;
  const bounds = (request.constraints.bounds ?? []).map((bound, i) => {
    const compiled = problem.bounds[i] as CompiledBound;
    const others = problem.bounds.filter((_, other) => other !== i);
    const least = (among: readonly CompiledBound[]): number | null => {
      const sum = leastOf(prepared, compiled, among, budget);
      return sum === null ? null : reportedValue(bound.metric, sum);
    };
    return { ...bound, i, alone: least([]), within: least(others) };
  });
  const impossible = bounds.filter((bound) => bound.alone !== null && bound.alone > bound.max);
  const inOrder = [...impossible, ...bounds.filter((bound) => !impossible.includes(bound)).reverse()];
  const blamed = inOrder.find((bound) => bound.within !== null) ?? inOrder[0];
  if (blamed === undefined) throw new Error('bounds are to blame where there are none: the search is wrong');
  const { metric, max, alone, within } = blamed;
  const details = { constraint: `/constraints/bounds/${blamed.i}`, nearestFeasible: within };
  const refuse = (message: string) => refusal(snapshot, 'metric-bound-exceeded', message, details);
  if (budget.isSpent) {
    const message = 'the work budget ended the search before it found a path within all bounds';
    return refusal(snapshot, 'metric-bound-exceeded', message, { ...details, nearestFeasible: null });
  }
  if (within !== null && (within === alone || alone === null)) {
    return refuse(`the least ${metric} is ${within}, above the bound of ${max}`);
  }
  if (within !== null)
    return refuse(`within the other bounds the least ${metric} is ${within}, above the bound of ${max}`);
  if (alone !== null && alone > max) {
    return refuse(`the least ${metric} is ${alone}, above the bound of ${max}, and the other bounds rule that out too`);
  }
  return refuse(`no path keeps the bound of ${max} on ${metric} together with the other bounds, nor without it`);
}

/** The least sum of a bounded metric under other bounds; null when there is none, or the budget does not suffice. */
function leastOf(
  prepared: PreparedRequest,
  bound: CompiledBound,
  others: readonly CompiledBound[],
  budget: WorkBudget,
): number | null {
  const { problem, state, headendArcs } = prepared;
  const sought = { ...problem, weight: bound.weight, bounds: others };
  const ranked = new LooplessPaths(sought, state.search, budget);
  const path = ranked.next();
  if (!ranked.isExact || path === null) return null;
  // A host with several first links can promise what its worst branch keeps, and any headend what it can push.
  const isPlain =
    headendArcs.length <= 1 && finishPath({ ...prepared, problem: sought }, path.arcs, sought.mask).kind !== 'too-deep';
  if (isPlain) return path.cost;
  const maxEntries = mostEntries(prepared);
  const found = searchLists(prepared, budget, { problem: sought, maxEntries, maxCost: Infinity, order: 'cost' });
  return found.isExact && found.list !== null ? found.cost : null;
}
