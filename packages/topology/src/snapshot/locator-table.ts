import { parseIpv6Words } from '../model/address.js';
import type { SnapshotData } from './snapshot-data.js';
import { unpackStrings } from './string-table.js';

/** Addresses that are remembered; then all are forgotten. Whoever has a list proved chooses its addresses. */
const MOST_ADDRESSES = 100_000;

/** Longest-prefix look-up over all locators, keyed by prefix length and the masked address. */
export class LocatorTable {
  /** Prefix lengths in use, longest first, each with its locators by masked address. */
  readonly #byLength: readonly { readonly length: number; readonly locators: ReadonlyMap<string, readonly number[]> }[];
  /** Of all locators, by their numbers. */
  readonly prefixes: readonly { readonly address: string; readonly length: number }[];
  readonly #covering = new Map<string, readonly (readonly number[])[]>();

  constructor(data: SnapshotData) {
    const byLength = new Map<number, Map<string, number[]>>();
    this.prefixes = unpackStrings(data.locatorPrefixes, data.locatorCount).map((text) => {
      const slash = text.indexOf('/');
      return { address: text.slice(0, slash), length: Number(text.slice(slash + 1)) };
    });
    this.prefixes.forEach(({ address, length }, locator) => {
      const locators = byLength.get(length) ?? new Map<string, number[]>();
      byLength.set(length, locators);
      const key = maskedKey(address, length);
      const same = locators.get(key);
      if (same === undefined) locators.set(key, [locator]);
      else same.push(locator);
    });
    this.#byLength = [...byLength].sort(([a], [b]) => b - a).map(([length, locators]) => ({ length, locators }));
  }

  /** Locators that cover an address, longest prefix first; those of one prefix (several owners: anycast) together. */
  covering(address: string): readonly (readonly number[])[] {
    const known = this.#covering.get(address);
    if (known !== undefined) return known;
    const found: (readonly number[])[] = [];
    for (const { length, locators } of this.#byLength) {
      const same = locators.get(maskedKey(address, length));
      if (same !== undefined) found.push(same);
    }
    if (this.#covering.size >= MOST_ADDRESSES) this.#covering.clear();
    this.#covering.set(address, found);
    return found;
  }
}

const known = new WeakMap<Uint8Array, LocatorTable>();

/** Built once per list of prefixes, which a snapshot derived from another shares. */
export function locatorTable(data: SnapshotData): LocatorTable {
  const found = known.get(data.locatorPrefixes) ?? new LocatorTable(data);
  known.set(data.locatorPrefixes, found);
  return found;
}

function maskedKey(address: string, length: number): string {
  const words = parseIpv6Words(address);
  let key = '';
  for (let i = 0; i < 8; i++) {
    const bits = Math.max(0, Math.min(16, length - 16 * i));
    if (bits === 0) break;
    key += String.fromCharCode((words[i] as number) & (0xffff << (16 - bits)));
  }
  return key;
}
