import { metricOf } from '../model/metric-of.js';
import type { ComputedPath, NoPath, OptionalOutcome, PathAnswer, PathsFound } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import { withoutConstraints, type ConstraintPointer } from './constraint-set.js';
import type { AskEngine } from './find-conflict.js';

/** What an answer must say to be chosen among. */
interface Answered {
  readonly status: 'computed';
  readonly optimality: 'optimal' | 'feasible';
  readonly optional: readonly OptionalOutcome[];
}

/**
 * As many optional constraints as possible, in the order of their importance: each is kept if there is a path that keeps it,
 * together with those kept before it. `mandatory`: the answer that keeps none of them. `ask` is told which are dropped.
 */
export function keepInOrder<Found extends Answered, Refused extends { readonly status: 'no-path' }>(
  optional: readonly ConstraintPointer[],
  {
    mandatory,
    ask,
    missedBy,
  }: {
    readonly mandatory: Found | Refused;
    readonly ask: (dropped: ReadonlySet<ConstraintPointer>) => Found | Refused | null;
    /** By how much an answer misses a constraint; null: unknown, or there is no such measure. */
    readonly missedBy: (pointer: ConstraintPointer, answer: Found) => number | null;
  },
): Found | Refused {
  if (mandatory.status === 'no-path') return mandatory;
  const dropped = new Set(optional);
  let best = mandatory;
  let isExact = true;
  for (const pointer of optional) {
    const fewer = new Set(dropped);
    fewer.delete(pointer);
    const answer = ask(fewer);
    if (answer === null) isExact = false;
    if (answer?.status !== 'computed') continue;
    dropped.delete(pointer);
    best = answer;
  }
  const outcomes = optional.map((pointer): OptionalOutcome => {
    const isAchieved = !dropped.has(pointer);
    return { constraint: pointer, isAchieved, missedBy: isAchieved ? null : missedBy(pointer, best) };
  });
  return { ...best, optimality: isExact ? best.optimality : 'feasible', optional: outcomes };
}

/** `keepInOrder` of a path request. */
export function keepOptional(
  request: PathRequest,
  optional: readonly ConstraintPointer[],
  { mandatory, ask }: { readonly mandatory: PathAnswer; readonly ask: AskEngine },
): PathAnswer {
  return keepInOrder<PathsFound, NoPath>(optional, {
    mandatory,
    ask: (dropped) => ask(withoutConstraints(request, dropped)),
    missedBy: (pointer, { paths }) => missedConstraint(request, pointer, paths),
  });
}

/**
 * By how much paths with these finished lists miss a constraint of a request, in its unit: bounds, bandwidth (on the link with
 * the least, `bottleneck`), maxSegments and maxLists. null: what has no such measure, or an unknown value.
 */
export function missedConstraint(
  request: Pick<PathRequest, 'constraints' | 'maxSegments' | 'maxLists'>,
  pointer: ConstraintPointer,
  paths: readonly Pick<ComputedPath, 'segmentLists' | 'bottleneck'>[],
): number | null {
  if (pointer === '/maxLists') return Math.max(0, paths.length - (request.maxLists ?? 1));
  return worstOf(paths.map((path) => missing(request, pointer, path)));
}

function missing(
  { constraints, maxSegments = 0 }: Pick<PathRequest, 'constraints' | 'maxSegments'>,
  pointer: ConstraintPointer,
  { segmentLists, bottleneck }: Pick<ComputedPath, 'segmentLists' | 'bottleneck'>,
): number | null {
  const { bounds = [], bandwidthBps = 0 } = constraints;
  const over = (value: number | null, limit: number) => (value === null ? null : Math.max(0, value - limit));
  const bound = bounds.find((_, i) => pointer === `/constraints/bounds/${i}`);
  if (bound !== undefined) {
    return worstOf(segmentLists.map((list) => over(metricOf(list.proof.worst, bound.metric), bound.max)));
  }
  if (pointer === '/constraints/bandwidthBps') return bottleneck && over(bandwidthBps, bottleneck.unreservedBps);
  if (pointer !== '/maxSegments') return null;
  return worstOf(segmentLists.map((list) => over(list.srhEntries, maxSegments)));
}

/** null when one of them is unknown. */
function worstOf(values: readonly (number | null)[]): number | null {
  return values.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)));
}
