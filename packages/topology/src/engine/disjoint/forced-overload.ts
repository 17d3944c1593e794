import type { NoPath } from '../../model/path-answer.js';
import { refusal, type PreparedRequest } from '../prepare-request.js';
import { fits } from './conflicts.js';
import { forcedLoad } from './group-member.js';

/** A host link that several members have to take, and on which they do not fit together; null when there is none. */
export function refuseOverload(prepared: readonly PreparedRequest[], unreservedBps: Float64Array): NoPath | null {
  const demand = new Map<number, number>();
  for (const member of prepared) {
    const bandwidthBps = member.request.constraints.bandwidthBps ?? 0;
    for (const [arc, share] of forcedLoad(member)) demand.set(arc, (demand.get(arc) ?? 0) + share * bandwidthBps);
  }
  for (const [arc, bps] of demand) {
    const room = unreservedBps[arc] as number;
    if (bps === 0 || fits(bps, room)) continue;
    const { snapshot } = prepared[0] as PreparedRequest;
    const link = snapshot.linkIdOf(arc);
    const message = `the members have to share ${link}, which would carry ${Math.ceil(bps)} bit/s; it has ${room} bit/s left`;
    return refusal(snapshot, 'insufficient-bandwidth', message, { blockingLinks: [link] });
  }
  return null;
}
