import type { ComputedPath, PathAnswer } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { bestList, type Best } from './best-list.js';
import { findBest } from './best-path.js';
import { isSplittable, pointerBefore, withoutConstraints, type ConstraintPointer } from './constraint-set.js';
import { disjointEquals } from './disjoint/disjoint-equals.js';
import { explainNoPath } from './explain-no-path.js';
import { answerWith, finishPath, type FinishedPath } from './finish-path.js';
import { coRoutedPair } from './co-routed.js';
import type { ComputeOptions } from './compute-options.js';
import { findConflict } from './find-conflict.js';
import { fittingBandwidths } from './fitting-bandwidths.js';
import { keepOptional } from './keep-optional.js';
import { LooplessPaths } from './loopless-paths.js';
import { protectPaths } from './protection/protect-paths.js';
import { headendMsd, prepareRequest, type PreparedRequest } from './prepare-request.js';
import { splitDemand } from './weighted/split-demand.js';
import { DEFAULT_WORK_BUDGET, GROUP_WORK_BUDGET, WorkBudget } from './work-budget.js';

/** How many paths are tried for one that can be encoded, beyond the number asked for. */
const ENCODING_ATTEMPTS = 64;

/**
 * Paths for a request, each with proved segment lists, or why there is none. Pure and deterministic: the same snapshot,
 * request and options give the same answer. Ties fall to fewer entries, then fewer SIDs, then ids.
 */
export function computePaths(snapshot: Snapshot, request: PathRequest, options: ComputeOptions = {}): PathAnswer {
  const answer = computeUnprotected(snapshot, request, options);
  return protectPaths(snapshot, request, answer, options.unreservedBps ?? snapshot.data.reservableBps);
}

function computeUnprotected(snapshot: Snapshot, request: PathRequest, options: ComputeOptions): PathAnswer {
  const context: Context = {
    snapshot,
    unreservedBps: options.unreservedBps ?? snapshot.data.reservableBps,
    budget: new WorkBudget(
      options.workBudget ?? (request.disjoint === undefined ? DEFAULT_WORK_BUDGET : GROUP_WORK_BUDGET),
    ),
    skipConflict: options.skipConflict === true,
  };
  const { optional = [], ...rest } = request;
  return optional.length === 0
    ? answerWithout(context, rest, new Set())
    : keepOptional(rest, optional, {
        mandatory: answerWithout(context, rest, new Set(optional)),
        ask: (variant) => probe(context, variant),
      });
}

interface Context {
  readonly snapshot: Snapshot;
  readonly unreservedBps: Float64Array;
  readonly budget: WorkBudget;
  readonly skipConflict: boolean;
}

/** The answer to a request without some of its constraints; what it says of the others points into the whole request. */
function answerWithout(context: Context, request: PathRequest, dropped: ReadonlySet<ConstraintPointer>): PathAnswer {
  const { snapshot, unreservedBps, budget } = context;
  const prepared = prepareRequest(snapshot, withoutConstraints(request, dropped), unreservedBps);
  if ('status' in prepared) return { ...prepared, conflict: { constraints: [], isMinimal: true } };
  const found = solve(prepared, budget);
  if (found.status === 'computed') return found;
  const constraint = found.constraint && pointerBefore(request, dropped, found.constraint);
  const answer = { ...found, constraint, isProved: budget.isDecided };
  if (context.skipConflict) return answer;
  const conflict = findConflict({
    request,
    dropped,
    blamed: constraint,
    nearestFeasible: answer.nearestFeasible,
    ask: (variant) => probe(context, variant.disjoint === undefined ? { ...variant, k: 1 } : variant),
    bandwidths: () => fittingBandwidths(prepared),
    msd: headendMsd(snapshot, prepared.problem.source),
  });
  return { ...answer, conflict };
}

function solve(prepared: PreparedRequest, budget: WorkBudget): PathAnswer {
  const { disjoint, coRouted, k = 1, maxLists = 1 } = prepared.request;
  if (disjoint !== undefined) return disjointEquals(prepared, budget);
  if (coRouted !== undefined) return coRoutedPair(prepared, coRouted, budget);
  if (isSplittable(prepared.request)) return splitDemand(prepared, maxLists, budget);
  return k === 1 ? answerOf(prepared, findBest(prepared, budget)) : computeRanked(prepared, budget);
}

/** The answer to a variant of a request, out of what is left of its budget; null when that does not suffice. */
function probe({ snapshot, unreservedBps, budget }: Context, variant: PathRequest): PathAnswer | null {
  const prepared = prepareRequest(snapshot, variant, unreservedBps, true);
  if ('status' in prepared) return prepared;
  if (budget.isSpent) return null;
  const own = new WorkBudget(budget.left);
  const answer = solve(prepared, own);
  budget.spend(budget.left - own.left);
  return answer.status === 'computed' || own.isDecided ? answer : null;
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
  if (best.found === null) return best.explain();
  return answerWith(prepared, [best.found.path], best.isExact, best.lowerBound, best.leastOfPaths);
}
