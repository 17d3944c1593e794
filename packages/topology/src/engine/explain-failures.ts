import { srhEntries } from '../model/encapsulation.js';
import type { NoPath } from '../model/path-answer.js';
import { explainBounds } from './explain-bounds.js';
import type { FinishedPath } from './finish-path.js';
import { refusal, type PreparedRequest } from './prepare-request.js';
import { mostEntries, searchLists } from './search-lists.js';
import { entryLimitsOf } from '../segments/entry-limits.js';
import type { WorkBudget } from './work-budget.js';

/** SRH entries that the shortest of all lists takes, whatever it costs; Infinity when there is none. */
export function leastDepth(prepared: PreparedRequest, failures: readonly FinishedPath[], budget: WorkBudget): number {
  const { problem, encapMode } = prepared;
  const shortest = searchLists(prepared, budget, {
    problem,
    maxEntries: Infinity,
    maxCost: Infinity,
    order: 'entries',
  });
  // What was too deep would not have done at any depth: not every branch obeys, or endpoints cannot process it.
  if (shortest.isExact && shortest.list === null) return Infinity;
  const depths = failures.flatMap((failure) => (failure.kind === 'too-deep' ? [failure.srhEntries] : []));
  return shortest.list === null ? Math.min(...depths) : srhEntries(encapMode, shortest.entries);
}

/** Paths exist, but no list that the headend can push makes packets take one, or branches like it. */
export function explainFailures(
  prepared: PreparedRequest,
  failures: readonly FinishedPath[],
  least: number,
  budget: WorkBudget,
): NoPath {
  const { snapshot, request, problem, msd } = prepared;
  if (least > msd && least < Infinity) {
    const message = `${request.source} can push ${msd} SRH entries; the shortest encoding needs ${least}`;
    return refusal(snapshot, 'msd-exceeded', message, {
      nearestFeasible: least,
      constraint: request.maxSegments === msd ? '/maxSegments' : null,
      blockingNodes: [request.source],
    });
  }
  const tooMuch = least === Infinity ? endpointLimit(prepared, budget) : null;
  if (tooMuch !== null) return tooMuch;
  const refuted = failures.find((failure) => failure.kind === 'refuted');
  const unencodable = failures.find((failure) => failure.kind === 'unencodable');
  if (least === Infinity && prepared.headendArcs.length > 1 && problem.bounds.length > 0) {
    // A path keeps the bounds, but the host's other links lead past it.
    const exceeded = explainBounds(prepared, budget);
    if (exceeded.nearestFeasible !== null) return exceeded;
  }
  if (unencodable !== undefined) {
    const link = snapshot.linkIdOf(unencodable.arc);
    const node = snapshot.nodeIdOf(snapshot.data.arcFrom[unencodable.arc] as number);
    const message = `no SID makes ${node} use link ${link} as the path needs it`;
    return refusal(snapshot, 'sid-unresolved', message, { blockingLinks: [link], blockingNodes: [node] });
  }
  const tooWide = least === Infinity ? tooOftenCrossed(prepared, budget) : null;
  if (tooWide !== null) {
    const details = { constraint: '/constraints/bandwidthBps' };
    return refusal(
      snapshot,
      'insufficient-bandwidth',
      `no list has the bandwidth it takes; of the best one, ${tooWide}`,
      details,
    );
  }
  const why = refuted?.message ?? 'no SIDs keep every branch of the IGP within the request';
  return refusal(snapshot, 'path-not-found', `no segment list passed its proof: ${why}`);
}

/** What the best list lacks that there would be if links had room for packets as often as they come by; null: there is none. */
function tooOftenCrossed(prepared: PreparedRequest, budget: WorkBudget): string | null {
  const { demand, ...problem } = prepared.problem;
  if (demand === undefined) return null;
  const { list } = searchLists(prepared, budget, {
    problem,
    maxEntries: mostEntries(prepared),
    maxCost: Infinity,
    order: 'cost',
  });
  return list?.kind === 'refuted' && list.violation === 'insufficient-bandwidth' ? list.message : null;
}

/** The node that cannot process the best list there would be otherwise; null when that is not what is in the way. */
function endpointLimit(prepared: PreparedRequest, budget: WorkBudget): NoPath | null {
  const { snapshot, problem } = prepared;
  if (!entryLimitsOf(snapshot).isInUse) return null;
  const { list } = searchLists(prepared, budget, {
    problem,
    maxEntries: mostEntries(prepared),
    maxCost: Infinity,
    order: 'cost',
    ignoresLimits: true,
  });
  if (list?.kind !== 'refuted' || list.violation !== 'msd-exceeded') return null;
  const message = `no list is one that its endpoints can process; of the best one, ${list.message}`;
  return refusal(snapshot, 'msd-exceeded', message, { blockingNodes: list.node === null ? [] : [list.node] });
}
