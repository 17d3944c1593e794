import { hostPrefix, parseIpv6, parsePrefix, prefixContains, type Locator, type SidStructure } from '@waymark/topology';

/* What stands for values that a file leaves out; the reader fills them in, and the writer leaves them out again. */

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

/** The longest of the locators that contain the SID. */
export function coveringLocator(sid: string, locators: readonly Locator[]): Locator | undefined {
  const address = hostPrefix(sid);
  let best: { locator: Locator; length: number } | undefined;
  for (const locator of locators) {
    const prefix = parsePrefix(locator.prefix);
    if (prefixContains(prefix, address) && prefix.length > (best?.length ?? -1)) {
      best = { locator, length: prefix.length };
    }
  }
  return best?.locator;
}

/** The locator's structure if the SID obeys it, that is, has no bits set behind the function; otherwise opaque. */
export function structureWithin(sid: string, locator: Locator | undefined): SidStructure | null {
  if (locator === undefined) return null;
  const { blockBits, nodeBits, functionBits } = locator.structure;
  const rest = 128n - BigInt(blockBits + nodeBits + functionBits);
  return (parseIpv6(sid) & ((1n << rest) - 1n)) === 0n ? locator.structure : null;
}

export function sameStructure(a: SidStructure | null, b: SidStructure | null): boolean {
  return (
    a?.blockBits === b?.blockBits &&
    a?.nodeBits === b?.nodeBits &&
    a?.functionBits === b?.functionBits &&
    a?.argumentBits === b?.argumentBits
  );
}
