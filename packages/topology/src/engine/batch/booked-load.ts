import type { PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';

const BANDWIDTH = '/constraints/bandwidthBps';

/**
 * What the answer to a request for one path, or for one demand over several lists, takes of each arc in bit/s: whole bits,
 * a link that is crossed twice counts twice. Nothing where the bandwidth was optional and is not there.
 */
export function bookedLoad(snapshot: Snapshot, request: PathRequest, answer: PathAnswer): ReadonlyMap<number, number> {
  const load = new Map<number, number>();
  const { bandwidthBps = 0 } = request.constraints;
  if (answer.status === 'no-path' || bandwidthBps === 0) return load;
  if (answer.optional.some(({ constraint, isAchieved }) => constraint === BANDWIDTH && !isAchieved)) return load;
  const whole = answer.paths.reduce((sum, { weight }) => sum + weight, 0);
  for (const { links, weight } of answer.paths) {
    for (const link of links) {
      const arc = snapshot.arcOf(link);
      load.set(arc, (load.get(arc) ?? 0) + weight);
    }
  }
  for (const [arc, weight] of load) load.set(arc, Math.ceil((weight * bandwidthBps) / whole));
  return load;
}

/** Takes the load of what is left. Where a higher priority takes what a lower one holds, nothing is left for the latter. */
export function take(unreservedBps: Float64Array, load: ReadonlyMap<number, number>): void {
  for (const [arc, bps] of load) unreservedBps[arc] = Math.max(0, (unreservedBps[arc] as number) - bps);
}
