import { ipv6ToBytes } from '../model/address.js';
import type { Sid, Ted, TedLink } from '../model/ted.js';

/** One way a packet can take, with the probability that ECMP gives it. */
export interface Trajectory {
  readonly links: readonly TedLink[];
  readonly share: number;
  readonly outcome: 'delivered' | 'loop' | 'lost';
}

/**
 * Follows packets link by link. Every router enumerates all simple paths of the IGP to find its next hops: slow, and
 * nothing in common with an SPF. Addresses are strings of 128 ones and zeros; a container is read by cutting the first C-SID
 * out of that string; Segments Left is counted down and compared with what each endpoint can process. A packet that meets an
 * (address, node) twice is in a loop.
 */
export function trajectories(ted: Ted, headend: string, destination: string, entries: readonly string[]): Trajectory[] {
  const node = new Map(ted.nodes.map((entry) => [entry.id, entry]));
  const link = new Map(ted.links.map((entry) => [entry.id, entry]));
  const isHost = (id: string) => node.get(id)?.kind === 'host';
  const isUsable = (entry: TedLink) =>
    [entry, link.get(entry.reverseId), node.get(entry.from), node.get(entry.to)].every(
      (part) => part?.operationalState === 'up',
    );
  const owned = ted.nodes.flatMap((entry) => entry.sids.map((sid) => ({ owner: entry, sid, prefix: prefixBits(sid) })));
  const ownerOf = (address: string) =>
    owned
      .filter(({ prefix }) => address.startsWith(prefix))
      .reduce<(typeof owned)[number] | undefined>(
        (best, other) => (best === undefined || other.prefix.length > best.prefix.length ? other : best),
        undefined,
      );
  const usable = ted.links.filter(isUsable);

  const simplePaths = (from: string, to: string, visited: readonly string[]): TedLink[][] => {
    if (from === to) return [[]];
    return usable
      .filter((entry) => entry.from === from && !visited.includes(entry.to) && (!isHost(entry.to) || entry.to === to))
      .flatMap((entry) => simplePaths(entry.to, to, [...visited, entry.to]).map((rest) => [entry, ...rest]));
  };
  const nextHops = (from: string, to: string): TedLink[] => {
    const paths = simplePaths(from, to, [from]);
    const length = (path: TedLink[]) => path.reduce((sum, entry) => sum + entry.igpMetric, 0);
    const least = Math.min(...paths.map(length));
    const firsts = paths.filter((path) => length(path) === least).map((path) => path[0]);
    return [...new Set(firsts)].filter((entry) => entry !== undefined);
  };
  const cheapest = (links: TedLink[]): TedLink[] => {
    const least = Math.min(...links.map((entry) => entry.igpMetric));
    return links.filter((entry) => entry.igpMetric === least);
  };
  const isReduced = node.get(headend)?.encapMode === 'reduced';
  const inSrh = isReduced ? entries.length - 1 : entries.length;
  const lost = (links: readonly TedLink[], share: number): Trajectory[] => [{ links, share, outcome: 'lost' }];

  /** `address`: null when the list is used up. */
  const follow = (
    at: string,
    segment: number,
    address: string | null,
    links: readonly TedLink[],
    share: number,
    seen: ReadonlySet<string>,
    /** Segments Left of the SRH; null: without one. */
    srhLeft: number | null,
  ): Trajectory[] => {
    if (address === null) {
      const isDelivered = entries.length > 0 && at === destination;
      return [{ links, share, outcome: isDelivered ? 'delivered' : 'lost' }];
    }
    const match = ownerOf(address);
    if (match === undefined) return lost(links, share);
    const place = `${segment} ${address} ${at}`;
    if (seen.has(place)) return [{ links, share, outcome: 'loop' }];
    const nowSeen = new Set([...seen, place]);
    const { owner, sid, prefix } = match;
    const spread = (arcs: readonly TedLink[], to: number, toAddress: string | null, leftThen = srhLeft) =>
      arcs.length === 0
        ? lost(links, share)
        : arcs.flatMap((arc) => follow(arc.to, to, toAddress, [...links, arc], share / arcs.length, nowSeen, leftThen));
    const isFirst = links.length === 0 && segment === 0 && at === headend;
    if (isHost(at) && isFirst)
      return spread(cheapest(usable.filter((entry) => entry.from === at && !isHost(entry.to))), 0, address);
    if (owner.id === at) {
      const left = address.slice(prefix.length);
      const isMore = left.includes('1');
      if (isMore && !sid.flavors.includes('NEXT-C-SID')) return lost(links, share);
      const { msdSegmentsLeft, msdEndPop, msdEndD } = owner;
      const isService = sid.behavior.startsWith('End.DT');
      let leftThen = srhLeft;
      if (srhLeft !== null) {
        if (srhLeft > (msdSegmentsLeft ?? srhLeft)) return lost(links, share);
        if (!isMore && srhLeft > 0) leftThen = srhLeft - 1;
        const pops = !isMore && sid.flavors.includes(srhLeft === 0 ? 'USP' : 'PSP') && leftThen === 0;
        if (pops && inSrh > (msdEndPop ?? inSrh)) return lost(links, share);
        const opens = srhLeft === 0 && !isMore && (isService || sid.flavors.includes('USD'));
        if (opens && inSrh > (msdEndD ?? inSrh)) return lost(links, share);
        if (pops) leftThen = null;
      }
      const block = prefix.slice(0, sid.structure?.blockBits);
      const next = isMore ? (block + left).padEnd(128, '0') : bitsOf(entries[segment + 1]);
      const nextSegment = isMore ? segment : segment + 1;
      if (isService) {
        return next === null ? follow(at, nextSegment, null, links, share, nowSeen, leftThen) : lost(links, share);
      }
      if (isHost(at)) return lost(links, share);
      if (sid.behavior === 'End') return follow(at, nextSegment, next, links, share, nowSeen, leftThen);
      const adjacency = link.get(sid.linkId ?? '');
      const canCross = adjacency !== undefined && isUsable(adjacency) && next !== null;
      return canCross ? spread([adjacency], nextSegment, next, leftThen) : lost(links, share);
    }
    if (isHost(at)) return lost(links, share);
    if (owner.kind === 'host' && owner.locators[0]?.scope !== 'igp') {
      const hostLinks = usable.filter((entry) => entry.from === at && entry.to === owner.id);
      return spread(cheapest(hostLinks), segment, address);
    }
    return owner.locators.length === 0 ? lost(links, share) : spread(nextHops(at, owner.id), segment, address);
  };
  return follow(headend, 0, bitsOf(entries[0]), [], 1, new Set(), inSrh > 0 ? entries.length - 1 : null);
}

/** What of a destination address makes a router take a packet for this SID. */
function prefixBits({ sid, structure }: Sid): string {
  const bits = bitsOf(sid) ?? '';
  if (structure === null) return bits;
  const length = structure.blockBits + structure.nodeBits + structure.functionBits;
  return bits.slice(length).includes('1') ? bits : bits.slice(0, length);
}

function bitsOf(address: string | undefined): string | null {
  if (address === undefined) return null;
  return [...ipv6ToBytes(address)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}
