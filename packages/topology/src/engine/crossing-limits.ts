import type { CompiledBound, SearchProblem } from './search-problem.js';

/** A link with just enough left is not too narrow because shares such as 1/3 are not exact in binary. */
const TOLERANCE = 1 + 1e-9;

/**
 * Bounds on how often a few links may be crossed: those that `crossings` has more often than the demand fits there. For its
 * include list a path, or to have its SRH removed a list, may come by a link several times, and takes its bandwidth each
 * time. That is rare, so a search goes without, and begins again with the bounds that its result needed.
 */
export function crossingLimits(
  { demand, snapshot }: SearchProblem,
  crossings: ReadonlyMap<number, number>,
): CompiledBound[] {
  if (demand === undefined) return [];
  const limits: CompiledBound[] = [];
  for (const [arc, times] of crossings) {
    const max = ((demand.unreservedBps[arc] as number) * TOLERANCE) / demand.bandwidthBps;
    // Once fits where a search may go at all.
    if (times <= 1 || times <= max) continue;
    const weight = new Float64Array(snapshot.arcCount);
    weight[arc] = 1;
    limits.push({ weight, max, isMean: true });
  }
  return limits;
}

/** The same for a path; none where its headend splits: it does not stand for all of the demand then. */
export function crossingLimitsOfPath(problem: SearchProblem, arcs: readonly number[]): CompiledBound[] {
  // Without an include list a path does not come by twice.
  if (problem.demand === undefined || problem.demand.isSplit || problem.include.length === 0) return [];
  const crossings = new Map<number, number>();
  for (const arc of arcs) crossings.set(arc, (crossings.get(arc) ?? 0) + 1);
  return crossingLimits(problem, crossings);
}
