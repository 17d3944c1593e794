import type { NoPath, PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Best } from '../best-list.js';
import { findBest } from '../best-path.js';
import { prepareRequest, refusal, type PreparedRequest } from '../prepare-request.js';
import type { WorkBudget } from '../work-budget.js';
import type { LinearSolution } from './linear-program.js';
import { nearestSplit } from './nearest-split.js';
import type { WeightedPath } from './weighted-paths.js';

export interface SplitFailure {
  readonly prepared: PreparedRequest;
  readonly maxLists: number;
  readonly relaxed: LinearSolution<WeightedPath>;
  /** No split over any number of lists carries more than `relaxed`. */
  readonly isBound: boolean;
  /** Why no single path does. */
  readonly single: Extract<Best, { found: null }>;
  readonly budget: WorkBudget;
  /** The answer to a variant of the request; null: unknown. */
  readonly ask: (variant: PathRequest) => PathAnswer | null;
}

/** Says why a demand cannot be split either: what fits at most, and the cut that more would have to pass. */
export function explainSplit(failure: SplitFailure): NoPath {
  const { prepared, maxLists, relaxed, isBound, single, budget } = failure;
  const { snapshot, request, isProbe } = prepared;
  budget.decide();
  if (isProbe) return refusal(snapshot, 'insufficient-bandwidth', 'the demand does not fit');
  const demand = request.constraints.bandwidthBps ?? 0;
  const without = relaxed.carried === 0n ? explainAnyPart(failure, demand) : null;
  if (without !== null) return without;
  const isCut = isBound && relaxed.carried < relaxed.scale * BigInt(Math.ceil(demand));
  const most = isBound ? mostThatFits(failure, demand) : null;
  const pair = `${request.source} to ${request.destination}`;
  const any = `; over any number of lists, at most ${relaxed.carried / relaxed.scale} bit/s would`;
  const room = most !== null ? `; at most ${most} bit/s would fit` : isBound ? any : '';
  const cut = [...relaxed.prices.links]
    .filter(([, price]) => price.displaced > 0n)
    .map(([arc]) => snapshot.linkIdOf(arc));
  const links = isCut ? cut.sort() : single.explain().blockingLinks;
  const where = isCut ? `, not even over more of them: ${links.slice(0, 5).join(', ')} are full` : '';
  return refusal(
    snapshot,
    'insufficient-bandwidth',
    `no ${maxLists} weighted lists from ${pair} carry ${demand} bit/s together${where}${room}`,
    { constraint: '/constraints/bandwidthBps', nearestFeasible: most, blockingLinks: links },
  );
}

/**
 * Where not even a part of the demand gets through, the rest of the request is to blame: why there is no path for the least part.
 * The value named is then one for the whole demand. null when there is such a path: the budget ended the split.
 */
function explainAnyPart({ prepared, budget, ask }: SplitFailure, demand: number): NoPath | null {
  const { snapshot, request, unreservedBps } = prepared;
  const bandwidthBps = Math.min(1, demand);
  const part = prepareRequest(snapshot, withBandwidth(request, bandwidthBps), unreservedBps);
  if ('status' in part) return part;
  const best = findBest(part, budget);
  if (best.found !== null) return null;
  const refused = best.explain();
  const { constraint, nearestFeasible, message } = refused;
  if (nearestFeasible === null) return refused;
  const nearest = constraint === null ? null : nearestSplit(prepared, constraint, nearestFeasible, ask);
  if (nearest === null) return { ...refused, nearestFeasible: null };
  if (nearest === 'none') {
    return { ...refused, nearestFeasible: null, message: `${message}; the whole demand fits at no value of it` };
  }
  const more = nearest > nearestFeasible ? `; for the whole demand it takes ${nearest}` : '';
  return { ...refused, nearestFeasible: nearest, message: message + more };
}

/** The most bits per second that have an answer; null when that was not found out. */
function mostThatFits({ prepared, relaxed, ask }: SplitFailure, demand: number): number | null {
  const bound = Math.min(Math.ceil(demand) - 1, Number(relaxed.carried / relaxed.scale));
  let low = 0;
  let high = bound + 1;
  // What fits over any number of lists often fits over these.
  for (let next = bound; high - low > 1; next = Math.floor((low + high) / 2)) {
    const answer = ask(withBandwidth(prepared.request, next));
    if (answer === null) return null;
    if (answer.status === 'computed') low = next;
    else high = next;
  }
  return low === 0 ? null : low;
}

function withBandwidth(request: PathRequest, bandwidthBps: number): PathRequest {
  return { ...request, constraints: { ...request.constraints, bandwidthBps } };
}
