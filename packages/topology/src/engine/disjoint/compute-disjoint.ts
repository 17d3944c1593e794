import type { DisjointAnswer, DisjointRequest, NoDisjointPaths } from '../../model/disjoint-paths.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { ComputeOptions } from '../compute-options.js';
import { computePaths } from '../compute-paths.js';
import { prepareRequest, type PreparedRequest } from '../prepare-request.js';
import { GROUP_WORK_BUDGET, WorkBudget } from '../work-budget.js';
import { solveGroup } from './solve-group.js';

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
  const unreservedBps = options.unreservedBps ?? snapshot.data.reservableBps;
  const prepared: PreparedRequest[] = [];
  for (const [i, member] of request.members.entries()) {
    const one = prepareRequest(snapshot, { ...member, metric: request.metric }, unreservedBps);
    if ('status' in one) return refuseMember(snapshot, request, i, options);
    prepared.push(one);
  }
  const budget = new WorkBudget(options.workBudget ?? GROUP_WORK_BUDGET);
  const solved = solveGroup(request, prepared, budget);
  if (solved.kind === 'found') return solved.answer;
  if (solved.member !== null) return refuseMember(snapshot, request, solved.member, options);
  const { refusal, blocking } = solved;
  return { ...refusal, conflict: null, member: null, blockingSrlgs: blocking.srlgs, blockingSites: blocking.sites };
}

/** What the member is told when it asks alone, pointing into the group. */
function refuseMember(
  snapshot: Snapshot,
  { members, metric }: DisjointRequest,
  member: number,
  options: ComputeOptions,
): NoDisjointPaths {
  const own = members[member] as DisjointRequest['members'][number];
  const refused = computePaths(snapshot, { ...own, metric }, options);
  if (refused.status === 'computed') throw new Error('a member has a path alone that it has not: the search is wrong');
  const at = (pointer: string) => `/members/${member}${pointer}`;
  const { constraints, isMinimal } = refused.conflict;
  return {
    ...refused,
    constraint: refused.constraint === null ? null : at(refused.constraint),
    conflict: { constraints: constraints.map((one) => ({ ...one, constraint: at(one.constraint) })), isMinimal },
    member,
    blockingSrlgs: [],
    blockingSites: [],
  };
}
