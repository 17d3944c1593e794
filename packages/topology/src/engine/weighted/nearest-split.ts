import { metricOf } from '../../model/metric-of.js';
import type { PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import { withoutConstraints, type ConstraintPointer } from '../constraint-set.js';
import { withValue } from '../find-conflict.js';
import { headendMsd, type PreparedRequest } from '../prepare-request.js';

/**
 * The least value of a bound or of `/maxSegments` with which the whole demand can be split, by halving: `least` is known to be what
 * any part of it takes. 'none': the demand does not fit at any value; null: not found out, or the constraint has no such value.
 */
export function nearestSplit(
  { request, snapshot, problem }: PreparedRequest,
  pointer: ConstraintPointer,
  least: number,
  ask: (variant: PathRequest) => PathAnswer | null,
): number | 'none' | null {
  const bound = request.constraints.bounds?.find((_, i) => pointer === `/constraints/bounds/${i}`);
  if (bound === undefined && pointer !== '/maxSegments') return null;
  const open = ask(withoutConstraints(request, new Set([pointer])));
  if (open === null) return null;
  if (open.status === 'no-path') return 'none';
  const used = ({ paths }: typeof open): number =>
    bound === undefined
      ? headendMsd(snapshot, problem.source)
      : Math.max(...paths.map(({ metrics }) => metricOf(metrics, bound.metric) ?? Infinity));
  let low = least - 1;
  let high = used(open);
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high)) return null;
  // What a part takes is often what the whole takes.
  for (let next = least; high - low > 1; next = Math.floor((low + high) / 2)) {
    const answer = ask(withValue(request, pointer, next));
    if (answer === null) return null;
    if (answer.status === 'no-path') low = next;
    else high = bound === undefined ? next : Math.min(next, used(answer));
  }
  return high;
}
