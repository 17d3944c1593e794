import { entryLimitsOf } from '../segments/entry-limits.js';
import type { PreparedRequest } from './prepare-request.js';

/** Values, ascending, among which is the most that fits: what is left on links, and its parts where packets may come by several times. */
export function fittingBandwidths({ snapshot, unreservedBps, problem }: PreparedRequest): number[] {
  // Once between any two include entries, and there again where packets go out of their way to have the SRH removed.
  const most = (problem.include.length + 1) * (entryLimitsOf(snapshot).isInUse ? 2 : 1);
  const values = new Set<number>();
  for (const free of unreservedBps) {
    for (let times = 1; times <= most; times++) values.add(Math.floor(free / times));
  }
  return [...values].filter((value) => value > 0).sort((a, b) => a - b);
}
