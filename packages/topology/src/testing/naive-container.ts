import { ipv6FromBytes, ipv6ToBytes } from '../model/address.js';
import type { Sid } from '../model/ted.js';

/**
 * The SIDs' bits behind one another in one address, the first one's block in front, whether a router can read that or not;
 * null when they do not fit. An opaque SID has no such bits.
 */
export function naiveContainer(sids: readonly Sid[]): string | null {
  const [first] = sids;
  if (first === undefined) return null;
  if (sids.length === 1) return first.sid;
  let bits = '';
  for (const { sid, structure } of sids) {
    if (structure === null) return null;
    const { blockBits, nodeBits, functionBits } = structure;
    const own = [...ipv6ToBytes(sid)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    bits += own.slice(bits === '' ? 0 : blockBits, blockBits + nodeBits + functionBits);
  }
  if (bits.length > 128) return null;
  const padded = bits.padEnd(128, '0');
  return ipv6FromBytes(Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(padded.slice(8 * i, 8 * i + 8), 2)));
}
