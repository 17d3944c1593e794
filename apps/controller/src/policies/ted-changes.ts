import { isDeepStrictEqual } from 'node:util';
import {
  advertisedOf,
  nodesReadOtherwise,
  type LinkId,
  type NodeId,
  type Ted,
  type TedLink,
  type TedNode,
} from '@waymark/topology';
import { snapshotOf } from '../compute/snapshot-of.js';
import { elementOf, pairsOf, type Pair } from './sorted-elements.js';

/** What differs between two states of the TED, sorted into what it can mean for policies. All lists are sorted. */
export interface TedChanges {
  /** Links of which anything changed; a link whose node went up or down counts as changed. */
  readonly links: readonly LinkId[];
  /** Links that can make paths better: they returned, or one of their attributes improved or cannot be compared. */
  readonly improved: readonly { readonly linkId: LinkId; readonly returned: boolean }[];
  readonly worsened: readonly LinkId[];
  /** Links over which the IGP may send traffic that it sent elsewhere: usable again, or of a lower IGP metric. */
  readonly attracting: readonly LinkId[];
  /** Links over which the IGP may send other traffic than before: usable or not any more, or of another IGP metric. */
  readonly routing: readonly LinkId[];
  /**
   * What flexible algorithms and anycast prefixes go by has changed so that paths of theirs may be others now that cross none of
   * this. What only got worse moves no path that does not cross it.
   */
  readonly rerouting: { readonly links: readonly LinkId[]; readonly nodes: readonly NodeId[] };
  /**
   * Routers that changed otherwise (SIDs, locators, admin state), or left, and nodes whose SIDs are read otherwise because of
   * that: what crosses them must be proved again.
   */
  readonly transit: readonly NodeId[];
  /** Nodes that changed as headends: MSD, encapsulation, existence. */
  readonly headends: readonly NodeId[];
  /** Nodes that changed as endpoints: service SIDs, locators, address, existence. */
  readonly endpoints: readonly NodeId[];
  /** Nodes whose pod prefixes changed. */
  readonly prefixes: readonly NodeId[];
  /** Which hosts exist, or where, has changed: meshes may have to follow. */
  readonly hosts: boolean;
}

/** Both sorted by id. At the cost of what differs, and of one look at each link that is the same object in both. */
export function tedChanges(before: Ted, after: Ted): TedChanges {
  const nodes = pairsOf(before.nodes, after.nodes).filter(differ);
  const standingBefore = linkStanding(before);
  const standingAfter = linkStanding(after);
  const links = linksToCompare(before, after, nodes)
    .map((pair) => compareLink(pair, standingBefore(pair.before), standingAfter(pair.after)))
    .filter((change) => change.changed);
  const transit = idsOf(nodes, (node) => {
    return [node.kind, node.flexAlgorithms, node.locators, node.sids, endpointLimits(node), node.adminState];
  });
  return {
    links: links.map(({ id }) => id),
    improved: links.filter(({ improved }) => improved).map(({ id, returned }) => ({ linkId: id, returned })),
    worsened: links.filter(({ worsened }) => worsened).map(({ id }) => id),
    attracting: links.filter(({ attracting }) => attracting).map(({ id }) => id),
    routing: links.filter(({ routing }) => routing).map(({ id }) => id),
    rerouting: {
      links: links.filter(({ rerouting }) => rerouting).map(({ id }) => id),
      nodes: idsOf(nodes, ({ kind, operationalState, routerId, igpDomain, flexAlgorithms, locators, sids }) => {
        return [kind, operationalState, routerId, igpDomain, flexAlgorithms, locators, sids];
      }),
    },
    transit: [...new Set([...transit, ...readOtherwise(before, after, nodes)])].sort(),
    headends: idsOf(nodes, (node) => [node.kind, node.msdHEncaps, node.encapMode, node.adminState]),
    endpoints: idsOf(nodes, (node) => [
      node.kind,
      node.locators,
      node.sids,
      endpointLimits(node),
      node.address,
      node.adminState,
    ]),
    prefixes: idsOf(nodes, (node) => node.podPrefixes),
    hosts: idsOf(nodes, (node) => [node.kind, node.site]).length > 0,
  };
}

/** What a node can process of the lists that pass it or end there. */
function endpointLimits({ msdSegmentsLeft, msdEndPop, msdEndD }: TedNode): readonly (number | null)[] {
  return [msdSegmentsLeft, msdEndPop, msdEndD];
}

/** Nodes that did not change, of which the SIDs mean something else all the same. */
function readOtherwise(before: Ted, after: Ted, nodes: readonly Pair<TedNode>[]): NodeId[] {
  const changed = idsOf(nodes, (node) => [node.locators, node.sids]);
  return changed.length === 0 || before.nodes.length === 0
    ? []
    : nodesReadOtherwise(snapshotOf(before), snapshotOf(after));
}

/** Links that differ, or whose other direction or one of whose nodes does. */
function linksToCompare(before: Ted, after: Ted, nodes: readonly Pair<TedNode>[]): readonly Pair<TedLink>[] {
  const links = pairsOf(before.links, after.links);
  if (links.length === 0 && nodes.length === 0) return links;
  const changedLinks = new Set(links.map(({ id }) => id));
  const changedNodes = new Set(nodes.map(({ id }) => id));
  return pairsOf(
    before.links,
    after.links,
    ({ reverseId, from, to }) => changedLinks.has(reverseId) || changedNodes.has(from) || changedNodes.has(to),
  );
}

