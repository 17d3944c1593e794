import type { Conflict, PathAnswer } from '../model/path-answer.js';
import { MOST_LISTS, type MetricBound, type PathRequest } from '../model/path-request.js';
import { constraintsOf, isSplittable, withoutConstraints, type ConstraintPointer } from './constraint-set.js';
import { firstWhere, minimalConflict } from './minimal-conflict.js';

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

/** The constraints of a path request that conflict, and what it takes to relax each. */
export function findConflict(query: ConflictQuery): Conflict {
  const { request, dropped, blamed, ask } = query;
  const isOnePath = request.disjoint === undefined && request.coRouted === undefined;
  return minimalConflict({
    constraints: constraintsOf(request).filter((pointer) => !dropped.has(pointer)),
    blamed,
    without: (more) => ask(withoutConstraints(request, new Set([...dropped, ...more]))),
    nearestValue: (pointer) => (isOnePath ? nearestValue(query, pointer) : null),
    withValue: (pointer, value) => ask(withoutConstraints(withValue(request, pointer, value), dropped)),
  });
}

function nearestValue(query: ConflictQuery, pointer: ConstraintPointer): number | null {
  const { request, dropped, ask, msd } = query;
  const isFeasible = (value: number) =>
    ask(withoutConstraints(withValue(request, pointer, value), dropped))?.status === 'computed';
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

/** The request with another value of a bound, the bandwidth, or the most segments. */
export function withValue(request: PathRequest, pointer: ConstraintPointer, value: number): PathRequest {
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
