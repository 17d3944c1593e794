import type { Family, SegmentList, Tunnel } from '../port.js';

/*
 * What a route can hold. Past these bounds iproute2 (6.1) does worse than fail: it writes a route without its
 * encapsulation (more than 58 SIDs), ends and takes the rest of the batch with it ("Too many arguments", 512 of them),
 * or writes a route that the kernel can no longer list (its reply holds 3,776 bytes). So a tunnel is measured before a
 * line is written, with some room to spare.
 */

export const MAX_SIDS = 56;
const MAX_LISTS = 32;
const MAX_NEXTHOP_BYTES = 3_072;
/** More is refused by iproute2 6.1 (`"weight" is invalid`), which again ends the batch. */
const MAX_WEIGHT = 255;

/** rtnexthop 8, ENCAP_TYPE 8, ENCAP 4 holding SEG6_IPTUNNEL_SRH 4 + mode 4 + segment routing header 8 + 16 each. */
function nexthopBytes({ sids }: SegmentList, family: Family): number {
  const gateway = family === 'ipv6' ? 20 : 0;
  return 8 + 8 + 4 + 4 + 4 + 8 + 16 * sids.length + gateway;
}

/** Why a tunnel does not fit into a route, or null. */
export function objectionOf({ family, action }: Tunnel): string | null {
  if (action.kind === 'drop') return null;
  const lists = action.segmentLists;
  const heaviest = Math.max(...lists.map(({ weight }) => weight));
  if (heaviest > MAX_WEIGHT) {
    return `the weights of its segment lists reduce to ${heaviest}; a Linux route takes up to ${MAX_WEIGHT}`;
  }
  const longest = Math.max(...lists.map(({ sids }) => sids.length));
  if (longest > MAX_SIDS) return `a segment list has ${longest} SIDs; a Linux route takes up to ${MAX_SIDS}`;
  if (lists.length > MAX_LISTS) return `it has ${lists.length} segment lists; a Linux route takes up to ${MAX_LISTS}`;
  const bytes = lists.reduce((sum, list) => sum + nexthopBytes(list, family), 0);
  if (bytes > MAX_NEXTHOP_BYTES) {
    return `its ${lists.length} segment lists take ${bytes} bytes; a Linux route takes up to ${MAX_NEXTHOP_BYTES}`;
  }
  return null;
}