function differ<T>({ before, after }: Pair<T>): boolean {
  return before !== after && !isDeepStrictEqual(before, after);
}

function idsOf(nodes: readonly Pair<TedNode>[], aspect: (node: TedNode) => unknown): NodeId[] {
  return nodes
    .filter(
      ({ before, after }) =>
        before === undefined || after === undefined || !isDeepStrictEqual(aspect(before), aspect(after)),
    )
    .map(({ id }) => id);
}

/** What a link owes to its nodes and its other direction. */
interface LinkStanding {
  /** Do routers use it: both directions and both nodes up (two-way check)? */
  readonly usable: boolean;
  /** The strictest admin state of link and nodes. */
  readonly adminRank: number;
  /** Of its two nodes. */
  readonly sites: readonly (string | null | undefined)[];
}

const ADMIN_RANK = { up: 0, drained: 1, down: 2 } as const;

function linkStanding({ nodes, links }: Ted): (link: TedLink | undefined) => LinkStanding {
  const isUp = (link: TedLink | undefined): boolean =>
    link?.operationalState === 'up' &&
    elementOf(nodes, link.from)?.operationalState === 'up' &&
    elementOf(nodes, link.to)?.operationalState === 'up';
  return (link) => {
    if (link === undefined) return { usable: false, adminRank: ADMIN_RANK.down, sites: [] };
    const ends = [elementOf(nodes, link.from), elementOf(nodes, link.to)];
    const admin = [link, ...ends].map((part) => part?.adminState ?? 'up');
    return {
      usable: isUp(link) && isUp(elementOf(links, link.reverseId)),
      adminRank: Math.max(...admin.map((state) => ADMIN_RANK[state])),
      sites: ends.map((node) => node?.site),
    };
  };
}

interface LinkChange {
  readonly id: LinkId;
  readonly changed: boolean;
  readonly improved: boolean;
  readonly returned: boolean;
  readonly worsened: boolean;
  readonly attracting: boolean;
  readonly routing: boolean;
  readonly rerouting: boolean;
}

function compareLink(pair: Pair<TedLink>, standingBefore: LinkStanding, standingAfter: LinkStanding): LinkChange {
  const { id, before, after } = pair;
  const changed = !isSameStanding(standingBefore, standingAfter) || differ(pair);
  if (!standingBefore.usable || !standingAfter.usable || before === undefined || after === undefined) {
    const returned = !standingBefore.usable && standingAfter.usable;
    const worsened = standingBefore.usable && !standingAfter.usable;
    return {
      id,
      changed,
      improved: returned,
      returned: returned && before !== undefined,
      worsened,
      attracting: returned,
      routing: returned || worsened,
      rerouting: returned,
    };
  }
  // Requests exclude sites: which of them a node is at may be good for some and bad for others.
  const moved = !isSameSites(standingBefore, standingAfter);
  const { better, worse } = changed ? compareAttributes(before, after) : { better: false, worse: false };
  return {
    id,
    changed,
    improved: better || moved || standingAfter.adminRank < standingBefore.adminRank,
    returned: false,
    worsened: worse || moved || standingAfter.adminRank > standingBefore.adminRank,
    attracting: after.igpMetric < before.igpMetric,
    routing: after.igpMetric !== before.igpMetric,
    rerouting: changed && (after.igpMetric < before.igpMetric || isAdvertisedOtherwise(before, after)),
  };
}

function isSameStanding(a: LinkStanding, b: LinkStanding): boolean {
  return a.usable === b.usable && a.adminRank === b.adminRank && isSameSites(a, b);
}

function isSameSites(a: LinkStanding, b: LinkStanding): boolean {
  return a.sites.length === b.sites.length && a.sites.every((site, i) => site === b.sites[i]);
}

function isAdvertisedOtherwise(before: TedLink, after: TedLink): boolean {
  return !isDeepStrictEqual(advertisedOf(before), advertisedOf(after));
}

/** Unknown values, affinities and SRLGs cannot be ordered: a change of one may be good for some and bad for others. */
function compareAttributes(before: TedLink, after: TedLink): { readonly better: boolean; readonly worse: boolean } {
  let better = false;
  let worse = false;
  /** Lower is better. */
  const lower = (a: number | null, b: number | null): void => {
    if (a === b) return;
    better ||= b !== null && (a === null || b < a);
    worse ||= a !== null && (b === null || b > a);
  };
  lower(before.igpMetric, after.igpMetric);
  lower(before.teMetric ?? before.igpMetric, after.teMetric ?? after.igpMetric);
  lower(before.delayUs, after.delayUs);
  lower(before.delayVariationUs, after.delayVariationUs);
  lower(before.lossPpm, after.lossPpm);
  lower(negated(reservable(before)), negated(reservable(after)));
  lower(negated(before.mtuBytes), negated(after.mtuBytes));
  const other = (link: TedLink) => [link.affinities, link.srlgs];
  if (!isDeepStrictEqual(other(before), other(after))) {
    better = true;
    worse = true;
  }
  return { better, worse };
}

function reservable(link: TedLink): number | null {
  return link.reservableBandwidthBps ?? link.bandwidthBps;
}

function negated(value: number | null): number | null {
  return value === null ? null : -value;
}
