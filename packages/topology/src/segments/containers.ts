import { formatIpv6, parseIpv6 } from '../model/address.js';
import type { EncapMode } from '../model/ted.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { CSids } from './c-sids.js';
import { entryLimitsOf } from './entry-limits.js';

/**
 * The size of a list that is not finished: entries, and how full the last one is.
 *
 * Fewer entries are always at least as good, even when the last one is closed: whatever SID comes next, a new entry for it
 * makes them no more than the other has, and leaves no less room behind the same SID. With as many entries, a closed
 * container is matched by anything; an open one only by one that is open for the same block and no fuller.
 */
export interface ListSize {
  readonly entries: number;
  /** Bits of C-SIDs in the last entry. */
  readonly used: number;
  /** The block whose C-SIDs can still be added to the last entry; -1 when none can. */
  readonly open: number;
}

export const EMPTY_LIST: ListSize = { entries: 0, used: 0, open: -1 };

/** The size with one SID more, packed as far as can be. */
export function sizeWith(cSids: CSids, size: ListSize, sid: number): ListSize {
  const { entries, used, open } = size;
  const block = cSids.blockOf(sid);
  const bits = cSids.bitsOf(sid);
  const fits = open >= 0 && open === block && used + bits <= cSids.capacityOf(sid);
  if (!fits) return sizeWithEntry(cSids, size, sid);
  return { entries, used: used + bits, open: cSids.continues(sid) ? block : -1 };
}

/** The size with one SID more, in an entry of its own whether it needs one or not. */
function sizeWithEntry(cSids: CSids, { entries }: ListSize, sid: number): ListSize {
  const block = cSids.blockOf(sid);
  return {
    entries: entries + 1,
    used: block < 0 ? 0 : cSids.bitsOf(sid),
    open: cSids.continues(sid) ? block : -1,
  };
}

/** Both, the smaller one first; one where they are the same. */
export function sizesWith(cSids: CSids, size: ListSize, sid: number): ListSize[] {
  const packed = sizeWith(cSids, size, sid);
  return packed.entries > size.entries ? [packed] : [packed, sizeWithEntry(cSids, size, sid)];
}

/** Is every list that goes on from `a` no longer than the same from `b`? */
export function isNoLarger(a: ListSize, b: ListSize): boolean {
  if (a.entries !== b.entries) return a.entries < b.entries;
  return b.open < 0 || (a.open === b.open && a.used <= b.used);
}

/** Entries of a finished list. */
export function entriesOf(cSids: CSids, sids: readonly number[]): number {
  return sids.reduce((size, sid) => sizeWith(cSids, size, sid), EMPTY_LIST).entries;
}

/** An entry as it is pushed: one SID, or a container of several. */
export interface PackedEntry {
  readonly address: string;
  readonly sids: readonly number[];
}

/**
 * The fewest entries that carry these SIDs in this order, as a headend in this mode pushes them. Each container takes as many
 * as it can, which is optimal because whatever part of a run of SIDs fits where the run does. Where the endpoints cannot process
 * that, the fewest entries that they can; without any such, what they cannot.
 */
export function packEntries(snapshot: Snapshot, cSids: CSids, sids: readonly number[], mode: EncapMode): PackedEntry[] {
  const limits = entryLimitsOf(snapshot);
  const full = fillForward(cSids, sids);
  const isProcessed = (runs: readonly (readonly number[])[]) => !limits.isInUse || limits.canProcess(mode, runs);
  const runs = isProcessed(full) ? full : (otherwisePacked(cSids, sids).find(isProcessed) ?? full);
  return runs.map((run) => ({ address: addressOf(snapshot, run), sids: run }));
}

function fillForward(cSids: CSids, sids: readonly number[]): number[][] {
  const runs: number[][] = [];
  let size = EMPTY_LIST;
  for (const sid of sids) {
    const next = sizeWith(cSids, size, sid);
    if (next.entries === size.entries) runs.at(-1)?.push(sid);
    else runs.push([sid]);
    size = next;
  }
  return runs;
}

/**
 * For every SID that the last entry can begin with, the other entries filled from the back: no SID can have fewer entries
 * behind its own. Those of the fewest entries first.
 */
function otherwisePacked(cSids: CSids, sids: readonly number[]): number[][][] {
  const isOneEntry = (run: readonly number[]) => entriesOf(cSids, run) <= 1;
  const packed: number[][][] = [];
  for (let last = sids.length - 1; last >= 0 && isOneEntry(sids.slice(last)); last--) {
    const runs = [sids.slice(last)];
    for (const sid of sids.slice(0, last).reverse()) {
      const run = [sid, ...(runs[0] ?? [])];
      if (runs.length > 1 && isOneEntry(run)) runs[0] = run;
      else runs.unshift([sid]);
    }
    packed.push(runs);
  }
  return packed.sort((a, b) => a.length - b.length);
}

/** The block and the C-SIDs, one behind the other. */
function addressOf(snapshot: Snapshot, run: readonly number[]): string {
  const [first, ...others] = run;
  if (first === undefined || others.length === 0) return first === undefined ? '::' : snapshot.sidTextOf(first);
  const { sidBlockBits, sidLocalBits } = snapshot.data;
  const block = BigInt(sidBlockBits[first] as number);
  let address = parseIpv6(snapshot.sidTextOf(first));
  let used = BigInt(sidLocalBits[first] as number);
  for (const sid of others) {
    const behindBlock = parseIpv6(snapshot.sidTextOf(sid)) & ((1n << (128n - block)) - 1n);
    address |= behindBlock >> used;
    used += BigInt(sidLocalBits[sid] as number);
  }
  return formatIpv6(address);
}
