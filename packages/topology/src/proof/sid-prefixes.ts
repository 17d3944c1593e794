import { parseIpv6 } from '../model/address.js';
import { SidFlavorFlag, type SnapshotData } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** A SID as an entry of its owner's forwarding table. */
export interface SidPrefix {
  readonly sid: number;
  /** Block, node and function bits; 128 for an opaque SID. */
  readonly length: number;
}

/** By the packed list of SIDs: what was derived from one snapshot has the same. */
const known = new WeakMap<Uint8Array, SidPrefixes>();

export function sidPrefixesOf(snapshot: Snapshot): SidPrefixes {
  const found = known.get(snapshot.data.sidTexts) ?? new SidPrefixes(snapshot);
  known.set(snapshot.data.sidTexts, found);
  return found;
}

/**
 * The SIDs of a snapshot as routers look them up: by the longest prefix of locator and function that covers a destination
 * address, whatever stands behind it (RFC 8986 section 3.1, RFC 9800 section 4.1).
 */
export class SidPrefixes {
  readonly #data: Pick<SnapshotData, 'sidFlavors' | 'sidBlockBits'>;
  /** By length, longest first; then by the bits of the prefix. */
  readonly #byLength: readonly (readonly [length: number, sids: ReadonlyMap<bigint, readonly number[]>])[];

  constructor(snapshot: Snapshot) {
    const { sidFlavors, sidBlockBits, sidLocalBits } = snapshot.data;
    this.#data = { sidFlavors, sidBlockBits };
    const byLength = new Map<number, Map<bigint, number[]>>();
    snapshot.sidTexts.forEach((text, sid) => {
      const address = parseIpv6(text);
      const localBits = sidLocalBits[sid] as number;
      const structured = (sidBlockBits[sid] as number) + localBits;
      // A SID with an argument of its own is that one address.
      const isPrefix = localBits > 0 && BigInt.asUintN(128 - structured, address) === 0n;
      const length = isPrefix ? structured : 128;
      const sids = byLength.get(length) ?? new Map<bigint, number[]>();
      byLength.set(length, sids);
      const key = address >> BigInt(128 - length);
      sids.set(key, [...(sids.get(key) ?? []), sid]);
    });
    this.#byLength = [...byLength].sort(([a], [b]) => b - a);
  }

  /** Of all nodes, longest first. */
  covering(address: bigint): SidPrefix[] {
    return this.#byLength.flatMap(([length, sids]) =>
      (sids.get(address >> BigInt(128 - length)) ?? []).map((sid) => ({ sid, length })),
    );
  }

  /** Bits of an address behind a SID: its argument. */
  argumentOf(address: bigint, { length }: SidPrefix): bigint {
    return BigInt.asUintN(128 - length, address);
  }

  /** May an argument be more C-SIDs? */
  takesNextCSid({ sid }: SidPrefix): boolean {
    return ((this.#data.sidFlavors[sid] as number) & SidFlavorFlag['NEXT-C-SID']) !== 0;
  }

  /** The address with the argument moved up behind the block, over the C-SID that was processed. */
  shifted(address: bigint, { sid, length }: SidPrefix): bigint {
    const blockBits = this.#data.sidBlockBits[sid] as number;
    const block = (address >> BigInt(128 - blockBits)) << BigInt(128 - blockBits);
    return block | (this.argumentOf(address, { sid, length }) << BigInt(length - blockBits));
  }
}
