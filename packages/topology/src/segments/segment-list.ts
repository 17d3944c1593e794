import type { AddressFamily } from '../model/address.js';
import { headerBytes, srhEntries } from '../model/encapsulation.js';
import type { SegmentList } from '../model/path-answer.js';
import type { ProofRequirement } from '../model/proof.js';
import type { EncapMode, NodeId } from '../model/ted.js';
import { proveExactly, type ExactProof, type ProofOptions } from '../proof/prove.js';
import { NodeFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { cSidsOf } from './c-sids.js';
import { packEntries } from './containers.js';
import { entryLimitsOf } from './entry-limits.js';
import { readEntries, segmentOf } from './resolve-segments.js';
import { serviceSidOf } from './owned-sids.js';

export function encapModeOf(snapshot: Snapshot, node: number): EncapMode {
  return ((snapshot.data.nodeFlags[node] as number) & NodeFlag.ReducedEncap) !== 0 ? 'reduced' : 'full';
}

/** A finished list and the proof it was held against; without an ok proof it must not be published. */
export interface ProvedSegmentList {
  readonly list: SegmentList;
  readonly proof: ExactProof;
}

/**
 * Finishes transport SIDs into the list a headend pushes for one family: appends the destination's service SID (none for
 * `null`), packs C-SIDs into as few entries as can be, says what the list costs, and proves those entries against
 * `requirement` (delivery only when empty). `transport` may have containers, whose C-SIDs are packed anew. Throws RangeError
 * for an unknown node or SID, or when the destination has no service SID for the family.
 */
export function proveSegmentList(
  snapshot: Snapshot,
  headend: NodeId,
  transport: readonly string[],
  family: AddressFamily | null,
  destination: NodeId,
  requirement: Omit<ProofRequirement, 'headend' | 'destination'> = {},
  options: ProofOptions = {},
): ProvedSegmentList {
  const { sids, objection } = readEntries(snapshot, transport);
  if (objection !== null) throw new RangeError(objection);
  return proveSids(snapshot, headend, sids, family, destination, requirement, options);
}

/** `proveSegmentList` for each of several families. */
export function proveSegmentLists(
  snapshot: Snapshot,
  headend: NodeId,
  transport: readonly string[],
  families: readonly AddressFamily[],
  destination: NodeId,
  requirement: Omit<ProofRequirement, 'headend' | 'destination'> = {},
): ProvedSegmentList[] {
  const { sids, objection } = readEntries(snapshot, transport);
  if (objection !== null) throw new RangeError(objection);
  return proveFamilies(snapshot, headend, sids, families, destination, requirement);
}

/** `proveSids` for each of several families. Those with one SID for all of them (End.DT46) share a list, which is proved once. */
export function proveFamilies(
  snapshot: Snapshot,
  headend: NodeId,
  transport: readonly number[],
  families: readonly (AddressFamily | null)[],
  destination: NodeId,
  requirement: Omit<ProofRequirement, 'headend' | 'destination'> = {},
  options: ProofOptions = {},
): ProvedSegmentList[] {
  const tail = snapshot.nodeIndexOf(destination);
  const bySid = new Map<number, ProvedSegmentList>();
  return families.map((family) => {
    const service = family === null || tail < 0 ? -1 : serviceSidOf(snapshot, tail, family);
    const same = service < 0 ? undefined : bySid.get(service);
    if (same !== undefined) return { ...same, list: { ...same.list, family } };
    const proved = proveSids(snapshot, headend, transport, family, destination, requirement, options);
    bySid.set(service, proved);
    return proved;
  });
}

/** The same for SIDs by number, which says of which owner an anycast SID is meant. */
export function proveSids(
  snapshot: Snapshot,
  headend: NodeId,
  transport: readonly number[],
  family: AddressFamily | null,
  destination: NodeId,
  requirement: Omit<ProofRequirement, 'headend' | 'destination'> = {},
  options: ProofOptions = {},
): ProvedSegmentList {
  const head = snapshot.nodeIndexOf(headend);
  const tail = snapshot.nodeIndexOf(destination);
  if (head < 0 || tail < 0) throw new RangeError(`there is no node ${head < 0 ? headend : destination}`);
  const sids = [...transport];
  if (family !== null) {
    const service = serviceSidOf(snapshot, tail, family);
    if (service < 0) throw new RangeError(`${destination} has no service SID for ${family}`);
    sids.push(service);
  }
  const mode = encapModeOf(snapshot, head);
  const entries = packEntries(snapshot, cSidsOf(snapshot), sids, mode);
  const pushed = entries.map(({ address }) => address);
  const proof = proveExactly(snapshot, pushed, { ...requirement, headend, destination }, options);
  const segments = sids.map((sid) => segmentOf(snapshot, sid));
  const header = headerBytes(mode, entries.length);
  const linkMtus = proof.load.map(({ linkId }) => snapshot.data.mtuBytes[snapshot.arcOf(linkId)] as number);
  const linkMtu = Math.min(...linkMtus);
  const list: SegmentList = {
    family,
    segments,
    entries: entries.map((entry) => ({
      address: entry.address,
      sids: entry.sids.map((sid) => snapshot.sidTextOf(sid)),
    })),
    headerBytes: header,
    srhEntries: srhEntries(mode, entries.length),
    decapsulates: decapsulates(snapshot, sids.at(-1)),
    pathMtuBytes: Number.isFinite(linkMtu) ? linkMtu - header : null,
    proof: {
      worst: proof.worst,
      best: proof.best,
      singlePath: proof.singlePath,
      usesPlannedSids: segments.some((segment) => segment.origin === 'planned'),
    },
  };
  return { list, proof };
}

/** The finished list of `proveSegmentList` alone, for lists whose delivery has been proved before. */
export function segmentListFrom(
  snapshot: Snapshot,
  headend: NodeId,
  transport: readonly string[],
  family: AddressFamily | null,
  destination: NodeId,
): SegmentList {
  return proveSegmentList(snapshot, headend, transport, family, destination).list;
}

/** A service SID does, whatever its flavors; an End SID only with USD (RFC 8986 section 4.16.3). */
function decapsulates(snapshot: Snapshot, last: number | undefined): boolean {
  if (last === undefined) return false;
  const isService = snapshot.sidBehaviorOf(last).startsWith('End.DT');
  return isService || entryLimitsOf(snapshot).has(last, 'USD');
}
