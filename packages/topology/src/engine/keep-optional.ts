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
    const missedBy = isAchieved ? null : missed(request, pointer, best.paths);
    return { constraint: pointer, isAchieved, missedBy };
  });
  return { ...best, optimality: isExact ? best.optimality : 'feasible', optional: outcomes };
}

function missed(request: PathRequest, pointer: ConstraintPointer, paths: readonly ComputedPath[]): number | null {
  if (pointer === '/maxLists') return Math.max(0, paths.length - (request.maxLists ?? 1));
  return worstOf(paths.map((path) => missing(request, pointer, path)));
}

function missing(request: PathRequest, pointer: ConstraintPointer, path: ComputedPath): number | null {
  const { bounds = [], bandwidthBps = 0 } = request.constraints;
  const over = (value: number | null, limit: number) => (value === null ? null : Math.max(0, value - limit));
  const bound = bounds.find((_, i) => pointer === `/constraints/bounds/${i}`);
  if (bound !== undefined) {
    return worstOf(path.segmentLists.map((list) => over(metricOf(list.proof.worst, bound.metric), bound.max)));
  }
  if (pointer === '/constraints/bandwidthBps') {
    return path.bottleneck && over(bandwidthBps, path.bottleneck.unreservedBps);
  }
  if (pointer !== '/maxSegments') return null;
  return worstOf(path.segmentLists.map((list) => over(list.srhEntries, request.maxSegments ?? 0)));
}

/** null when one of them is unknown. */
function worstOf(values: readonly (number | null)[]): number | null {
  return values.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)));
}
