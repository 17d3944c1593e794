import type { DisjointAnswer, DisjointRequest } from '../../model/disjoint-paths.js';
import { metricOf } from '../../model/metric-of.js';
import type { ComputedPath, Conflict } from '../../model/path-answer.js';
import type { MetricType } from '../../model/path-request.js';
import type { ConstraintPointer } from '../constraint-set.js';
import { firstWhere, minimalConflict } from '../minimal-conflict.js';
import {
  constraintsOfGroup,
  inMember,
  memberRequest,
  withGroupValue,
  withoutGroupConstraints,
} from './group-constraints.js';

/** What a variant of the group would be answered; null when the work budget does not suffice to know. */
export type AskGroup = (request: DisjointRequest) => DisjointAnswer | null;

export interface GroupConflictQuery {
  readonly request: DisjointRequest;
  /** Constraints that nobody insists on. */
  readonly dropped: ReadonlySet<ConstraintPointer>;
  readonly blamed: ConstraintPointer | null;
  readonly ask: AskGroup;
  /** SRH entries that the headend of each member can push. */
  readonly msds: readonly number[];
}

/** The constraints of a group that conflict, and what it takes to relax each. */
export function findGroupConflict(query: GroupConflictQuery): Conflict {
  const { request, dropped, blamed, ask } = query;
  return minimalConflict({
    constraints: constraintsOfGroup(request).filter((pointer) => !dropped.has(pointer)),
    blamed,
    without: (more) => ask(withoutGroupConstraints(request, new Set([...dropped, ...more]))),
    nearestValue: (pointer) => nearestValue(query, pointer),
    withValue: (pointer, value) => ask(withoutGroupConstraints(withGroupValue(request, pointer, value), dropped)),
  });
}

/**
 * The whole number nearest to what a member asks for with which the group has paths, by halving: the more is granted, the more
 * groups there are. What a group without the constraint gets is one that does.
 */
function nearestValue({ request, dropped, ask, msds }: GroupConflictQuery, pointer: ConstraintPointer): number | null {
  const at = inMember(pointer);
  const member = at === null ? undefined : request.members[at.i];
  if (at === null || member === undefined) return null;
  const bound = member.constraints.bounds?.find((_, i) => at.pointer === `/constraints/bounds/${i}`);
  const isBandwidth = at.pointer === '/constraints/bandwidthBps';
  if (bound === undefined && !isBandwidth && at.pointer !== '/maxSegments') return null;
  // Links whose value is unknown are left out by any bound, and are not without one.
  const free = ask(
    bound === undefined
      ? withoutGroupConstraints(request, new Set([...dropped, pointer]))
      : withoutGroupConstraints(withGroupValue(request, pointer, Number.MAX_SAFE_INTEGER), dropped),
  );
  if (free?.status !== 'computed') return null;
  const undecided: number[] = [];
  const isFeasible = (value: number): boolean => {
    const answer = ask(withoutGroupConstraints(withGroupValue(request, pointer, value), dropped));
    if (answer === null) undecided.push(value);
    return answer?.status === 'computed';
  };
  const asked = memberRequest(request, member);
  if (isBandwidth) {
    const most = firstWhere((asked.constraints.bandwidthBps ?? 0) - 1, (i) => !isFeasible(i + 1));
    return undecided.length === 0 && most > 0 ? most : null;
  }
  const path = free.paths[at.i] as ComputedPath;
  const from = 1 + (bound === undefined ? (asked.maxSegments ?? 0) : Math.floor(bound.max));
  const enough = bound === undefined ? (msds[at.i] as number) : worstOf(path, bound.metric);
  const value = from + firstWhere(enough - from, (i) => isFeasible(from + i));
  return undecided.length === 0 && value <= enough ? value : null;
}

function worstOf({ segmentLists }: ComputedPath, metric: MetricType): number {
  return Math.ceil(Math.max(...segmentLists.map(({ proof }) => metricOf(proof.worst, metric) ?? Infinity)));
}
