import { parseIpv6 } from '../model/address.js';
import type { NodeId } from '../model/ted.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { cSidsOf } from './c-sids.js';

const ADDRESS_BITS = 128;

/**
 * Nodes with SIDs that the network may read otherwise than before, although they are the same: because a new locator or SID
 * of another node covers them by a prefix that is no shorter than their own locator's, or because what may stand behind
 * them in a container has changed (a function and a node number of the block that could be confused). Sorted. It may name
 * too many, never too few.
 */
export function nodesReadOtherwise(before: Snapshot, after: Snapshot): NodeId[] {
  const nodes = new Set<NodeId>();
  for (const sid of coveredSids(after, newPrefixes(before, after))) nodes.add(ownerOf(after, sid));
  for (const sid of repackedSids(before, after)) nodes.add(ownerOf(after, sid));
  return [...nodes].sort();
}

/** What routers look packets up by. */
interface Prefix {
  readonly text: string;
  readonly node: NodeId;
  readonly first: bigint;
  readonly length: number;
}

function prefixesOf(snapshot: Snapshot): Prefix[] {
  const { sidBlockBits, sidLocalBits, locatorNode } = snapshot.data;
  const locators = snapshot.locators.prefixes.map(({ address, length }, locator) => ({
    text: `${address}/${length}`,
    node: snapshot.nodeIdOf(locatorNode[locator] as number),
    first: parseIpv6(address),
    length,
  }));
  const sids = snapshot.sidTexts.map((text, sid) => {
    const local = sidLocalBits[sid] as number;
    const length = local === 0 ? ADDRESS_BITS : (sidBlockBits[sid] as number) + local;
    return { text: `${text}/${length}`, node: ownerOf(snapshot, sid), first: parseIpv6(text), length };
  });
  return [...locators, ...sids];
}

function newPrefixes(before: Snapshot, after: Snapshot): Prefix[] {
  const key = ({ text, node }: Prefix) => `${text} ${node}`;
  const known = new Set(prefixesOf(before).map(key));
  return prefixesOf(after).filter((prefix) => !known.has(key(prefix)));
}

function coveredSids(snapshot: Snapshot, prefixes: readonly Prefix[]): number[] {
  if (prefixes.length === 0) return [];
  const sids = snapshot.sidTexts
    .map((text, sid) => ({ text, sid, address: parseIpv6(text) }))
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return prefixes.flatMap(({ first, length, node }) => {
    const last = first + (1n << BigInt(ADDRESS_BITS - length)) - 1n;
    const found: number[] = [];
    for (let i = firstFrom(sids, first); i < sids.length; i++) {
      const { text, sid, address } = sids[i] as (typeof sids)[number];
      if (address > last) break;
      const owner = ownerOf(snapshot, sid);
      if (owner !== node && length >= ownLocatorBits(snapshot, text, owner)) found.push(sid);
    }
    return found;
  });
}

function firstFrom(sids: readonly { readonly address: bigint }[], address: bigint): number {
  let low = 0;
  let high = sids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sids[middle] as (typeof sids)[number]).address < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Length of the longest locator of the owner that covers the SID; 0 without one. */
function ownLocatorBits(snapshot: Snapshot, sid: string, owner: NodeId): number {
  const { locators, data } = snapshot;
  const own = locators
    .covering(sid)
    .flat()
    .find((locator) => snapshot.nodeIdOf(data.locatorNode[locator] as number) === owner);
  return own === undefined ? 0 : (locators.prefixes[own]?.length ?? 0);
}

/** SIDs that may be followed by others in a container and could not before, or the other way round. */
function repackedSids(before: Snapshot, after: Snapshot): number[] {
  const [old, now] = [cSidsOf(before), cSidsOf(after)];
  if (!old.isInUse && !now.isInUse) return [];
  return after.sidTexts.flatMap((text, sid) => {
    const known = before.sidOf(text);
    return known < 0 || old.continues(known) === now.continues(sid) ? [] : [sid];
  });
}

function ownerOf(snapshot: Snapshot, sid: number): NodeId {
  return snapshot.nodeIdOf(snapshot.data.sidNode[sid] as number);
}
