import type { Family, SegmentList, Tunnel } from '../port.js';

/**
 * iproute2 builds the encapsulation of a route in 1,024 bytes and the nexthops of a multipath route in 4,096. Past them
 * it does not only fail: it ends, and with it the whole batch. So a tunnel is measured before a line is written.
 */
export const MAX_SIDS = 60;
const NEXTHOP_BYTES = 4096;

/** More is refused by iproute2 6.1 (`"weight" is invalid`), which again ends the batch. */
const MAX_WEIGHT = 255;

/** rtnexthop 8, ENCAP_TYPE 8, ENCAP 4 holding SEG6_IPTUNNEL_SRH 4 + mode 4 + segment routing header 8 + 16 each. */
function nexthopBytes({ sids }: SegmentList, family: Family): number {
  const gateway = family === 'ipv6' ? 20 : 0;
  return 8 + 8 + 4 + 4 + 4 + 8 + 16 * sids.length + gateway;
}

/** Why iproute2 could not express a tunnel, or null. */
export function objectionOf({ family, action }: Tunnel): string | null {
  if (action.kind === 'drop') return null;
  const lists = action.segmentLists;
  const heaviest = Math.max(...lists.map(({ weight }) => weight));
  if (heaviest > MAX_WEIGHT) {
    return `the weights of its segment lists reduce to ${heaviest}; the Linux kernel data plane takes up to ${MAX_WEIGHT}`;
  }
  const longest = Math.max(...lists.map(({ sids }) => sids.length));
  if (longest > MAX_SIDS) return `a segment list has ${longest} SIDs; iproute2 writes at most ${MAX_SIDS}`;
  const bytes = lists.reduce((sum, list) => sum + nexthopBytes(list, family), 0);
  if (lists.length > 1 && bytes > NEXTHOP_BYTES) {
    return `its ${lists.length} segment lists take ${bytes} bytes of a route; iproute2 writes at most ${NEXTHOP_BYTES}`;
  }
  return null;
}
