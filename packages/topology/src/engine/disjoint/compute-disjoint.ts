import type {
  Certainty,
  DisjointAnswer,
  DisjointPathsFound,
  DisjointRequest,
  NoDisjointPaths,
  UnachievedLevel,
} from '../../model/disjoint-paths.js';
import type { NoPath, Shared } from '../../model/path-answer.js';
import { prove } from '../../proof/prove.js';
import { sharedBetween } from '../../proof/sharing.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { findBest } from '../best-path.js';
import type { ComputeOptions } from '../compute-options.js';
import type { Finished } from '../finish-path.js';
import { prepareRequest, refusal, type PreparedRequest } from '../prepare-request.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from '../work-budget.js';
import { kindsOf, levelOf, relaxations, type Level } from './disjointness-level.js';
import { explainLevel, NO_BLOCKING } from './explain-level.js';
import { refuseOverload } from './forced-overload.js';
import { Risks } from './risks.js';
import { searchLevel, type LevelResult } from './search-level.js';

/** As much as two requests may cost, however many members there are. */
const GROUP_WORK_BUDGET = 2 * DEFAULT_WORK_BUDGET;

/** Of what is left of the budget, a level may take so much when there are weaker ones after it. */
const SHARE_OF_BUDGET = 0.5;

/**
 * Paths for a group of requests that share nothing of the kinds asked for, beyond what single-homed hosts force them to;
 * when relaxed, else those of the strongest weaker level; or why there are none. Pure and deterministic like
 * `computePaths`.
 */
export function computeDisjointPaths(
  snapshot: Snapshot,
  request: DisjointRequest,
  options: ComputeOptions = {},
): DisjointAnswer {
  const { metric, objective = 'sum' } = request;
  const unreservedBps = options.unreservedBps ?? snapshot.data.reservableBps;
  const budget = new WorkBudget(options.workBudget ?? GROUP_WORK_BUDGET);
  const prepared: PreparedRequest[] = [];
  for (const [i, member] of request.members.entries()) {
    const one = prepareRequest(snapshot, { ...member, metric }, unreservedBps);
    if ('status' in one) return refuseMember(one, i);
    prepared.push(one);
  }
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
    if (result.kind === 'found') return answer(snapshot, request, level, result, unachieved);
    // What one member lacks by itself, no weaker level gives.
    const alone = unachieved.length === 0 ? memberWithout(prepared, budget) : null;
    if (alone !== null) return alone;
    unachieved.push({ disjoint: kindsOf(level), ...explainLevel(snapshot, request, level, result) });
  }
  const overload = refuseOverload(prepared, unreservedBps);
  if (overload !== null) return refuseGroup(overload, 'infeasible', NO_BLOCKING);
  const { message, certainty, blocking } = unachieved[0] as UnachievedLevel;
  const { nodes: blockingNodes, links: blockingLinks } = blocking;
  const details = { constraint: '/disjoint', blockingNodes, blockingLinks };
  return refuseGroup(refusal(snapshot, 'disjoint-path-not-found', message, details), certainty, blocking);
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
    finished.map((one, i) => crossingOf(snapshot, request, i, one)),
  );
  requireDisjoint(snapshot, level, result, shared);
  return {
    status: 'computed',
    revision: snapshot.revision,
    metric: request.metric,
    objective: request.objective ?? 'sum',
    achieved: kindsOf(level),
    unachieved,
    optimality: isExact ? 'optimal' : 'feasible',
    lowerBound: lowerBound.value,
    paths: finished.map((one) => one.path),
    shared,
  };
}

/** What the proof alone says that packets of a member can cross. */
function crossingOf(snapshot: Snapshot, request: DisjointRequest, i: number, { path }: Finished) {
  const { source, destination, constraints } = request.members[i] as DisjointRequest['members'][number];
  const proofs = path.segmentLists.map(({ segments }) =>
    prove(
      snapshot,
      segments.map(({ sid }) => sid),
      { headend: source, destination, constraints },
    ),
  );
  return { source, destination, proofs };
}

/** Nothing is published as disjoint that its proofs do not show to be. */
function requireDisjoint(
  snapshot: Snapshot,
  level: Level,
  { members }: Extract<LevelResult, { kind: 'found' }>,
  shared: Shared,
): void {
  const risks = Risks.of(snapshot);
  const mayBe = new Set(members.flatMap((member) => [...member.shareable]).map((risk) => risks.nameOf(risk)));
  const isEitherWay = (link: string) => {
    const reverse = snapshot.reverseOf(snapshot.arcOf(link));
    return mayBe.has(link) || (reverse >= 0 && mayBe.has(snapshot.linkIdOf(reverse)));
  };
  const isFine =
    (!level.link || shared.links.every(isEitherWay)) &&
    (!level.node || shared.nodes.every((node) => mayBe.has(node))) &&
    (!level.srlg || shared.srlgs.every((group) => mayBe.has(String(group)))) &&
    (!level.site || shared.sites.every((site) => mayBe.has(site)));
  if (!isFine) throw new Error('paths that were found as disjoint share more than their ends: the search is wrong');
}

/** The answer for the first member that has no path by itself; null when all have one. */
function memberWithout(prepared: readonly PreparedRequest[], budget: WorkBudget): NoDisjointPaths | null {
  for (const [i, member] of prepared.entries()) {
    const best = findBest(member, budget);
    if (best.found === null) return refuseMember(best.explain(), i, best.isExact ? 'infeasible' : 'not-found');
  }
  return null;
}

function refuseMember(refused: NoPath, member: number, certainty: Certainty = 'infeasible'): NoDisjointPaths {
  const constraint = refused.constraint === null ? null : `/members/${member}${refused.constraint}`;
  return { ...refused, constraint, member, certainty, blockingSrlgs: [], blockingSites: [] };
}

function refuseGroup(refused: NoPath, certainty: Certainty, blocking: Shared): NoDisjointPaths {
  return { ...refused, certainty, member: null, blockingSrlgs: blocking.srlgs, blockingSites: blocking.sites };
}
