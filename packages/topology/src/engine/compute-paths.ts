import type { ComputedPath, PathAnswer } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { bestList } from './best-list.js';
import { computeBest } from './best-path.js';
import { computeDisjointPair } from './disjoint-pair.js';
import { explainNoPath } from './explain-no-path.js';
import { answerWith, finishPath, type FinishedPath } from './finish-path.js';
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

/**
 * Paths for a request, each with proved segment lists, or why there is none. Pure and deterministic: the same snapshot,
 * request and options give the same answer. Ties fall to fewer SIDs, then ids.
 */
export function computePaths(snapshot: Snapshot, request: PathRequest, options: ComputeOptions = {}): PathAnswer {
  const prepared = prepareRequest(snapshot, request, options.unreservedBps ?? snapshot.data.reservableBps);
  if ('status' in prepared) return prepared;
  const budget = new WorkBudget(options.workBudget ?? DEFAULT_WORK_BUDGET);
  if (request.disjoint !== undefined) return computeDisjointPair(prepared, request.disjoint, budget);
  return (request.k ?? 1) === 1 ? computeBest(prepared, budget) : computeRanked(prepared, budget);
}

function computeRanked(prepared: PreparedRequest, budget: WorkBudget): PathAnswer {
  const { request, problem, state } = prepared;
  const wanted = request.k ?? 1;
  const ranked = new LooplessPaths(problem, state.search, budget);
  const finished: ComputedPath[] = [];
  const failures: FinishedPath[] = [];
  let isOptimal = true;
  let lowerBound: number | undefined;
  for (let attempt = 0; finished.length < wanted && attempt < wanted + ENCODING_ATTEMPTS; attempt++) {
    const found = ranked.next();
    if (found === null) break;
    lowerBound ??= ranked.isExact ? found.cost : ranked.lowerBound;
    const result = finishPath(prepared, found.arcs, problem.mask);
    if (result.kind === 'finished') {
      if (result.worst > found.cost || failures.length > 0) isOptimal = false;
      finished.push(result.path);
    } else {
      failures.push(result);
    }
  }
  if (lowerBound === undefined && ranked.isExact) return explainNoPath(prepared, budget);
  if (finished.length === 0) return bestList(prepared, budget, lowerBound ?? ranked.lowerBound, failures);
  return answerWith(prepared, finished, ranked.isExact && isOptimal, lowerBound ?? ranked.lowerBound);
}
