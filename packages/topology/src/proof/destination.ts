import { canonicalIpv6, formatIpv6, parseIpv6 } from '../model/address.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { sidPrefixesOf, type SidPrefix, type SidPrefixes } from './sid-prefixes.js';

/** What a packet can have as its destination address: an entry of the list, or what routers made of it. */
export interface Destination {
  /** Of the list, from 0. */
  readonly entry: number;
  /** C-SIDs of the entry that were processed. */
  readonly position: number;
  readonly text: string;
  /** SIDs that the address reads as, of all nodes, longest prefix first. */
  readonly matches: readonly SidPrefix[];
}

/** Bits of an address that is one SID, and nothing behind it. */
const WHOLE = 128;

/** Of the snapshots in use; they hold nothing that the snapshot does not determine. */
const known = new WeakMap<Snapshot, Destinations>();

export function destinationsOf(snapshot: Snapshot): Destinations {
  const found = known.get(snapshot) ?? new Destinations(snapshot);
  known.set(snapshot, found);
  return found;
}

/** Reads destination addresses as routers do. */
export class Destinations {
  readonly #snapshot: Snapshot;
  /** Built when the first address turns out to be no SID. */
  #prefixes: SidPrefixes | undefined;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** An entry as it is pushed; what is no address has no matches. */
  ofEntry(text: string, entry: number): Destination {
    if (this.#snapshot.sidOf(text) >= 0) return this.#read(text, entry, 0);
    try {
      return this.#read(canonicalIpv6(text), entry, 0);
    } catch {
      return { entry, position: 0, text, matches: [] };
    }
  }

  /** C-SIDs that are left behind the one that the address reads as. */
  hasArgument({ text }: Destination, match: SidPrefix): boolean {
    return match.length < WHOLE && this.#table.argumentOf(parseIpv6(text), match) !== 0n;
  }

  takesNextCSid(match: SidPrefix): boolean {
    return this.#table.takesNextCSid(match);
  }

  /** What the owner of a NEXT-C-SID makes of an address with an argument. */
  next({ text, entry, position }: Destination, match: SidPrefix): Destination {
    return this.#read(formatIpv6(this.#table.shifted(parseIpv6(text), match)), entry, position + 1);
  }

  #read(text: string, entry: number, position: number): Destination {
    const exact = this.#snapshot.sidsWith(text).map((sid) => ({ sid, length: WHOLE }));
    const matches = exact.length > 0 ? exact : this.#table.covering(parseIpv6(text));
    return { entry, position, text, matches };
  }

  get #table(): SidPrefixes {
    return (this.#prefixes ??= sidPrefixesOf(this.#snapshot));
  }
}
