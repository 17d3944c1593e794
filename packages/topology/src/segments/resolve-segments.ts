import type { Segment } from '../model/path-answer.js';
import { destinationsOf, type Destination } from '../proof/destination.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** The SIDs in entries of a list, up to the first that routers could not read; `objection` says which, and why. */
export interface EntriesRead {
  readonly sids: readonly number[];
  readonly objection: string | null;
}

/** Takes containers apart as routers do (RFC 9800 section 4.1). */
export function readEntries(snapshot: Snapshot, entries: readonly string[]): EntriesRead {
  const destinations = destinationsOf(snapshot);
  const sids: number[] = [];
  for (const [i, text] of entries.entries()) {
    let next: Destination | null = destinations.ofEntry(text, i);
    while (next !== null) {
      const destination: Destination = next;
      const where = destination.position === 0 ? '' : ` (C-SID ${destination.position + 1} of the container ${text})`;
      const [match] = destination.matches;
      if (match === undefined) {
        return { sids, objection: `nobody in the topology owns the SID ${destination.text}${where}` };
      }
      sids.push(match.sid);
      const hasMore = destinations.hasArgument(destination, match);
      if (hasMore && !destinations.takesNextCSid(match)) {
        const owner = snapshot.nodeIdOf(snapshot.data.sidNode[match.sid] as number);
        const own = snapshot.sidTextOf(match.sid);
        return { sids, objection: `${owner} loses what follows its ${own} in ${destination.text}${where}` };
      }
      next = hasMore ? destinations.next(destination, match) : null;
    }
  }
  return { sids, objection: null };
}

/** Describes the SIDs in entries by what they make the network do. Throws RangeError for what readEntries objects to. */
export function resolveSegments(snapshot: Snapshot, entries: readonly string[]): Segment[] {
  const { sids, objection } = readEntries(snapshot, entries);
  if (objection !== null) throw new RangeError(objection);
  return sids.map((sid) => segmentOf(snapshot, sid));
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
