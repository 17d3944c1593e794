import { LocatorFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { Destination } from './destination.js';
import { takesPart } from './algorithm-topology.js';
import { RouteDistances, type DistancesTo } from './route-distances.js';
import type { SidPrefix } from './sid-prefixes.js';

/** What a node does with a packet. `process`: as its own SID; `forward`: even ECMP split over the arcs. */
export type ForwardingDecision =
  | { readonly kind: 'process'; readonly match: SidPrefix }
  | { readonly kind: 'forward'; readonly arcs: readonly number[] }
  | { readonly kind: 'drop'; readonly reason: 'not-routed' | 'host-transit'; readonly message: string };

/** Routing tables of the snapshots in use; they hold nothing that the snapshot does not determine. */
const known = new WeakMap<Snapshot, Forwarding>();

export function forwardingOf(snapshot: Snapshot): Forwarding {
  const found = known.get(snapshot) ?? new Forwarding(snapshot);
  known.set(snapshot, found);
  return found;
}

/** How the nodes of one snapshot forward packets to SIDs, one node at a time. */
export class Forwarding {
  readonly #snapshot: Snapshot;
  readonly #distances: RouteDistances;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#distances = new RouteDistances(snapshot);
  }

  /** The usable host links of the lowest IGP metric: where a host sends its own packets, whatever the first SID is. */
  headendArcs(host: number): readonly number[] {
    return this.#lowestMetric(this.#snapshot.linksOf(host).filter((arc) => this.#leadsToRouter(arc)));
  }

  /** What `node` does with a packet for a destination that reads as some SID. */
  decide(node: number, { text, matches }: Destination): ForwardingDecision {
    const snapshot = this.#snapshot;
    const { sidNode, locatorNode, locatorFlags, locatorAlgorithm } = snapshot.data;
    const where = snapshot.nodeIdOf(node);
    const local = matches.find(({ sid }) => sidNode[sid] === node);
    if (local !== undefined) {
      const other = this.#moreSpecific(text, matches, local);
      return other === null
        ? { kind: 'process', match: local }
        : drop(`${where} has ${other} for ${text}, not its own SID`);
    }
    if (snapshot.isHost(node)) {
      return { kind: 'drop', reason: 'host-transit', message: `host ${where} would have to forward to ${text}` };
    }
    const owners = matches
      .filter((match) => match.length === matches[0]?.length)
      .map(({ sid }) => sidNode[sid] as number);
    const covering = snapshot.locators.covering(text);
    const isIgpWide = (locator: number) => ((locatorFlags[locator] as number) & LocatorFlag.IgpScope) !== 0;
    // A host's own route: at the routers next to it, when it is not advertised to all.
    const isStub = (owner: number) => {
      const own = covering.flat().find((locator) => locatorNode[locator] === owner);
      return snapshot.isHost(owner) && (own === undefined || !isIgpWide(own));
    };
    const stubs = owners.filter(isStub);
    const attached = snapshot.linksOf(node).filter((arc) => stubs.some((host) => this.#isUsableTo(arc, host)));
    if (attached.length > 0) return { kind: 'forward', arcs: this.#lowestMetric(attached) };
    let missing = '';
    for (const samePrefix of covering) {
      const routed = samePrefix.filter(isIgpWide);
      const [first] = routed;
      if (first === undefined) continue;
      const conflict = this.#conflictOf(routed);
      if (conflict !== null) return drop(conflict);
      if (routed.some((locator) => locatorNode[locator] === node)) {
        return drop(`${text} is in the locator of ${where}, which has no such SID`);
      }
      const arcs = this.#nextHops(node, this.#distances.to(routed));
      if (arcs.length > 0) return { kind: 'forward', arcs };
      const algorithm = locatorAlgorithm[first] as number;
      if (algorithm !== 0) missing ||= ` by algorithm ${algorithm}`;
      if (!takesPart(snapshot, node, algorithm)) missing += ', in which it takes no part';
    }
    return drop(`${where} has no route to ${text} of ${snapshot.nodeIdOf(owners[0] ?? -1)}${missing}`);
  }

  /** Why routers would not agree on what locators with one prefix mean (RFC 9352 section 5); null when they do. */
  #conflictOf(locators: readonly number[]): string | null {
    const { locatorFlags, locatorAlgorithm, locatorNode } = this.#snapshot.data;
    const [first = -1, ...others] = locators;
    if (others.length === 0) return null;
    const { address = '', length = 0 } = this.#snapshot.locators.prefixes[first] ?? {};
    const what = `${address}/${length}`;
    if (new Set(locators.map((locator) => locatorNode[locator])).size < locators.length) {
      return `${what} is advertised twice by one node`;
    }
    const isAnycast = (locator: number) => ((locatorFlags[locator] as number) & LocatorFlag.Anycast) !== 0;
    if (!locators.every(isAnycast))
      return `${what} is advertised by several nodes, and not all of them say it is anycast`;
    const isOneAlgorithm = others.every((locator) => locatorAlgorithm[locator] === locatorAlgorithm[first]);
    return isOneAlgorithm ? null : `${what} is advertised for several algorithms`;
  }

  /** A route that a router would prefer to its own SID. Plans that keep numbers apart have none. */
  #moreSpecific(text: string, matches: readonly SidPrefix[], local: SidPrefix): string | null {
    const { locators } = this.#snapshot;
    const [longest] = matches;
    if (longest !== undefined && longest.length > local.length)
      return `the SID ${this.#snapshot.sidTextOf(longest.sid)}`;
    if (local.length === 128) return null;
    const prefix = locators.prefixes[locators.covering(text)[0]?.[0] ?? -1];
    return prefix !== undefined && prefix.length > local.length ? `${prefix.address}/${prefix.length}` : null;
  }

  /** First links of the shortest simple paths from `node` to the nearest targets. */
  #nextHops(node: number, distance: DistancesTo): number[] {
    if (distance.from(node) === Infinity) return [];
    const { arcTo } = this.#snapshot.data;
    const { metric } = distance.topology;
    return this.#shortestArcs(node, distance).filter(
      (arc) => (metric[arc] as number) > 0 || this.#reachesWithout(arcTo[arc] as number, node, distance),
    );
  }

  #shortestArcs(node: number, distance: DistancesTo): number[] {
    const { arcTo } = this.#snapshot.data;
    const { metric } = distance.topology;
    return this.#snapshot
      .linksOf(node)
      .filter(
        (arc) =>
          distance.carries(arc) &&
          distance.from(node) === (metric[arc] as number) + distance.knownFrom(arcTo[arc] as number),
      );
  }

  /** Over a link of metric zero a shortest path may lead back; such an arc is no next hop of the node it returns to. */
  #reachesWithout(from: number, avoided: number, distance: DistancesTo): boolean {
    const seen = new Set([from]);
    for (const node of seen) {
      if (distance.isNearest(node)) return true;
      for (const arc of this.#shortestArcs(node, distance)) {
        const next = this.#snapshot.data.arcTo[arc] as number;
        if (next !== avoided) seen.add(next);
      }
    }
    return false;
  }

  #leadsToRouter(arc: number): boolean {
    return this.#snapshot.isUsable(arc) && !this.#snapshot.isHost(this.#snapshot.data.arcTo[arc] as number);
  }

  #isUsableTo(arc: number, node: number): boolean {
    return this.#snapshot.isUsable(arc) && this.#snapshot.data.arcTo[arc] === node;
  }

  #lowestMetric(arcs: readonly number[]): number[] {
    const { igpMetric } = this.#snapshot.data;
    const least = Math.min(...arcs.map((arc) => igpMetric[arc] as number));
    return arcs.filter((arc) => igpMetric[arc] === least);
  }
}

function drop(message: string): ForwardingDecision {
  return { kind: 'drop', reason: 'not-routed', message };
}
