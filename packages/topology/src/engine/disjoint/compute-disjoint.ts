import type {
  DisjointAnswer,
  DisjointPathsFound,
  DisjointRequest,
  NoDisjointPaths,
} from '../../model/disjoint-paths.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { ComputeOptions } from '../compute-options.js';
import type { ConstraintPointer } from '../constraint-set.js';
import { keepInOrder, missedConstraint } from '../keep-optional.js';
import { headendMsd, prepareRequest, type PreparedRequest } from '../prepare-request.js';
import { GROUP_WORK_BUDGET, WorkBudget } from '../work-budget.js';
import { findGroupConflict } from './group-conflict.js';
import { groupPointerBefore, inMember, memberRequest, withoutGroupConstraints } from './group-constraints.js';
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
  const { optional = [], ...rest } = request;
  const context: Context = {
    snapshot,
    options,
    unreservedBps: options.unreservedBps ?? snapshot.data.reservableBps,
    budget: new WorkBudget(options.workBudget ?? GROUP_WORK_BUDGET),
  };
  const mandatory = answerWithout(context, rest, new Set(optional));
  if (optional.length === 0) return mandatory;
  return keepInOrder<DisjointPathsFound, NoDisjointPaths>(optional, {
    mandatory,
    ask: (dropped) => probe(context, withoutGroupConstraints(rest, dropped)),
    missedBy: (pointer, { paths }) => {
      const at = inMember(pointer);
      const [member, path] = at === null ? [] : [rest.members[at.i], paths[at.i]];
      return at && member && path ? missedConstraint(member, at.pointer, [path]) : null;
    },
  });
}

interface Context {
  readonly snapshot: Snapshot;
  readonly options: ComputeOptions;
  readonly unreservedBps: Float64Array;
  readonly budget: WorkBudget;
}

/** The answer to a group without some of its constraints; what it says of the others points into the whole group. */
function answerWithout(
  context: Context,
  request: DisjointRequest,
  dropped: ReadonlySet<ConstraintPointer>,
): DisjointAnswer {
  const { snapshot, options } = context;
  const refused = solve(context, withoutGroupConstraints(request, dropped), false, context.budget);
  if (refused.status === 'computed') return refused;
  const { member, constraint: own } = refused;
  const constraint = member === null || own === null ? own : groupPointerBefore(request, dropped, member, own);
  if (options.skipConflict === true) return { ...refused, constraint };
  const conflict = findGroupConflict({
    request,
    dropped,
    blamed: constraint,
    ask: (variant) => probe(context, variant),
    msds: request.members.map(({ source }) => headendMsd(snapshot, snapshot.nodeIndexOf(source))),
  });
  return { ...refused, constraint, conflict };
}

function solve(context: Context, request: DisjointRequest, isProbe: boolean, budget: WorkBudget): DisjointAnswer {
  const { snapshot, unreservedBps } = context;
  const prepared: PreparedRequest[] = [];
  for (const [i, member] of request.members.entries()) {
    const one = prepareRequest(snapshot, memberRequest(request, member), unreservedBps, isProbe);
    if ('status' in one) return { ...one, member: i, blockingSrlgs: [], blockingSites: [] };
    prepared.push(one);
  }
  const solved = solveGroup(request, prepared, budget);
  if (solved.kind === 'found') return solved.answer;
  const { refusal, member, blocking } = solved;
  return { ...refusal, member, blockingSrlgs: blocking.srlgs, blockingSites: blocking.sites };
}

/** The answer to a variant of the group, out of what is left of its budget; null when that does not suffice. */
function probe(context: Context, variant: DisjointRequest): DisjointAnswer | null {
  const { budget } = context;
  if (budget.isSpent) return null;
  const own = new WorkBudget(budget.left);
  const answer = solve(context, variant, true, own);
  budget.spend(budget.left - own.left);
  return answer.status === 'computed' || answer.isProved ? answer : null;
}
