import { formatAddress, parseAddress } from '../address.js';
import type { SegmentList } from '../port.js';

/**
 * VPP has no SR policy that drops, so one that is to drop encapsulates towards this SID, for which there is a drop route: the
 * last address of the block of our binding SIDs, which no headend's share of the block reaches.
 */
export function dropSidOf(bsidBlock: string): string {
  const [address = '', length = '128'] = bsidBlock.split('/');
  const bytes = parseAddress(address);
  return formatAddress(
    bytes.map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, Number(length) - index * 8)))),
  );
}

export function isDropList(lists: readonly SegmentList[], dropSid: string): boolean {
  const [only] = lists;
  return lists.length === 1 && only?.sids.length === 1 && only.sids[0] === dropSid;
}
