import { srhEntries } from '../model/encapsulation.js';
import type { EncapMode } from '../model/ted.js';
import { SidFlavorFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** Of the snapshots in use; they hold nothing that the snapshot does not determine. */
const known = new WeakMap<Snapshot, EntryLimits>();

export function entryLimitsOf(snapshot: Snapshot): EntryLimits {
  const found = known.get(snapshot) ?? new EntryLimits(snapshot);
  known.set(snapshot, found);
  return found;
}

/**
 * How many entries lists may have, for the nodes to process them that own the SIDs (RFC 9352 section 4). Entry number e of n,
 * from 0, arrives with n - 1 - e Segments Left.
 */
export class EntryLimits {
  /** Some node has a limit; without any, nobody need ask. */
  readonly isInUse: boolean;
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    const { nodeMsdSegmentsLeft, nodeMsdEndPop, nodeMsdEndD } = snapshot.data;
    this.#snapshot = snapshot;
    this.isInUse = [nodeMsdSegmentsLeft, nodeMsdEndPop, nodeMsdEndD].some((all) => all.some((limit) => limit >= 0));
  }

  has(sid: number, flavor: keyof typeof SidFlavorFlag): boolean {
    return ((this.#snapshot.data.sidFlavors[sid] as number) & SidFlavorFlag[flavor]) !== 0;
  }

  /** Most entries of a list that has the SID in the entry of this number. */
  mostWith(sid: number, entry: number): number {
    const { sidNode, nodeMsdSegmentsLeft } = this.#snapshot.data;
    const limit = nodeMsdSegmentsLeft[sidNode[sid] as number] as number;
    return limit < 0 ? Infinity : limit + 1 + entry;
  }

  /** Can the list end in `final` with so many entries, `closing` being the last SID of the last entry but one (-1: none)? */
  canEnd(mode: EncapMode, entries: number, closing: number, final: number): boolean {
    const { sidNode, nodeMsdEndPop, nodeMsdEndD } = this.#snapshot.data;
    const inSrh = srhEntries(mode, entries);
    const fits = (limits: Int32Array, sid: number) => {
      const limit = limits[sidNode[sid] as number] as number;
      return limit < 0 || inSrh <= limit;
    };
    if (inSrh === 0) return true;
    if (closing >= 0 && this.has(closing, 'PSP')) return fits(nodeMsdEndPop, closing);
    if (this.has(final, 'USP') && !fits(nodeMsdEndPop, final)) return false;
    const isService = this.#snapshot.sidBehaviorOf(final).startsWith('End.DT');
    return !(isService || this.has(final, 'USD')) || fits(nodeMsdEndD, final);
  }

  /** Can every endpoint process a list of these entries? */
  canProcess(mode: EncapMode, runs: readonly (readonly number[])[]): boolean {
    const final = runs.at(-1)?.at(-1) ?? -1;
    const closing = runs.at(-2)?.at(-1) ?? -1;
    return (
      runs.every((run, entry) => run.every((sid) => runs.length <= this.mostWith(sid, entry))) &&
      this.canEnd(mode, runs.length, closing, final)
    );
  }
}
