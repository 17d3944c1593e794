import type { Ted, TedLink } from '../model/ted.js';

/** One way a packet can take, with the probability that ECMP gives it. */
export interface Trajectory {
  readonly links: readonly TedLink[];
  readonly share: number;
  readonly outcome: 'delivered' | 'loop' | 'lost';
}

/**
 * Follows packets link by link. Every router enumerates all simple paths of the IGP to find its next hops: slow, and
 * nothing in common with an SPF. A packet that meets a (segment, node) twice is in a loop.
 */
export function trajectories(ted: Ted, headend: string, destination: string, sids: readonly string[]): Trajectory[] {
  const node = new Map(ted.nodes.map((entry) => [entry.id, entry]));
  const link = new Map(ted.links.map((entry) => [entry.id, entry]));
  const isHost = (id: string) => node.get(id)?.kind === 'host';
  const isUsable = (entry: TedLink) =>
    [entry, link.get(entry.reverseId), node.get(entry.from), node.get(entry.to)].every(
      (part) => part?.operationalState === 'up',
    );
  const owners = new Map(
    ted.nodes.flatMap((entry) => entry.sids.map((sid) => [sid.sid, { owner: entry, sid }] as const)),
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
  const lost = (links: readonly TedLink[], share: number): Trajectory[] => [{ links, share, outcome: 'lost' }];

  const follow = (
    at: string,
    segment: number,
    links: readonly TedLink[],
    share: number,
    seen: ReadonlySet<string>,
  ): Trajectory[] => {
    const owned = owners.get(sids[segment] ?? '');
    if (owned === undefined) {
      const isDelivered = sids.length > 0 && segment === sids.length && at === destination;
      return [{ links, share, outcome: isDelivered ? 'delivered' : 'lost' }];
    }
    const place = `${segment} ${at}`;
    if (seen.has(place)) return [{ links, share, outcome: 'loop' }];
    const nowSeen = new Set([...seen, place]);
    const { owner, sid } = owned;
    const spread = (arcs: readonly TedLink[], next: number) =>
      arcs.length === 0
        ? lost(links, share)
        : arcs.flatMap((arc) => follow(arc.to, next, [...links, arc], share / arcs.length, nowSeen));
    const isFirst = links.length === 0 && segment === 0 && at === headend;
    if (isHost(at) && isFirst)
      return spread(cheapest(usable.filter((entry) => entry.from === at && !isHost(entry.to))), 0);
    if (owner.id === at) {
      if (sid.behavior === 'End.DT4' || sid.behavior === 'End.DT6' || sid.behavior === 'End.DT46') {
        return segment === sids.length - 1 ? follow(at, segment + 1, links, share, nowSeen) : lost(links, share);
      }
      if (isHost(at)) return lost(links, share);
      if (sid.behavior === 'End') return follow(at, segment + 1, links, share, nowSeen);
      const adjacency = link.get(sid.linkId ?? '');
      const canCross = adjacency !== undefined && isUsable(adjacency) && segment < sids.length - 1;
      return canCross ? spread([adjacency], segment + 1) : lost(links, share);
    }
    if (isHost(at)) return lost(links, share);
    if (owner.kind === 'host' && owner.locators[0]?.scope !== 'igp') {
      return spread(cheapest(usable.filter((entry) => entry.from === at && entry.to === owner.id)), segment);
    }
    return owner.locators.length === 0 ? lost(links, share) : spread(nextHops(at, owner.id), segment);
  };
  return follow(headend, 0, [], 1, new Set());
}
