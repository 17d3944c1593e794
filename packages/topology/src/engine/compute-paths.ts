import type { ComputedPath, PathAnswer } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { bestList, type Best } from './best-list.js';
import { findBest } from './best-path.js';
import { disjointEquals } from './disjoint/disjoint-equals.js';
import { explainNoPath } from './explain-no-path.js';
import { answerWith, finishPath, type FinishedPath } from './finish-path.js';
import { coRoutedPair } from './co-routed.js';
import type { ComputeOptions } from './compute-options.js';
import { LooplessPaths } from './loopless-paths.js';
import { prepareRequest, type PreparedRequest } from './prepare-request.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from './work-budget.js';

/** How many paths are tried for one that can be encoded, beyond the number asked for. */
const ENCODING_ATTEMPTS = 64;

/**
 * Paths for a request, each with proved segment lists, or why there is none. Pure and deterministic: the same snapshot,
 * request and options give the same answer. Ties fall to fewer SIDs, then ids.
 */
export function computePaths(snapshot: Snapshot, request: PathRequest, options: ComputeOptions = {}): PathAnswer {
  if (request.disjoint !== undefined) return disjointEquals(snapshot, request, options);
  if (request.coRouted !== undefined) return coRoutedPair(snapshot, request, request.coRouted, options);
  const prepared = prepareRequest(snapshot, request, options.unreservedBps ?? snapshot.data.reservableBps);
  if ('status' in prepared) return prepared;
  const budget = new WorkBudget(options.workBudget ?? DEFAULT_WORK_BUDGET);
  return (request.k ?? 1) === 1 ? answerOf(prepared, findBest(prepared, budget)) : computeRanked(prepared, budget);
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
  if (finished.length === 0) {
    return answerOf(prepared, bestList(prepared, budget, lowerBound ?? ranked.lowerBound, failures));
  }
  return answerWith(prepared, finished, ranked.isExact && isOptimal, lowerBound ?? ranked.lowerBound);
}

function answerOf(prepared: PreparedRequest, best: Best): PathAnswer {
  return best.found === null ? best.explain() : answerWith(prepared, [best.found.path], best.isExact, best.lowerBound);
}
