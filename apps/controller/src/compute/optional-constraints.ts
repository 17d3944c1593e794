import { missedConstraint, withoutConstraints, type OptionalOutcome, type PathRequest } from '@waymark/topology';
import type { CandidatePathIntent, DynamicPath, PolicyList } from '../model/sr-policy.js';
import type { ValidLists } from './candidate-outcome.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';
import { objectiveOf } from './rank-candidate-paths.js';

export const BANDWIDTH = '/constraints/bandwidthBps';

/** What a dynamic path asks for a policy. Its own pointers hold there too. */
export function requestOf({ headend, endpoint }: PolicyToEvaluate, path: DynamicPath): PathRequest {
  const { metric, constraints, maxSegments, maxLists, optional } = path;
  return {
    source: headend,
    destination: endpoint,
    metric,
    constraints,
    ...(maxSegments === undefined ? {} : { maxSegments }),
    ...(maxLists === undefined ? {} : { maxLists }),
    ...(optional === undefined ? {} : { optional }),
  };
}

/** The request with only these of its optional constraints. */
export function keeping({ optional = [], ...request }: PathRequest, kept: ReadonlySet<string>): PathRequest {
  return withoutConstraints(request, new Set(optional.filter((pointer) => !kept.has(pointer))));
}

/** What lists make of the optional constraints of a request when they keep these. */
export function outcomesOf(
  request: PathRequest,
  kept: ReadonlySet<string>,
  lists: readonly PolicyList[],
): OptionalOutcome[] {
  const paths = lists.map(({ segmentLists }) => ({ segmentLists, bottleneck: null }));
  return (request.optional ?? []).map((pointer) => ({
    constraint: pointer,
    isAchieved: kept.has(pointer),
    missedBy: kept.has(pointer) ? null : missedConstraint(request, pointer, paths),
  }));
}

/** Lists that would book optional bandwidth, without it; undefined when theirs is not optional, or not booked. */
export function withoutOptionalBandwidth(lists: ValidLists): ValidLists | undefined {
  if (!lists.optional.some(({ constraint, isAchieved }) => constraint === BANDWIDTH && isAchieved)) return undefined;
  const optional = lists.optional.map((outcome) =>
    outcome.constraint === BANDWIDTH ? { ...outcome, isAchieved: false } : outcome,
  );
  return { ...lists, bookings: [], optional };
}

export function missesOptional(optional: readonly OptionalOutcome[] | undefined): boolean {
  return optional?.some(({ isAchieved }) => !isAchieved) ?? false;
}

/** Positive: `a` keeps a more important optional constraint that `b` does not; negative: the other way round. */
export function compareAchieved(a: readonly OptionalOutcome[], b: readonly OptionalOutcome[]): number {
  const keptByB = new Map(b.map(({ constraint, isAchieved }) => [constraint, isAchieved]));
  for (const { constraint, isAchieved } of a) {
    const other = keptByB.get(constraint) ?? isAchieved;
    if (isAchieved !== other) return isAchieved ? 1 : -1;
  }
  return 0;
}

/** Of the same dynamic candidate path: optional constraints first, then the metric. Lists without a metric win nothing. */
export function isBetter(candidate: CandidatePathIntent, a: ValidLists, b: ValidLists): boolean {
  const [one, other] = [objectiveOf(candidate, a), objectiveOf(candidate, b)];
  if (one === null || other === null) return false;
  const achieved = compareAchieved(a.optional, b.optional);
  return achieved === 0 ? one.value < other.value : achieved > 0;
}
