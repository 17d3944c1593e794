import { formatIpv6, ipv6ToBytes } from '../model/address.js';
import type { FlexAlgorithmDefinition, Locator, Sid, Ted, TedLink, TedNode } from '../model/ted.js';

/** One way a packet can take, with the probability that ECMP gives it. */
export interface Trajectory {
  readonly links: readonly TedLink[];
  readonly share: number;
  readonly outcome: 'delivered' | 'loop' | 'lost';
}

/** Links that have just failed, while all routers still forward as before. */
export interface Failing {
  readonly links: ReadonlySet<string>;
  /** Around packets with a destination address whose next link failed: over which link instead, in which list; null: dropped. */
  readonly repairAt: (
    at: string,
    link: string,
    address: string,
  ) => { readonly link: string; readonly entries: readonly string[] } | null;
}

/**
 * Follows packets link by link. Every router enumerates all simple paths of the algorithm to find its next hops: slow, and
 * nothing in common with an SPF. Addresses are strings of 128 ones and zeros; a container is read by cutting the first C-SID
 * out of that string; Segments Left is counted down and compared with what each endpoint can process. A packet that meets an
 * (address, node) twice is in a loop. `destination` null: wherever the list ends.
 */
export function trajectories(
  ted: Ted,
  headend: string,
  destination: string | null,
  entries: readonly string[],
  failing?: Failing,
): Trajectory[] {
  const node = new Map(ted.nodes.map((entry) => [entry.id, entry]));
  const link = new Map(ted.links.map((entry) => [entry.id, entry]));
  const isHost = (id: string) => node.get(id)?.kind === 'host';
  const isUsable = (entry: TedLink) =>
    [entry, link.get(entry.reverseId), node.get(entry.from), node.get(entry.to)].every(
      (part) => part?.operationalState === 'up',
    );
  const usable = ted.links.filter(isUsable);
  const owned = ted.nodes.flatMap((entry) => entry.sids.map((sid) => ({ owner: entry, sid, prefix: prefixBits(sid) })));
  const advertised = ted.nodes.flatMap((owner) => owner.locators.map((locator) => ({ owner, locator })));
  /** The advertisements of each prefix that covers an address, the longest prefix first. */
  const covering = (address: string) => {
    const matching = advertised.filter(({ locator }) => address.startsWith(locatorBits(locator)));
    const lengths = [...new Set(matching.map(({ locator }) => locatorBits(locator).length))].sort((a, b) => b - a);
    return lengths.map((length) => matching.filter(({ locator }) => locatorBits(locator).length === length));
  };
  /** The SIDs that an address reads as; none where owners do not agree that it is anycast. */
  const ownersOf = (address: string) => {
    const matching = owned.filter(({ prefix }) => address.startsWith(prefix));
    const longest = matching.filter(({ prefix }) => matching.every((other) => other.prefix.length <= prefix.length));
    const [first] = longest;
    const sameText = owned.filter(({ sid }) => sid.sid === first?.sid.sid);
    if (sameText.length <= 1) return longest;
    const kindOf = ({ sid }: (typeof owned)[number]) =>
      JSON.stringify([sid.behavior, [...sid.flavors].sort(), { ...sid.structure, argumentBits: 0 }]);
    const isAnycast = sameText.every(
      (entry) =>
        kindOf(entry) === kindOf(sameText[0] ?? entry) &&
        (covering(bitsOf(entry.sid.sid) ?? '')[0] ?? []).some(
          ({ owner, locator }) => owner === entry.owner && locator.anycast,
        ) &&
        sameText.every((other) => other === entry || other.owner !== entry.owner),
    );
    return isAnycast ? longest : [];
  };
  const costIn = linkCosts(ted);

  const simplePaths = (
    from: string,
    to: string,
    algorithm: number,
    visited: readonly string[],
  ): { readonly first: TedLink; readonly cost: number }[] =>
    usable
      .filter((entry) => entry.from === from && !visited.includes(entry.to) && (!isHost(entry.to) || entry.to === to))
      .flatMap((first) => {
        const own = costIn(algorithm, first);
        if (own === null) return [];
        if (first.to === to) return [{ first, cost: own }];
        return simplePaths(first.to, to, algorithm, [...visited, first.to]).map(({ cost }) => ({
          first,
          cost: cost + own,
        }));
      });
  const nextHops = (
    from: string,
    to: readonly { readonly id: string; readonly metric: number }[],
    algorithm: number,
  ) => {
    const paths = to.flatMap(({ id, metric }) =>
      simplePaths(from, id, algorithm, [from]).map(({ first, cost }) => ({ first, cost: cost + metric })),
    );
    const least = Math.min(...paths.map(({ cost }) => cost));
    return [...new Set(paths.filter(({ cost }) => cost === least).map(({ first }) => first))];
  };
  /** Where a router that does not own an address sends it. */
  const routes = (at: string, address: string): TedLink[] => {
    for (const all of covering(address)) {
      const samePrefix = all.filter(({ locator }) => locator.scope === 'igp');
      const [first] = samePrefix;
      if (first === undefined) continue;
      const { algorithm } = first.locator;
      const isClear =
        samePrefix.length === 1 ||
        samePrefix.every(({ locator }) => locator.anycast && locator.algorithm === algorithm);
      if (!isClear || samePrefix.some(({ owner }) => owner.id === at)) return [];
      const to = samePrefix.map(({ owner, locator }) => ({ id: owner.id, metric: locator.metric }));
      const arcs = nextHops(at, to, algorithm);
      if (arcs.length > 0) return arcs;
    }
    return [];
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
      const isDelivered = entries.length > 0 && (destination === null || at === destination);
      return [{ links, share, outcome: isDelivered ? 'delivered' : 'lost' }];
    }
    const matches = ownersOf(address);
    if (matches.length === 0) return lost(links, share);
    const place = `${segment} ${address} ${at}`;
    if (seen.has(place)) return [{ links, share, outcome: 'loop' }];
    const nowSeen = new Set([...seen, place]);
    const spread = (arcs: readonly TedLink[], to: number, toAddress: string | null, leftThen = srhLeft) =>
      arcs.length === 0
        ? lost(links, share)
        : arcs.flatMap((arc) => {
            const part = share / arcs.length;
            return failing?.links.has(arc.id) === true
              ? repaired(arc, part, to, toAddress, leftThen)
              : follow(arc.to, to, toAddress, [...links, arc], part, nowSeen, leftThen);
          });
    /** The list of the repair is walked as one by itself; where it ends, the packet inside goes on. */
    const repaired = (
      failed: TedLink,
      part: number,
      to: number,
      toAddress: string | null,
      leftThen: number | null,
    ): Trajectory[] => {
      const repair = isHost(at) ? undefined : failing?.repairAt(at, failed.id, formatIpv6(BigInt(`0b${address}`)));
      const first = link.get(repair?.link ?? '');
      if (repair == null || failing === undefined || first === undefined || failing.links.has(first.id)) {
        return lost(links, part);
      }
      const inside = { links: failing.links, repairAt: () => null };
      const around =
        repair.entries.length === 0
          ? [{ links: [], share: 1, outcome: 'delivered' as const }]
          : trajectories(ted, first.to, null, repair.entries, inside);
      return around.flatMap((way) => {
        const gone = [...links, first, ...way.links];
        const end = way.links.at(-1)?.to ?? first.to;
        if (way.outcome !== 'delivered') return lost(gone, part * way.share);
        return follow(end, to, toAddress, gone, part * way.share, nowSeen, leftThen);
      });
    };
    const isFirst = links.length === 0 && segment === 0 && at === headend;
    if (isHost(at) && isFirst)
      return spread(cheapest(usable.filter((entry) => entry.from === at && !isHost(entry.to))), 0, address);
    const own = matches.find(({ owner }) => owner.id === at);
    if (own !== undefined) {
      const { sid, prefix } = own;
      const left = address.slice(prefix.length);
      const isMore = left.includes('1');
      if (isMore && !sid.flavors.includes('NEXT-C-SID')) return lost(links, share);
      const { msdSegmentsLeft, msdEndPop, msdEndD } = own.owner;
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
      const canCross = adjacency !== undefined && isUsable(adjacency) && (next !== null || destination === null);
      return canCross ? spread([adjacency], nextSegment, next, leftThen) : lost(links, share);
    }
    if (isHost(at)) return lost(links, share);
    const stubs = matches.filter(({ owner }) => {
      const [longest] = covering(address)
        .flat()
        .filter((entry) => entry.owner === owner);
      return owner.kind === 'host' && longest?.locator.scope !== 'igp';
    });
    const hostLinks = usable.filter((entry) => entry.from === at && stubs.some(({ owner }) => owner.id === entry.to));
    return spread(hostLinks.length > 0 ? cheapest(hostLinks) : routes(at, address), segment, address);
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

function locatorBits({ prefix }: Locator): string {
  const [address, length] = prefix.split('/');
  return (bitsOf(address) ?? '').slice(0, Number(length));
}

/** What a link costs in an algorithm; null when it is none of its links. */
function linkCosts(ted: Ted): (algorithm: number, link: TedLink) => number | null {
  const node = (id: string) => ted.nodes.find((entry) => entry.id === id);
  const isIn = (id: string, algorithm: number) =>
    node(id)?.flexAlgorithms.some((entry) => entry.algorithm === algorithm);
  const idOf = ({ routerId, id }: TedNode) =>
    `${(routerId ?? '')
      .split('.')
      .map((part) => part.padStart(3, '0'))
      .join('.')} ${id}`;
  /** One after the other is held against the best so far. */
  const definitionIn = (domain: string | undefined, algorithm: number): FlexAlgorithmDefinition | null => {
    let best: { readonly definition: FlexAlgorithmDefinition; readonly by: TedNode } | null = null;
    for (const by of ted.nodes) {
      if (by.kind !== 'router' || by.operationalState !== 'up' || by.igpDomain !== domain) continue;
      for (const { algorithm: number, definition } of by.flexAlgorithms) {
        if (number !== algorithm || definition === null) continue;
        const isBetter =
          best === null ||
          definition.priority > best.definition.priority ||
          (definition.priority === best.definition.priority && idOf(by) > idOf(best.by));
        if (isBetter) best = { definition, by };
      }
    }
    return best?.definition ?? null;
  };
  const costOf = (algorithm: number, link: TedLink): number | null => {
    const definition = definitionIn(node(link.from)?.igpDomain, algorithm);
    if (definition === null || !isIn(link.from, algorithm) || !isIn(link.to, algorithm)) return null;
    const seen = link.advertised ?? link;
    const { excludeAny, includeAny, includeAll, excludeSrlgs, metricType } = definition;
    const isPruned =
      seen.affinities.some((name) => excludeAny.includes(name)) ||
      seen.srlgs.some((group) => excludeSrlgs.includes(group)) ||
      (includeAny.length > 0 && seen.affinities.every((name) => !includeAny.includes(name))) ||
      includeAll.some((name) => !seen.affinities.includes(name));
    if (isPruned) return null;
    return metricType === 'igp' ? link.igpMetric : metricType === 'te' ? seen.teMetric : seen.delayMinUs;
  };
  const known = new Map<string, number | null>();
  return (algorithm, link) => {
    if (algorithm === 0) return link.igpMetric;
    const key = `${algorithm} ${link.id}`;
    if (!known.has(key)) known.set(key, costOf(algorithm, link));
    return known.get(key) ?? null;
  };
}

function bitsOf(address: string | undefined): string | null {
  if (address === undefined) return null;
  return [...ipv6ToBytes(address)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}
