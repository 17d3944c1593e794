import type { NoPath } from '../../model/path-answer.js';
import type { Best } from '../best-list.js';
import { refusal, type PreparedRequest } from '../prepare-request.js';
import type { WorkBudget } from '../work-budget.js';
import type { LinearSolution } from './linear-program.js';
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
  /** Is there an answer for this bandwidth? null: unknown. */
  readonly ask: (bandwidthBps: number) => boolean | null;
}

/** Says why a demand cannot be split either: what fits at most, and the cut that more would have to pass. */
export function explainSplit(failure: SplitFailure): NoPath {
  const { prepared, maxLists, relaxed, isBound, single, budget } = failure;
  const { snapshot, request, isProbe } = prepared;
  budget.decide();
  if (isProbe) return refusal(snapshot, 'insufficient-bandwidth', 'the demand does not fit');
  const alone = single.explain();
  if (relaxed.carried === 0n) return alone;
  const demand = request.constraints.bandwidthBps ?? 0;
  const isCut = isBound && relaxed.carried < relaxed.scale * BigInt(Math.ceil(demand));
  const most = isBound ? mostThatFits(failure, demand) : null;
  const pair = `${request.source} to ${request.destination}`;
  const any = `; over any number of lists, at most ${relaxed.carried / relaxed.scale} bit/s would`;
  const room = most !== null ? `; at most ${most} bit/s would fit` : isBound ? any : '';
  const cut = [...relaxed.prices.links]
    .filter(([, price]) => price.displaced > 0n)
    .map(([arc]) => snapshot.linkIdOf(arc));
  const links = isCut ? cut.sort() : alone.blockingLinks;
  const where = isCut ? `, not even over more of them: ${links.slice(0, 5).join(', ')} are full` : '';
  return refusal(
    snapshot,
    'insufficient-bandwidth',
    `no ${maxLists} weighted lists from ${pair} carry ${demand} bit/s together${where}${room}`,
    { constraint: '/constraints/bandwidthBps', nearestFeasible: most, blockingLinks: links },
  );
}

/** The most bits per second that have an answer; null when that was not found out. */
function mostThatFits({ relaxed, ask }: SplitFailure, demand: number): number | null {
  const bound = Math.min(Math.ceil(demand) - 1, Number(relaxed.carried / relaxed.scale));
  let low = 0;
  let high = bound + 1;
  // What fits over any number of lists often fits over these.
  for (let next = bound; high - low > 1; next = Math.floor((low + high) / 2)) {
    const isPossible = ask(next);
    if (isPossible === null) return null;
    if (isPossible) low = next;
    else high = next;
  }
  return low === 0 ? null : low;
}
