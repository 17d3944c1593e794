import type { DisjointPathsFound, DisjointRequest, UnachievedLevel } from '../../model/disjoint-paths.js';
import type { NoPath, Shared } from '../../model/path-answer.js';
import { sharedBetween } from '../../proof/sharing.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { findBest } from '../best-path.js';
import { reportedValue } from '../metric-values.js';
import { refusal, type PreparedRequest } from '../prepare-request.js';
import { WorkBudget } from '../work-budget.js';
import { kindsOf, levelOf, relaxations, type Level } from './disjointness-level.js';
import { explainLevel, NO_BLOCKING } from './explain-level.js';
import { refuseOverload } from './forced-overload.js';
import { requireDisjoint } from './require-disjoint.js';
import { searchLevel, type LevelResult } from './search-level.js';

/** Of what is left of the budget, a level may take so much when there are weaker ones after it. */
const SHARE_OF_BUDGET = 0.5;

export type SolvedGroup =
  | { readonly kind: 'found'; readonly answer: DisjointPathsFound }
  | {
      readonly kind: 'refused';
      /** Points into the member, when there is one. */
      readonly refusal: NoPath;
      readonly isProved: boolean;
      /** The member that has no path even by itself; null when it is the group that cannot be met. */
      readonly member: number | null;
      readonly blocking: Shared;
    };

/** Paths for a group whose members are prepared, one for one, or why there are none. */
export function solveGroup(
  request: DisjointRequest,
  prepared: readonly PreparedRequest[],
  budget: WorkBudget,
): SolvedGroup {
  const { objective = 'sum' } = request;
  const { snapshot, unreservedBps, isProbe } = prepared[0] as PreparedRequest;
  const texts = request.members.map((member) => JSON.stringify(member));
  const likeness = texts.map((text) => texts.indexOf(text));
  const asked = levelOf(request.disjoint);
  const levels = request.mode === 'relaxed' ? relaxations(asked) : [asked];
  const unachieved: UnachievedLevel[] = [];
  for (const level of levels) {
    const own = new WorkBudget(level === levels.at(-1) ? budget.left : budget.left * SHARE_OF_BUDGET);
    const had = own.left;
    const result = searchLevel({ snapshot, prepared, likeness, level, objective, unreservedBps }, own);
    budget.spend(had - own.left);
    if (result.kind === 'found') {
      return { kind: 'found', answer: answer(snapshot, request, level, result, unachieved) };
    }
    // What one member lacks by itself, no weaker level gives. Where the budget ended its search too, it lacks nothing yet.
    const alone = unachieved.length === 0 && !isProbe ? memberWithout(prepared, budget) : null;
    if (alone !== null) return alone;
    unachieved.push({ disjoint: kindsOf(level), ...explainLevel(snapshot, request, level, result) });
  }
  const overload = refuseOverload(prepared, unreservedBps);
  if (overload !== null) return refuse(overload, true, null);
  // Of a relaxed group the last level, which asks for no disjointness any more, says why.
  const { message, isProved, blocking } = unachieved.at(-1) as UnachievedLevel;
  const { nodes: blockingNodes, links: blockingLinks } = blocking;
  const constraint = levels.length > 1 || !asked.link ? null : '/disjoint';
  const details = { constraint, blockingNodes, blockingLinks };
  return refuse(refusal(snapshot, 'disjoint-path-not-found', message, details), isProved, null, blocking);
}

function refuse(refused: NoPath, isProved: boolean, member: number | null, blocking = NO_BLOCKING): SolvedGroup {
  return { kind: 'refused', refusal: { ...refused, isProved }, isProved, member, blocking };
}

function answer(
  snapshot: Snapshot,
  request: DisjointRequest,
  level: Level,
  result: Extract<LevelResult, { kind: 'found' }>,
  unachieved: readonly UnachievedLevel[],
): DisjointPathsFound {
  const { finished, isExact, lowerBound } = result;
  const shared = sharedBetween(
    snapshot,
    finished.map(({ load }, i) => ({
      ...(request.members[i] as DisjointRequest['members'][number]),
      arcs: load.keys(),
    })),
  );
  requireDisjoint(snapshot, level, result.members, shared);
  return {
    status: 'computed',
    revision: snapshot.revision,
    metric: request.metric,
    objective: request.objective ?? 'sum',
    achieved: kindsOf(level),
    unachieved,
    optimality: isExact ? 'optimal' : 'feasible',
    lowerBound: reportedValue(request.metric, lowerBound),
    optional: [],
    paths: finished.map((one) => one.path),
    shared,
  };
}

/** The refusal of the first member that is proved to have no path by itself, as it would be told alone; null when there is none. */
function memberWithout(prepared: readonly PreparedRequest[], budget: WorkBudget): SolvedGroup | null {
  for (const [i, member] of prepared.entries()) {
    const own = new WorkBudget(budget.left);
    const best = findBest(member, own);
    const refused = best.found === null && best.isExact ? refuse(best.explain(), true, i) : null;
    budget.spend(budget.left - own.left);
    if (refused !== null) return refused;
  }
  return null;
}
