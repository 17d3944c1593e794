import { metricOf } from '../model/metric-of.js';
import type { ComputedPath, OptionalOutcome, PathAnswer, PathsFound } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import { withoutConstraints, type ConstraintPointer } from './constraint-set.js';
import type { AskEngine } from './find-conflict.js';

/**
 * As many optional constraints as possible, in the order of their importance: each is kept if there is a path that keeps it,
 * together with those kept before it. `mandatory`: the answer that keeps none of them.
 */
export function keepOptional(
  request: PathRequest,
  optional: readonly ConstraintPointer[],
  { mandatory, ask }: { readonly mandatory: PathAnswer; readonly ask: AskEngine },
): PathAnswer {
  if (mandatory.status === 'no-path') return mandatory;
  const dropped = new Set(optional);
  let best: PathsFound = mandatory;
  let isExact = true;
  for (const pointer of optional) {
    const fewer = new Set(dropped);
    fewer.delete(pointer);
    const answer = ask(withoutConstraints(request, fewer));
    if (answer === null) isExact = false;
    if (answer?.status !== 'computed') continue;
    dropped.delete(pointer);
    best = answer;
  }
  const outcomes = optional.map((pointer): OptionalOutcome => {
    const isAchieved = !dropped.has(pointer);
    const missedBy = isAchieved ? null : missedConstraint(request, pointer, best.paths);
    return { constraint: pointer, isAchieved, missedBy };
  });
  return { ...best, optimality: isExact ? best.optimality : 'feasible', optional: outcomes };
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
