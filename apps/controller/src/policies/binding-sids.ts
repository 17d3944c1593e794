import {
  formatIpv6,
  parseIpv6,
  parsePrefix,
  prefixContains,
  type AddressFamily,
  type Prefix,
  type Ted,
} from '@waymark/topology';

/*
 * A BSID is a number in its headend's block: policy number, then one bit each for family and slot.
 *
 *   | pool prefix | block of the headend | … 0 … | number (30 bits) | family (1) | slot (1) |
 */

/** Length of a headend's block: room for more policies than a headend can have, and a prefix that operators can read. */
export const BLOCK_BITS = 64;

export interface BindingSidPair {
  readonly family: AddressFamily;
  /** Slots: the agent replaces a policy by building the other one and re-steering. */
  readonly a: string;
  readonly b: string;
}

/** BSIDs of a policy for both families. Throws RangeError for a block that is not an IPv6 prefix. */
export function bindingSids(block: string, number: number): readonly [BindingSidPair, BindingSidPair] {
  const { network } = parsePrefix(block);
  const sid = (family: number, slot: number): string => formatIpv6(network + BigInt(number * 4 + family * 2 + slot));
  return [
    { family: 'ipv4', a: sid(0, 0), b: sid(0, 1) },
    { family: 'ipv6', a: sid(1, 0), b: sid(1, 1) },
  ];
}

/**
 * The next free blocks of a pool, in the order of their addresses, at most `count`: none that is taken, none that overlaps
 * `reserved`. Fewer when the pool has no more. Throws RangeError for a pool that is not an IPv6 prefix of at most 64 bits.
 */
export function freeBlocks(
  pool: string,
  count: number,
  taken: ReadonlySet<string>,
  reserved: readonly Prefix[],
): string[] {
  const { family, network, length } = parsePrefix(pool);
  if (family !== 'ipv6' || length > BLOCK_BITS) {
    throw new RangeError(`the BSID pool ${pool} is not an IPv6 prefix of at most ${BLOCK_BITS} bits`);
  }
  const inPool = reserved.filter((prefix) => overlap(prefix, { family, network, length }));
  const blockBits = BigInt(128 - BLOCK_BITS);
  const size = 1n << BigInt(BLOCK_BITS - length);
  const found: string[] = [];
  // The first block stays free: its BSIDs would look like the pool's own address.
  for (let position = 1n; found.length < count && position < size; position++) {
    const block: Prefix = { family, network: network | (position << blockBits), length: BLOCK_BITS };
    const obstacle = inPool.find((prefix) => overlap(prefix, block));
    if (obstacle !== undefined) {
      // A locator may cover millions of blocks: on with what comes after it.
      position = (lastAddress(obstacle) - network) >> blockBits;
      continue;
    }
    const text = `${formatIpv6(block.network)}/${BLOCK_BITS}`;
    if (!taken.has(text)) found.push(text);
  }
  return found;
}

function lastAddress({ network, length }: Prefix): bigint {
  return network + (1n << BigInt(128 - length)) - 1n;
}

/** What BSIDs must keep clear of: locators, SIDs, and the addresses of nodes. */
export function reservedPrefixes(ted: Ted): Prefix[] {
  return ted.nodes.flatMap((node) => [
    ...node.locators.map(({ prefix }) => parsePrefix(prefix)),
    ...[...node.sids.map(({ sid }) => sid), ...(node.address === null ? [] : [node.address])].map(
      (address): Prefix => ({ family: 'ipv6', network: parseIpv6(address), length: 128 }),
    ),
  ]);
}

function overlap(a: Prefix, b: Prefix): boolean {
  return prefixContains(a, b) || prefixContains(b, a);
}
