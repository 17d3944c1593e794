import type { ComputedPath, NoPath, PathAnswer } from '../model/path-answer.js';
import type { Objective, PathRequest } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { findBest } from './best-path.js';
import { answerWith, finishPath, type FinishedPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import { prepareRequest, refusal, type PreparedRequest } from './prepare-request.js';
import { sumOver, type SearchProblem } from './search-problem.js';
import type { WorkBudget } from './work-budget.js';

/**
 * A path and the way back over the reverse directions of its links. Paths are tried in the order of the sum over both
 * directions, each under the constraints of both, until one has lists for both that keep to it exactly: so what is found
 * first has the least sum, and the least worst is found once half the sum exceeds it.
 */
export function coRoutedPair(there: PreparedRequest, objective: Objective, budget: WorkBudget): PathAnswer {
  const { snapshot, request, unreservedBps, isProbe } = there;
  const back = prepareRequest(snapshot, reversed(snapshot, request), unreservedBps, isProbe);
  if ('status' in back) return onTheWayBack(back, request);
  const split = [there, back].find((way) => way.headendArcs.length > 1);
  if (split !== undefined) {
    const host = split.request.source;
    const message = `${host} splits its traffic over several links, so that no way back is over the same`;
    const blockingLinks = split.headendArcs.map((arc) => snapshot.linkIdOf(arc));
    return refusal(snapshot, 'path-not-found', message, { constraint: '/coRouted', blockingLinks });
  }

  const { weight } = there.problem;
  const isWhole = weight.every((value) => Number.isNaN(value) || Number.isInteger(value));
  const ranked = new LooplessPaths(bothWays(there, back), there.state.search, budget);
  const limit = (sum: number) => (objective === 'sum' ? sum : isWhole ? Math.ceil(sum / 2) : sum / 2);
  let best: { readonly paths: readonly ComputedPath[]; readonly value: number } | null = null;
  let failure: Exclude<FinishedPath, { kind: 'finished' }> | null = null;
  for (;;) {
    const found = ranked.next();
    const lowerBound = limit(found === null ? ranked.lowerBound : found.cost);
    if (best !== null && (found === null ? ranked.isExact : lowerBound >= best.value)) {
      return answerWith(there, best.paths, true, best.value);
    }
    if (found === null || budget.isSpent) {
      if (best !== null) return answerWith(there, best.paths, false, Math.min(best.value, lowerBound));
      return found === null && ranked.isExact ? explain(there, back, failure, budget) : spent(there, budget);
    }
    const wayBack = found.arcs.map((arc) => snapshot.reverseOf(arc)).reverse();
    const value = objectiveOf(objective, sumOver(weight, found.arcs), sumOver(weight, wayBack));
    if (best !== null && value >= best.value) continue;
    const one = finishPath(there, found.arcs, there.problem.mask, true);
    const two = one.kind === 'finished' ? finishPath(back, wayBack, back.problem.mask, true) : one;
    if (one.kind === 'finished' && two.kind === 'finished') best = { paths: [one.path, two.path], value };
    else if (two.kind !== 'finished') failure = two;
  }
}

function objectiveOf(objective: Objective, there: number, back: number): number {
  return objective === 'sum' ? there + back : Math.max(there, back);
}

function reversed(snapshot: Snapshot, request: PathRequest): PathRequest {
  const { source, destination, constraints } = request;
  const include = constraints.include
    ?.map((entry) => {
      // The way back is exact: what the way there passes directly, it passes directly too.
      if ('node' in entry) return { node: entry.node };
      const reverse = snapshot.reverseOf(snapshot.arcOf(entry.link));
      return { link: reverse < 0 ? entry.link : snapshot.linkIdOf(reverse) };
    })
    .reverse();
  return {
    ...request,
    source: destination,
    destination: source,
    constraints: { ...constraints, ...(include && { include }) },
  };
}

/** One search for both directions: arcs stand for themselves and their reverse. */
function bothWays(there: PreparedRequest, back: PreparedRequest): SearchProblem {
  const { problem, snapshot } = there;
  const reverse = snapshot.data.arcReverse;
  const turned = (weight: Float64Array) => weight.map((_, arc) => weight[reverse[arc] as number] ?? Number.NaN);
  const behind = turned(back.problem.weight);
  const leftBehind = problem.demand && turned(problem.demand.unreservedBps);
  return {
    ...problem,
    weight: problem.weight.map((value, arc) => value + (behind[arc] as number)),
    mask: problem.mask.map((allowed, arc) =>
      allowed === 1 && back.problem.mask[reverse[arc] as number] === 1 ? 1 : 0,
    ),
    bounds: [...problem.bounds, ...back.problem.bounds.map((bound) => ({ ...bound, weight: turned(bound.weight) }))],
    ...(problem.demand && {
      demand: {
        ...problem.demand,
        unreservedBps: problem.demand.unreservedBps.map((left, arc) => Math.min(left, leftBehind?.[arc] ?? 0)),
      },
    }),
  };
}

function explain(
  there: PreparedRequest,
  back: PreparedRequest,
  failure: Exclude<FinishedPath, { kind: 'finished' }> | null,
  budget: WorkBudget,
): NoPath {
  const { snapshot, request, isProbe } = there;
  budget.decide();
  if (isProbe) return refusal(snapshot, 'path-not-found', 'there is no way for both directions');
  const alone = findBest(there, budget);
  if (alone.found === null) return alone.explain();
  const return_ = findBest(back, budget);
  if (return_.found === null) return onTheWayBack(return_.explain(), request);
  const pair = `${request.source} and ${request.destination}`;
  const details = { constraint: '/coRouted' };
  if (failure?.kind === 'too-deep') {
    const message = `there is a way between ${pair} within the constraints of both directions, but none that both ends can push`;
    return refusal(snapshot, 'msd-exceeded', message, details);
  }
  const message =
    failure === null
      ? `there are ways between ${pair} in each direction, but none over the same links within the constraints of both`
      : `no way between ${pair} over the same links can be kept to by segment lists in both directions`;
  return refusal(snapshot, 'path-not-found', message, details);
}

/** The return path's refusal, pointing into the request as it was asked. */
function onTheWayBack(refused: NoPath, request: PathRequest): NoPath {
  const last = (request.constraints.include?.length ?? 0) - 1;
  const constraint =
    refused.constraint?.replace(
      /^(\/constraints\/include\/)(\d+)/,
      (_, path: string, i: string) => path + String(last - Number(i)),
    ) ?? null;
  return { ...refused, constraint, message: `on the way back: ${refused.message}` };
}

function spent({ snapshot, request: { source, destination } }: PreparedRequest, budget: WorkBudget): NoPath {
  budget.giveUp();
  const message = `the work budget ended the search before it found a way between ${source} and ${destination} for both directions`;
  return refusal(snapshot, 'path-not-found', message, { constraint: '/coRouted' });
}
