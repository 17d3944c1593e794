import { createHash } from 'node:crypto';
import { formatAddress, parseAddress } from '../dataplane/address.js';
import type { ProbeRoute } from '../dataplane/port.js';

/** Probe routes take the lower half of the last 32 bits; the upper half is for the data plane's own use. */
const ADDRESSES = 2 ** 31;

/** What tells two segment lists apart. */
export function listKey(sids: readonly string[]): string {
  return sids.join();
}

/**
 * The probe route of each distinct segment list. The address follows from the SIDs, so that a restarted agent finds its
 * routes right; where two lists hash alike, the one that sorts later takes the next free address. Sorted by address.
 */
export function probeRoutesOf(lists: Iterable<readonly string[]>, prefix: string): readonly ProbeRoute[] {
  const distinct = new Map<string, readonly string[]>();
  for (const sids of lists) distinct.set(listKey(sids), sids);
  const hashed = Array.from(distinct, ([key, sids]) => ({ key, sids, hash: hashOf(key) }));
  hashed.sort((a, b) => a.hash - b.hash || (a.key < b.key ? -1 : 1));
  const taken = new Set<number>();
  const routes = hashed.map(({ sids, hash }) => {
    let number = hash;
    while (taken.has(number)) number = nextOf(number);
    taken.add(number);
    return { number, route: { address: addressOf(prefix, number), sids } };
  });
  return routes.sort((a, b) => a.number - b.number).map(({ route }) => route);
}

/** 1 to 2^31 - 1: address 0 of a prefix is the anycast address of its routers (RFC 4291 §2.6.1). */
function hashOf(key: string): number {
  const hash = createHash('sha256').update(key).digest().readUInt32BE(0) % ADDRESSES;
  return hash === 0 ? 1 : hash;
}

function nextOf(number: number): number {
  return number + 1 === ADDRESSES ? 1 : number + 1;
}

function addressOf(prefix: string, number: number): string {
  const bytes = parseAddress(prefix.split('/')[0] ?? '');
  new DataView(bytes.buffer).setUint32(12, number);
  return formatAddress(bytes);
}
