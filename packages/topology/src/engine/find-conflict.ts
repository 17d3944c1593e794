import type { Conflict, ConflictingConstraint, PathAnswer } from '../model/path-answer.js';
import { MOST_LISTS, type MetricBound, type PathRequest } from '../model/path-request.js';
import { constraintsOf, isSplittable, withoutConstraints, type ConstraintPointer } from './constraint-set.js';

/** What a variant of the request would be answered; null when the work budget does not suffice to know. */
export type AskEngine = (request: PathRequest) => PathAnswer | null;

export interface ConflictQuery {
  readonly request: PathRequest;
  /** Constraints that nobody insists on. */
  readonly dropped: ReadonlySet<ConstraintPointer>;
  /** The constraint that the explanation blames: looked for in the conflict, if it is in any. */
  readonly blamed: ConstraintPointer | null;
  /** The value of it with which there would be a path, as the explanation found. */
  readonly nearestFeasible: number | null;
  readonly ask: AskEngine;
  /** Values of bandwidth, ascending, among which is the most that can fit. */
  readonly bandwidths: () => readonly number[];
  /** SRH entries that the headend can push. */
  readonly msd: number;
}

/**
 * A minimal set of constraints that leave no path, by deletion: each constraint is dropped for good when there is no path
 * without it either. What stays has no path, and any one of it less has one.
 */
export function findConflict(query: ConflictQuery): Conflict {
  const { request, blamed, ask } = query;
  const all = constraintsOf(request).filter((pointer) => !query.dropped.has(pointer));
  const bare = ask(withoutConstraints(request, new Set([...query.dropped, ...all])));
  if (bare?.status === 'no-path') return { constraints: [], isMinimal: true };
  const isBlamed = (pointer: string) => blamed !== null && (pointer === blamed || pointer.startsWith(`${blamed}/`));
  const inOrder = [...all.filter((pointer) => !isBlamed(pointer)), ...all.filter(isBlamed)];
  const dropped = new Set(query.dropped);
  let isMinimal = bare !== null;
  for (const pointer of inOrder) {
    const answer = ask(withoutConstraints(request, new Set([...dropped, pointer])));
    if (answer === null) isMinimal = false;
    else if (answer.status === 'no-path') dropped.add(pointer);
  }
  const members = all.filter((pointer) => !dropped.has(pointer));
  return { constraints: members.map((pointer) => relaxation(query, pointer)), isMinimal };
}

/** What it takes to relax one constraint, all else as asked. */
function relaxation(query: ConflictQuery, pointer: ConstraintPointer): ConflictingConstraint {
  const { request, dropped, ask } = query;
  const isOnePath = request.disjoint === undefined && request.coRouted === undefined;
  const nearestFeasible = isOnePath ? nearestValue(query, pointer) : null;
  const relaxed =
    nearestFeasible === null
      ? withoutConstraints(request, new Set([...dropped, pointer]))
      : withoutConstraints(replaced(request, pointer, nearestFeasible), dropped);
  const answer = ask(relaxed);
  return { constraint: pointer, nearestFeasible, metric: answer?.status === 'computed' ? answer.lowerBound : null };
}

function nearestValue(query: ConflictQuery, pointer: ConstraintPointer): number | null {
  const { request, dropped, ask, msd } = query;
  const isFeasible = (value: number) =>
    ask(withoutConstraints(replaced(request, pointer, value), dropped))?.status === 'computed';
  if (pointer === '/maxLists') {
    const asked = request.maxLists ?? 1;
    const needed = asked + 1 + firstWhere(MOST_LISTS - asked, (i) => isFeasible(asked + 1 + i));
    return needed <= MOST_LISTS ? needed : null;
  }
  if (isSplittable(request) && pointer !== '/maxSegments') {
    // Of several lists there is no single value that would be the bound, nor a few of which one is the bandwidth.
    return pointer === query.blamed ? query.nearestFeasible : null;
  }
  const bound = boundAt(request, pointer);
  if (bound !== undefined) {
    const best = ask({ ...withoutConstraints(request, new Set([...dropped, pointer])), metric: bound.metric });
    return best?.status === 'computed' && best.optimality === 'optimal' ? best.lowerBound : null;
  }
  if (pointer === '/constraints/bandwidthBps') {
    const asked = request.constraints.bandwidthBps ?? 0;
    const smaller = query.bandwidths().filter((value) => value < asked);
    const fitting = firstWhere(smaller.length, (i) => !isFeasible(smaller[i] as number));
    return smaller[fitting - 1] ?? null;
  }
  if (pointer === '/maxSegments') {
    const asked = request.maxSegments ?? msd;
    const needed = asked + 1 + firstWhere(msd - asked, (i) => isFeasible(asked + 1 + i));
    return needed <= msd ? needed : null;
  }
  return null;
}

function boundAt(request: PathRequest, pointer: ConstraintPointer): MetricBound | undefined {
  return request.constraints.bounds?.find((_, i) => pointer === `/constraints/bounds/${i}`);
}

function replaced(request: PathRequest, pointer: ConstraintPointer, value: number): PathRequest {
  if (pointer === '/maxSegments') return { ...request, maxSegments: value };
  if (pointer === '/maxLists') return { ...request, maxLists: value };
  const { constraints } = request;
  if (pointer === '/constraints/bandwidthBps')
    return { ...request, constraints: { ...constraints, bandwidthBps: value } };
  const bounds = constraints.bounds?.map((bound, i) =>
    pointer === `/constraints/bounds/${i}` ? { ...bound, max: value } : bound,
  );
  return { ...request, constraints: { ...constraints, ...(bounds && { bounds }) } };
}

/** The first of 0 to count - 1 that has what all after it have too; count when none has. */
function firstWhere(count: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = Math.max(0, count);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
