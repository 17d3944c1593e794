import { LocatorFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { definitionAt } from './flex-links.js';
import type { IgpReach } from './igp-reach.js';

/** How packets for a SID find its owner: by an algorithm of the IGP, only from the routers next to it, or not at all. */
export type SidRoute =
  | { readonly kind: 'igp'; readonly algorithm: number; readonly anycast: Anycast | null }
  /** `others`: hosts that are routed likewise and have the same anycast SID. */
  | { readonly kind: 'attachment'; readonly others: readonly number[] }
  | { readonly kind: 'unrouted' };

/** The others that share an owner's anycast prefix. */
export interface Anycast {
  /** Metric at which the owner advertises the prefix. */
  readonly metric: number;
  readonly others: readonly { readonly node: number; readonly metric: number }[];
}

/** Which routers have a route to a SID, by its longest covering locators. */
export function routeOf(snapshot: Snapshot, sid: number): SidRoute {
  const { sidNode, locatorNode, locatorFlags, locatorAlgorithm, locatorMetric } = snapshot.data;
  const owner = sidNode[sid] as number;
  const local: SidRoute = snapshot.isHost(owner) ? { kind: 'attachment', others: [] } : { kind: 'unrouted' };
  const covering = snapshot.locators.covering(snapshot.sidTextOf(sid));
  const [longest] = covering;
  if (longest === undefined) return local;
  const own = longest.find((locator) => locatorNode[locator] === owner);
  // A host's SID under somebody else's prefix: the attachment routers still have the more specific route.
  if (own === undefined) {
    return covering.flat().some((other) => locatorNode[other] === owner) ? { kind: 'unrouted' } : local;
  }
  const has = (locator: number, flag: number) => ((locatorFlags[locator] as number) & flag) !== 0;
  const others = longest.filter((locator) => locator !== own);
  if (!has(own, LocatorFlag.IgpScope) && snapshot.isHost(owner)) {
    const hosts = others
      .filter((locator) => !has(locator, LocatorFlag.IgpScope))
      .map((locator) => locatorNode[locator] as number);
    const owners = new Set(snapshot.sidsWith(snapshot.sidTextOf(sid)).map((other) => sidNode[other] as number));
    return { kind: 'attachment', others: hosts.filter((host) => snapshot.isHost(host) && owners.has(host)) };
  }
  if (others.length === 0 && !has(own, LocatorFlag.IgpScope)) return local;
  const algorithm = locatorAlgorithm[own] as number;
  const agrees = (locator: number) =>
    has(locator, LocatorFlag.Anycast) &&
    has(locator, LocatorFlag.IgpScope) &&
    locatorAlgorithm[locator] === algorithm &&
    (locator === own || locatorNode[locator] !== owner);
  const isComputed = algorithm === 0 || snapshot.isHost(owner) || definitionAt(snapshot, owner, algorithm) >= 0;
  if (!isComputed || (others.length > 0 && !longest.every(agrees))) return { kind: 'unrouted' };
  const anycast = {
    metric: locatorMetric[own] as number,
    others: others.map((locator) => ({
      node: locatorNode[locator] as number,
      metric: locatorMetric[locator] as number,
    })),
  };
  return { kind: 'igp', algorithm, anycast: others.length === 0 ? null : anycast };
}

/**
 * Do packets from where `reach` starts get to this owner of an anycast prefix, and never to another? They go to the nearest,
 * and the first on their way keeps them: so the owner is the nearest alone, or on every way to those that are.
 */
export function leadsOnlyTo(snapshot: Snapshot, reach: IgpReach, owner: number, { metric, others }: Anycast): boolean {
  const distanceOf = (node: number) => (snapshot.isHost(node) ? reach.distanceToHost(node) : reach.distanceTo(node));
  const distance = distanceOf(owner) + metric;
  const all = others.map((other) => ({ node: other.node, distance: distanceOf(other.node) + other.metric }));
  const least = Math.min(distance, ...all.map((other) => other.distance));
  const nearest = all.filter((other) => other.distance === least);
  const branches = reach.branchesTo(owner, []);
  const { arcFrom } = snapshot.data;
  if (branches === null || branches.arcs.some((arc) => others.some(({ node }) => node === arcFrom[arc]))) return false;
  return nearest.every(({ node }) => !snapshot.isHost(node) && isOnEveryWay(snapshot, reach, owner, node));
}

/** Do all packets for a router that is reached pass another node? What they do behind it does not matter. */
function isOnEveryWay(snapshot: Snapshot, reach: IgpReach, passed: number, router: number): boolean {
  const { arcTo } = snapshot.data;
  const hops = [...reach.nextHopsTo(router, passed)].reverse();
  const safe = new Set([passed]);
  for (let known = 0; known < safe.size;) {
    known = safe.size;
    for (const [node, arcs] of hops) {
      if (arcs.length > 0 && arcs.every((arc) => safe.has(arcTo[arc] as number))) safe.add(node);
    }
  }
  return safe.has(reach.start);
}
