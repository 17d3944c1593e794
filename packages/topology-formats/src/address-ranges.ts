import { hostPrefix, parsePrefix, type Prefix } from '@waymark/topology';
import type { DocumentLink, DocumentNode } from './topology-document.js';
import type { Interval } from './sid-plan/number-pool.js';

/** First and last address of an IPv6 prefix. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

export function rangeOf(prefix: Prefix): AddressRange {
  return { first: prefix.network, last: prefix.network + (1n << BigInt(128 - prefix.length)) - 1n };
}

/**
 * Splits a range into equal parts of `2^partBits` addresses and says which of them another range touches; undefined for
 * none.
 */
export function partsTouched(range: AddressRange, partBits: number, other: AddressRange): Interval | undefined {
  const first = other.first > range.first ? other.first : range.first;
  const last = other.last < range.last ? other.last : range.last;
  if (first > last) return undefined;
  const part = (address: bigint): number => Number((address - range.first) >> BigInt(partBits));
  return { first: part(first), last: part(last) };
}

export interface KnownAddresses {
  /** SIDs, addresses and pod prefixes: everything in use inside a locator. */
  readonly inUse: readonly AddressRange[];
  readonly locators: readonly AddressRange[];
}

/** All of IPv6 that nodes and links speak of. */
export function knownAddresses(nodes: readonly DocumentNode[], links: readonly DocumentLink[]): KnownAddresses {
  const inUse = [
    ...nodes.flatMap((node) => [
      ...(node.sids ?? []).map(({ sid }) => hostPrefix(sid)),
      ...(node.podPrefixes ?? []).map(parsePrefix),
      ...(node.address === undefined || node.address === null ? [] : [hostPrefix(node.address)]),
    ]),
    ...links.flatMap((link) => (link.interfaceAddresses ?? []).map(hostPrefix)),
  ];
  const locators = nodes.flatMap((node) => (node.locators ?? []).map(({ prefix }) => parsePrefix(prefix)));
  const ipv6Ranges = (prefixes: readonly Prefix[]): AddressRange[] =>
    prefixes.filter(({ family }) => family === 'ipv6').map(rangeOf);
  return { inUse: ipv6Ranges(inUse), locators: ipv6Ranges(locators) };
}

/** Ranges by first address, for asking what begins within another range. */
export class SortedRanges {
  readonly #sorted: readonly AddressRange[];

  constructor(ranges: readonly AddressRange[]) {
    this.#sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  }

  beginningIn({ first, last }: AddressRange): readonly AddressRange[] {
    return this.#sorted.slice(this.#lowerBound(first), this.#lowerBound(last + 1n));
  }

  /** Index of the first range that begins at or after the address. */
  #lowerBound(address: bigint): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.first ?? address) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
