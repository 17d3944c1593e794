import { parseIpv6 } from '../model/address.js';
import type { LocatorTable } from '../snapshot/locator-table.js';
import { SidFlavorFlag, type SnapshotData } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

const ADDRESS_BITS = 128;
const UNKNOWN = 2;

/** By the packed list of SIDs, which snapshots derived from one another share: their SIDs and locators are the same. */
const known = new WeakMap<Uint8Array, CSids>();

export function cSidsOf(snapshot: Snapshot): CSids {
  const found = known.get(snapshot.data.sidTexts) ?? new CSids(snapshot);
  known.set(snapshot.data.sidTexts, found);
  return found;
}

type SidColumns = Pick<SnapshotData, 'sidCount' | 'sidFlavors' | 'sidBlockBits' | 'sidLocalBits'>;

/**
 * SIDs as C-SIDs (RFC 9800): the bits of each behind its locator block, and which of them may be followed by another one
 * in the same container. Answers are found on first use and remembered.
 */
export class CSids {
  // Not the snapshot, which would be kept in memory by those that come after it.
  readonly #data: SidColumns;
  readonly #locators: LocatorTable;
  /** Some SID has the flavor NEXT-C-SID; without any, every SID takes a whole entry. */
  readonly isInUse: boolean;
  /** By SID. */
  readonly #addresses: readonly bigint[];
  readonly #blocks: Int32Array;
  /** 0, 1, or UNKNOWN. */
  readonly #continues: Uint8Array;
  readonly #blockNumbers = new Map<string, number>();
  #prefixes: readonly Prefix[] | undefined;
  #values: ReadonlyMap<number, readonly ValuesOfLength[]> | undefined;

  constructor({ data, sidTexts, locators }: Pick<Snapshot, 'data' | 'sidTexts' | 'locators'>) {
    const { sidCount, sidFlavors, sidBlockBits, sidLocalBits } = data;
    this.#data = { sidCount, sidFlavors, sidBlockBits, sidLocalBits };
    this.#locators = locators;
    this.isInUse = sidFlavors.some((flavors) => (flavors & SidFlavorFlag['NEXT-C-SID']) !== 0);
    this.#addresses = this.isInUse ? sidTexts.map(parseIpv6) : [];
    this.#continues = new Uint8Array(this.isInUse ? sidCount : 0).fill(UNKNOWN);
    this.#blocks = new Int32Array(this.isInUse ? sidCount : 0).fill(-1);
    if (this.isInUse) for (let sid = 0; sid < sidCount; sid++) this.#blocks[sid] = this.#blockNumber(sid);
  }

