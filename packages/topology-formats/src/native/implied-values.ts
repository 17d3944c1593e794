import {
  parsePrefix,
  type FlexAlgorithmDefinition,
  type Locator,
  type Sid,
  type SidStructure,
} from '@waymark/topology';

/* What stands for values that a file leaves out; the reader fills them in, and the writer leaves them out again. */

/** Priority 128 is what routers use that are not told otherwise. */
export const definitionDefaults: FlexAlgorithmDefinition = {
  metricType: 'igp',
  priority: 128,
  excludeAny: [],
  includeAny: [],
  includeAll: [],
  excludeSrlgs: [],
};

/**
 * What most networks do, when the file does not say: the last 16 bits of the locator number the node, and 16 bits of
 * function follow.
 */
export function usualStructure(locatorLength: number): SidStructure {
  const nodeBits = Math.min(16, locatorLength);
  return {
    blockBits: locatorLength - nodeBits,
    nodeBits,
    functionBits: Math.min(16, 128 - locatorLength),
    argumentBits: 0,
  };
}

/** The locators of one node, parsed once for its many SIDs. */
export class NodeLocators {
  readonly #longestFirst: readonly { readonly locator: Locator; readonly first: bigint; readonly last: bigint }[];

  constructor(locators: readonly Locator[]) {
    this.#longestFirst = locators
      .map((locator) => ({ locator, prefix: parsePrefix(locator.prefix) }))
      .sort((a, b) => b.prefix.length - a.prefix.length)
      .map(({ locator, prefix: { network, length } }) => ({
        locator,
        first: network,
        last: network + (1n << BigInt(128 - length)) - 1n,
      }));
  }

  /** The longest locator that contains the address. */
  covering(address: bigint): Locator | undefined {
    return this.#longestFirst.find(({ first, last }) => first <= address && address <= last)?.locator;
  }
}

/**
 * The locator's structure if the SID obeys it, that is, has no bits set behind the function; otherwise opaque. What follows
 * a NEXT-C-SID is its argument, and an End SID of that flavor without a function is the node's bits alone (RFC 9800
 * section 4.1).
 */
export function structureWithin(
  address: bigint,
  locator: Locator | undefined,
  { behavior, flavors }: Pick<Sid, 'behavior' | 'flavors'>,
): SidStructure | null {
  if (locator === undefined) return null;
  const { blockBits, nodeBits, functionBits } = locator.structure;
  const behindNode = BigInt.asUintN(128 - blockBits - nodeBits, address);
  if (BigInt.asUintN(128 - blockBits - nodeBits - functionBits, address) !== 0n) return null;
  if (!flavors.includes('NEXT-C-SID')) return locator.structure;
  const own = behavior === 'End' && behindNode === 0n ? 0 : functionBits;
  return { blockBits, nodeBits, functionBits: own, argumentBits: 128 - blockBits - nodeBits - own };
}

export function sameStructure(a: SidStructure | null, b: SidStructure | null): boolean {
  return (
    a?.blockBits === b?.blockBits &&
    a?.nodeBits === b?.nodeBits &&
    a?.functionBits === b?.functionBits &&
    a?.argumentBits === b?.argumentBits
  );
}
