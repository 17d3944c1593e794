import type { ComputedPath, PathAnswer } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { computeDisjointPair } from './disjoint-pair.js';
import { explainFailures } from './explain-failures.js';
import { explainNoPath } from './explain-no-path.js';
import { finishPath, type FinishedPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import { prepareRequest, type PreparedRequest } from './prepare-request.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from './work-budget.js';

export interface ComputeOptions {
  /** Bandwidth left per arc in bit/s (priority 7); without it the reservable bandwidth. */
  readonly unreservedBps?: Float64Array;
  /** Relaxations and labels this request may cost. */
  readonly workBudget?: number;
}

/** How many paths are tried for one that can be encoded, beyond the number asked for. */
const ENCODING_ATTEMPTS = 64;
/** How many equal paths are compared for the one with the fewest SIDs, and what the comparison may cost. */
const TIE_ATTEMPTS = 8;
const TIE_BUDGET = 100_000;

/**
 * Paths for a request, each with proved segment lists, or why there is none. Pure and deterministic: the same snapshot,
 * request and options give the same answer. Ties fall to fewer SIDs (among the first few equal paths), then ids.
 */
export function computePaths(snapshot: Snapshot, request: PathRequest, options: ComputeOptions = {}): PathAnswer {
  const prepared = prepareRequest(snapshot, request, options.unreservedBps ?? snapshot.data.reservableBps);
  if ('status' in prepared) return prepared;
  const budget = new WorkBudget(options.workBudget ?? DEFAULT_WORK_BUDGET);
  return request.disjoint === undefined
    ? computeRanked(prepared, budget)
    : computeDisjointPair(prepared, request.disjoint, budget);
}

function computeRanked(prepared: PreparedRequest, budget: WorkBudget): PathAnswer {
  const { snapshot, request, problem, state } = prepared;
  const wanted = request.k ?? 1;
  const ranked = new LooplessPaths(problem, state.search, budget);
  const finished: ComputedPath[] = [];
  const failures: FinishedPath[] = [];
  let isOptimal = true;
  let lowerBound: number | undefined;
  for (let attempt = 0; finished.length < wanted && attempt < wanted + ENCODING_ATTEMPTS; attempt++) {
    const found = ranked.next();
    if (found === null) break;
    const result = finishPath(prepared, found.arcs, problem.mask);
    if (result.kind !== 'finished') {
      failures.push(result);
      continue;
    }
    lowerBound ??= ranked.isExact ? found.cost : ranked.lowerBound;
    if (result.worst > found.cost) isOptimal = false;
    const hasRivals = wanted === 1 && !ranked.firstIsOnlyBest && result.path.transport.length > 1;
    finished.push(hasRivals ? withFewestSids(prepared, result.path, found.cost) : result.path);
  }
  const isExact = ranked.isExact && isOptimal;
  if (finished.length > 0 && lowerBound !== undefined) {
    return {
      status: 'computed',
      revision: snapshot.revision,
      metric: request.metric,
      optimality: isExact ? 'optimal' : 'feasible',
      lowerBound,
      paths: finished,
      shared: null,
    };
  }
  const compromise =
    ranked.isExact && failures.length === 0 ? null : computeCompromise(prepared, budget, ranked.lowerBound);
  if (compromise !== null) return compromise;
  return failures.length > 0 ? explainFailures(prepared, failures) : explainNoPath(prepared, budget);
}

/** Of paths as good as the one found, the one with the fewest SIDs. */
function withFewestSids(prepared: PreparedRequest, found: ComputedPath, cost: number): ComputedPath {
  const { problem, state } = prepared;
  const equals = new LooplessPaths(problem, state.search, new WorkBudget(TIE_BUDGET));
  let best = found;
  for (let attempt = 0; attempt < TIE_ATTEMPTS; attempt++) {
    const other = equals.next(cost);
    if (other === null || !equals.isExact || other.cost > cost) break;
    const result = finishPath(prepared, other.arcs, problem.mask);
    if (result.kind === 'finished' && result.worst <= cost && result.path.transport.length < best.transport.length) {
      best = result.path;
    }
  }
  return best;
}

/** When no best path can be used, the path that needs the fewest SIDs or keeps a bound best is still an answer. */
function computeCompromise(prepared: PreparedRequest, budget: WorkBudget, lowerBound: number): PathAnswer | null {
  const { snapshot, request, problem, state } = prepared;
  const weights = [snapshot.data.igpMetric, ...problem.bounds.map((bound) => bound.weight)];
  let best: { readonly path: ComputedPath; readonly worst: number } | null = null;
  for (const weight of weights) {
    const found = state.search.find({ ...problem, weight }, budget);
    if (found === null) continue;
    const result = finishPath(prepared, found.arcs, problem.mask);
    if (result.kind === 'finished' && (best === null || result.worst < best.worst)) best = result;
  }
  if (best === null) return null;
  return {
    status: 'computed',
    revision: snapshot.revision,
    metric: request.metric,
    optimality: 'feasible',
    lowerBound,
    paths: [best.path],
    shared: null,
  };
}