  /** Number of the SID's locator block; -1 when it takes a whole entry. */
  blockOf(sid: number): number {
    return this.isInUse ? (this.#blocks[sid] as number) : -1;
  }

  /** Bits that the SID takes in a container of its block. */
  bitsOf(sid: number): number {
    return this.isInUse ? (this.#data.sidLocalBits[sid] as number) : 0;
  }

  /** Bits for C-SIDs in a container that begins with the SID. */
  capacityOf(sid: number): number {
    return ADDRESS_BITS - (this.#data.sidBlockBits[sid] as number);
  }

  /**
   * May another C-SID stand behind this one? Not where routers could take both together for a longer prefix: functions
   * and node numbers of a block have to keep apart (RFC 9800 section 4.1, GIB and LIB).
   */
  continues(sid: number): boolean {
    if (this.blockOf(sid) < 0) return false;
    if (this.#continues[sid] === UNKNOWN) this.#continues[sid] = this.#canContinue(sid) ? 1 : 0;
    return this.#continues[sid] === 1;
  }

  #blockNumber(sid: number): number {
    const { sidBlockBits, sidLocalBits } = this.#data;
    const blockBits = sidBlockBits[sid] as number;
    const localBits = sidLocalBits[sid] as number;
    if (localBits === 0) return -1;
    const behind = BigInt(ADDRESS_BITS - blockBits - localBits);
    const value = this.#addresses[sid] as bigint;
    // Bits behind the function would be lost; a C-SID of zero ends a container.
    if (value !== (value >> behind) << behind || this.#cSid(sid, value) === 0n) return -1;
    const key = `${blockBits} ${value >> BigInt(ADDRESS_BITS - blockBits)}`;
    const known = this.#blockNumbers.get(key);
    if (known !== undefined) return known;
    this.#blockNumbers.set(key, this.#blockNumbers.size);
    return this.#blockNumbers.size - 1;
  }

  #cSid(sid: number, value: bigint): bigint {
    const { sidBlockBits, sidLocalBits } = this.#data;
    const localBits = sidLocalBits[sid] as number;
    const behind = BigInt(ADDRESS_BITS - (sidBlockBits[sid] as number) - localBits);
    return (value >> behind) & ((1n << BigInt(localBits)) - 1n);
  }

  #canContinue(sid: number): boolean {
    const { sidFlavors, sidBlockBits } = this.#data;
    if (((sidFlavors[sid] as number) & SidFlavorFlag['NEXT-C-SID']) === 0) return false;
    const length = (sidBlockBits[sid] as number) + this.bitsOf(sid);
    const first = this.#addresses[sid] as bigint;
    const last = first + (1n << BigInt(ADDRESS_BITS - length)) - 1n;
    for (const prefix of this.#prefixesBetween(first, last)) {
      if (prefix.length <= length) continue;
      const bits = prefix.length - length;
      const behind = (prefix.first >> BigInt(ADDRESS_BITS - prefix.length)) & ((1n << BigInt(bits)) - 1n);
      // All zero: what the SID alone is routed by.
      if (behind === 0n || this.#couldFollow(this.blockOf(sid), behind, bits)) return false;
    }
    return true;
  }

  /** Is there a C-SID of the block that agrees with these bits, as far as both go? */
  #couldFollow(block: number, behind: bigint, bits: number): boolean {
    for (const { length, values, sorted } of this.#valuesOf(block)) {
      if (length <= bits) {
        if (values.has(behind >> BigInt(bits - length))) return true;
        continue;
      }
      const shift = BigInt(length - bits);
      const at = firstAtLeast(sorted, behind << shift, (value) => value);
      const candidate = sorted[at];
      if (candidate !== undefined && candidate >> shift === behind) return true;
    }
    return false;
  }

  *#prefixesBetween(first: bigint, last: bigint): Generator<Prefix> {
    const prefixes = (this.#prefixes ??= this.#allPrefixes());
    for (let i = firstAtLeast(prefixes, first, (prefix) => prefix.first); i < prefixes.length; i++) {
      const prefix = prefixes[i] as Prefix;
      if (prefix.first > last) return;
      yield prefix;
    }
  }

  /** What routers look packets up by: all SIDs and locators. */
  #allPrefixes(): Prefix[] {
    const { sidCount, sidBlockBits, sidLocalBits } = this.#data;
    const prefixes = this.#locators.prefixes.map(({ address, length }) => ({
      first: parseIpv6(address),
      length,
    }));
    for (let sid = 0; sid < sidCount; sid++) {
      const isCSid = this.blockOf(sid) >= 0;
      const length = isCSid ? (sidBlockBits[sid] as number) + (sidLocalBits[sid] as number) : ADDRESS_BITS;
      prefixes.push({ first: this.#addresses[sid] as bigint, length });
    }
    return prefixes.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : a.length - b.length));
  }

  #valuesOf(block: number): readonly ValuesOfLength[] {
    this.#values ??= this.#allValues();
    return this.#values.get(block) ?? [];
  }

  #allValues(): Map<number, ValuesOfLength[]> {
    const byBlock = new Map<number, Map<number, Set<bigint>>>();
    for (let sid = 0; sid < this.#blocks.length; sid++) {
      const block = this.blockOf(sid);
      if (block < 0) continue;
      const byLength = byBlock.get(block) ?? new Map<number, Set<bigint>>();
      byBlock.set(block, byLength);
      const length = this.bitsOf(sid);
      const values = byLength.get(length) ?? new Set<bigint>();
      byLength.set(length, values);
      values.add(this.#cSid(sid, this.#addresses[sid] as bigint));
    }
    const result = new Map<number, ValuesOfLength[]>();
    for (const [block, byLength] of byBlock) {
      const lists = [...byLength].map(([length, values]) => ({
        length,
        values,
        sorted: [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      }));
      result.set(block, lists);
    }
    return result;
  }
}

interface Prefix {
  readonly first: bigint;
  readonly length: number;
}

/** C-SIDs of one length in one block. */
interface ValuesOfLength {
  readonly length: number;
  readonly values: ReadonlySet<bigint>;
  readonly sorted: readonly bigint[];
}

function firstAtLeast<T>(sorted: readonly T[], wanted: bigint, valueOf: (item: T) => bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueOf(sorted[middle] as T) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
