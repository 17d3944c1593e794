import type { Snapshot } from './snapshot.js';
import { LocatorFlag } from './snapshot-data.js';

/**
 * Are SIDs with one text the same anycast SID of several nodes (RFC 9352 section 7.1)? Each node advertises the prefix
 * that covers it as anycast, and does the same with a packet.
 */
export function isAnycast(snapshot: Snapshot, text: string, sids: readonly number[]): boolean {
  const { sidNode, sidBehavior, sidFlavors, sidBlockBits, sidLocalBits, locatorNode, locatorFlags } = snapshot.data;
  const [samePrefix = []] = snapshot.locators.covering(text);
  const isAdvertisedBy = (node: number) =>
    samePrefix.some(
      (locator) => locatorNode[locator] === node && ((locatorFlags[locator] as number) & LocatorFlag.Anycast) !== 0,
    );
  const kindOf = (sid: number) => [sidBehavior, sidFlavors, sidBlockBits, sidLocalBits].map((of) => of[sid]).join(' ');
  const owners = sids.map((sid) => sidNode[sid] as number);
  return new Set(owners).size === owners.length && owners.every(isAdvertisedBy) && new Set(sids.map(kindOf)).size === 1;
}
