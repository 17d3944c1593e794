import { canonicalIpv6 } from '../model/address.js';
import type { Segment } from '../model/path-answer.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** Describes SIDs by what they make the network do. Throws RangeError naming the first SID that nobody owns. */
export function resolveSegments(snapshot: Snapshot, sids: readonly string[]): Segment[] {
  return sids.map((text) => {
    const exact = snapshot.sidOf(text);
    const sid = exact >= 0 ? exact : snapshot.sidOf(canonicalIpv6(text));
    if (sid < 0) throw new RangeError(`nobody owns the SID ${text}`);
    return segmentOf(snapshot, sid);
  });
}

export function segmentOf(snapshot: Snapshot, sid: number): Segment {
  const arc = snapshot.data.sidArc[sid] as number;
  return {
    sid: snapshot.sidTextOf(sid),
    behavior: snapshot.sidBehaviorOf(sid),
    node: snapshot.nodeIdOf(snapshot.data.sidNode[sid] as number),
    linkId: arc < 0 ? null : snapshot.linkIdOf(arc),
    origin: snapshot.sidOriginOf(sid),
  };
}
