import type { EncapMode } from '../model/ted.js';
import type { CSids } from './c-sids.js';
import { EMPTY_LIST, isNoLarger, sizesWith, sizeWith, type ListSize } from './containers.js';
import type { EntryLimits } from './entry-limits.js';

/** A list that is not finished, as far as it matters for how it can go on. */
export interface BegunList {
  /** The last SID; -1 for none. */
  readonly sid: number;
  readonly size: ListSize;
  /** null: endpoints process whatever is pushed. */
  readonly caps: EntryCaps | null;
}

/** What the SIDs of a list begun say of how many entries it may have in the end. */
export interface EntryCaps {
  /** For the Segments Left of every SID so far. */
  readonly most: number;
  /** The SID that ends the entry before the open one; -1 when that is the first. */
  readonly closing: number;
  /** May the list end in the open entry, and may it in the one after? */
  readonly endsHere: boolean;
  readonly endsNext: boolean;
}

/** How the lists of one request grow SID by SID, within what the endpoints can process. */
export class ListGrowth {
  readonly #cSids: CSids;
  readonly #limits: EntryLimits | null;
  readonly #encapMode: EncapMode;
  readonly #finalSids: readonly number[];

  /** `limits`: null or none in use: whatever endpoints can process. */
  constructor(cSids: CSids, limits: EntryLimits | null, encapMode: EncapMode, finalSids: readonly number[]) {
    this.#cSids = cSids;
    this.#limits = limits?.isInUse === true ? limits : null;
    this.#encapMode = encapMode;
    this.#finalSids = finalSids;
  }

  /** Nothing pushed yet. */
  start(): BegunList {
    const caps = { most: Infinity, closing: -1, endsHere: true, endsNext: this.#canEnd(1, -1) };
    return { sid: -1, size: EMPTY_LIST, caps: this.#limits === null ? null : caps };
  }

  /** With one SID more: packed, and where endpoints have limits also in an entry of its own. Those that no end can follow: none. */
  with({ sid: last, size, caps }: BegunList, sid: number): BegunList[] {
    const limits = this.#limits;
    if (limits === null || caps === null) return [{ sid, size: sizeWith(this.#cSids, size, sid), caps: null }];
    return sizesWith(this.#cSids, size, sid).flatMap((longer) => {
      const { entries } = longer;
      const closing = entries > size.entries ? last : caps.closing;
      const most = Math.min(caps.most, limits.mostWith(sid, entries - 1));
      if (entries > most) return [];
      const ends = { endsHere: this.#canEnd(entries, closing), endsNext: this.#canEnd(entries + 1, sid) };
      return [{ sid, size: longer, caps: { most, closing, ...ends } }];
    });
  }

  /** The sizes with each final SID; null when the endpoints cannot process one of these lists. */
  finish({ sid, size, caps }: BegunList): ListSize[] | null {
    const limits = this.#limits;
    if (limits === null || caps === null) return this.#finalSids.map((final) => sizeWith(this.#cSids, size, final));
    const sizes: ListSize[] = [];
    for (const final of this.#finalSids) {
      const found = sizesWith(this.#cSids, size, final).find(({ entries }) => {
        const closing = entries > size.entries ? sid : caps.closing;
        return entries <= caps.most && limits.canEnd(this.#encapMode, entries, closing, final);
      });
      if (found === undefined) return null;
      sizes.push(found);
    }
    return sizes;
  }

  #canEnd(entries: number, closing: number): boolean {
    return this.#finalSids.every((final) => this.#limits?.canEnd(this.#encapMode, entries, closing, final) !== false);
  }
}

/** Is whatever completes `b` allowed with `a` as well, and no longer then? */
export function leavesNoLess(a: BegunList, b: BegunList): boolean {
  if (a.caps === null || b.caps === null) return isNoLarger(a.size, b.size);
  // Segments Left counts the entries to come: only behind last entries that are alike the same SIDs make as many of them.
  const areAlike = a.size.open === b.size.open && (a.size.open < 0 || a.size.used === b.size.used);
  return (
    areAlike &&
    a.size.entries <= b.size.entries &&
    a.caps.most - a.size.entries >= b.caps.most - b.size.entries &&
    (a.caps.endsHere || !b.caps.endsHere) &&
    (a.caps.endsNext || !b.caps.endsNext)
  );
}
