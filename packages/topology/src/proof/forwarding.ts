import { LocatorFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { Destination } from './destination.js';
import { carriesTowards, IgpDistances, type DistancesTo } from './igp-distances.js';
import type { SidPrefix } from './sid-prefixes.js';

/** What a node does with a packet. `process`: as its own SID; `forward`: even ECMP split over the arcs. */
export type ForwardingDecision =
  | { readonly kind: 'process'; readonly match: SidPrefix }
  | { readonly kind: 'forward'; readonly arcs: readonly number[] }
  | { readonly kind: 'drop'; readonly reason: 'not-routed' | 'host-transit'; readonly message: string };

/** How the nodes of one snapshot forward packets to SIDs, one node at a time. */
export class Forwarding {
  readonly #snapshot: Snapshot;
  readonly #distances: IgpDistances;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#distances = new IgpDistances(snapshot);
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
    const owner = sidNode[matches[0]?.sid ?? -1] as number;
    if (snapshot.isHost(node)) {
      return { kind: 'drop', reason: 'host-transit', message: `host ${where} would have to forward to ${text}` };
    }
    const covering = snapshot.locators.covering(text);
    const isIgpWide = (locator: number) => ((locatorFlags[locator] as number) & LocatorFlag.IgpScope) !== 0;
    if (snapshot.isHost(owner)) {
      const own = covering.flat().find((locator) => locatorNode[locator] === owner);
      if (own === undefined || !isIgpWide(own)) {
        const arcs = this.#lowestMetric(snapshot.linksOf(node).filter((arc) => this.#isUsableTo(arc, owner)));
        if (arcs.length > 0) return { kind: 'forward', arcs };
      }
    }
    for (const samePrefix of covering) {
      const routed = samePrefix.filter(isIgpWide);
      const [locator] = routed;
      if (locator === undefined) continue;
      const isAnycast = routed.length > 1 || ((locatorFlags[locator] as number) & LocatorFlag.Anycast) !== 0;
      if (isAnycast || locatorAlgorithm[locator] !== 0) {
        const what = isAnycast ? 'an anycast locator' : `algorithm ${String(locatorAlgorithm[locator])}`;
        return drop(`${text} is routed by ${what}, whose paths are not computed`);
      }
      const target = locatorNode[locator] as number;
      if (target === node) return drop(`${text} is in the locator of ${where}, which has no such SID`);
      const arcs = this.#nextHops(node, target);
      if (arcs.length > 0) return { kind: 'forward', arcs };
    }
    return drop(`${where} has no route to ${text} of ${snapshot.nodeIdOf(owner)}`);
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

  /** First links of the shortest simple paths from `node` to `target`. */
  #nextHops(node: number, target: number): number[] {
    const distance = this.#distances.to(target);
    if (distance.from(node) === Infinity) return [];
    const { arcTo, igpMetric } = this.#snapshot.data;
    return this.#shortestArcs(node, target, distance).filter(
      (arc) => (igpMetric[arc] as number) > 0 || this.#reachesWithout(arcTo[arc] as number, target, node, distance),
    );
  }

  #shortestArcs(node: number, target: number, distance: DistancesTo): number[] {
    const { arcTo, igpMetric } = this.#snapshot.data;
    return this.#snapshot
      .linksOf(node)
      .filter(
        (arc) =>
          carriesTowards(this.#snapshot, arc, target) &&
          distance.from(node) === (igpMetric[arc] as number) + distance.knownFrom(arcTo[arc] as number),
      );
  }

  /** Over a link of metric zero a shortest path may lead back; such an arc is no next hop of the node it returns to. */
  #reachesWithout(from: number, target: number, avoided: number, distance: DistancesTo): boolean {
    const seen = new Set([from]);
    for (const node of seen) {
      if (node === target) return true;
      for (const arc of this.#shortestArcs(node, target, distance)) {
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
