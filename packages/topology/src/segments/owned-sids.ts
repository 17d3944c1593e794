import type { AddressFamily } from '../model/address.js';
import type { EndpointBehavior } from '../model/ted.js';
import { ORIGINS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { entryLimitsOf } from './entry-limits.js';
import { routeOf, type SidRoute } from './sid-route.js';

const PLANNED = ORIGINS.indexOf('planned');

export interface RoutedSid {
  readonly sid: number;
  readonly route: SidRoute;
}

/** End SIDs of a node, the preferred first, each with its route. */
export function endSidsOf(snapshot: Snapshot, node: number): RoutedSid[] {
  return inOrder(snapshot, candidates(snapshot, node, 'End'));
}

/**
 * The End SID that a list to a router ends in: one with a route before one without. Of those that are as good to reach, one that
 * decapsulates, because packets that end at any other are dropped; then one that does not remove the SRH first, which the router
 * may not be able to. undefined when it has none.
 */
export function finalEndSid(snapshot: Snapshot, node: number): number | undefined {
  const limits = entryLimitsOf(snapshot);
  const all = endSidsOf(snapshot, node);
  const routed = all.filter(({ route }) => route.kind === 'igp');
  const known = knownBeforePlanned(
    snapshot,
    (routed.length > 0 ? routed : all).map(({ sid }) => sid),
  );
  const [first] = known;
  if (first === undefined) return undefined;
  const rank = rankOf(routeOf(snapshot, first));
  const alike = known.filter((sid) => rankOf(routeOf(snapshot, sid)) === rank);
  const usd = alike.filter((sid) => limits.has(sid, 'USD'));
  const preferred = usd.length > 0 ? usd : alike;
  return preferred.find((sid) => !limits.has(sid, 'USP')) ?? preferred[0];
}

/** The SIDs that cross an arc, the preferred first, each with its route. */
export function adjacencySidsOf(snapshot: Snapshot, arc: number): RoutedSid[] {
  const { arcFrom, sidArc } = snapshot.data;
  const own = candidates(snapshot, arcFrom[arc] as number, 'End.X').filter((sid) => sidArc[sid] === arc);
  return inOrder(snapshot, own);
}

/** The service SID a node decapsulates a family with, of algorithm 0 where it has one; -1 when it has none. */
export function serviceSidOf(snapshot: Snapshot, node: number, family: AddressFamily): number {
  const specific = candidates(snapshot, node, family === 'ipv4' ? 'End.DT4' : 'End.DT6');
  const best = preferred(snapshot, specific);
  if (best >= 0 && snapshot.data.sidOrigin[best] !== PLANNED) return best;
  return preferred(snapshot, [...specific, ...candidates(snapshot, node, 'End.DT46')]);
}

/** Families a node has service SIDs for. */
export function serviceFamilies(snapshot: Snapshot, node: number): AddressFamily[] {
  return (['ipv4', 'ipv6'] as const).filter((family) => serviceSidOf(snapshot, node, family) >= 0);
}

function candidates(snapshot: Snapshot, node: number, behavior: EndpointBehavior): number[] {
  return snapshot
    .sidsOf(node)
    .filter((sid) => snapshot.sidBehaviorOf(sid) === behavior && !snapshot.isAmbiguousSid(snapshot.sidTextOf(sid)));
}

/** Of algorithm 0 before others, of one owner before anycast, routed before unrouted. */
function inOrder(snapshot: Snapshot, sids: readonly number[]): RoutedSid[] {
  const routed = sids.map((sid) => ({ sid, route: routeOf(snapshot, sid) }));
  return routed.sort((a, b) => rankOf(a.route) - rankOf(b.route));
}

function rankOf(route: SidRoute): number {
  if (route.kind === 'igp') return 2 * route.algorithm + (route.anycast === null ? 0 : 1);
  return route.kind === 'attachment' ? 0 : Number.MAX_SAFE_INTEGER;
}

/** A known one before a planned one; -1 where there is none. */
function preferred(snapshot: Snapshot, sids: readonly number[]): number {
  const known = knownBeforePlanned(snapshot, sids);
  return known.length <= 1 ? (known[0] ?? -1) : (inOrder(snapshot, known)[0] as RoutedSid).sid;
}

/** Without the planned SIDs where others are known; in the order of the list. */
export function knownBeforePlanned(snapshot: Snapshot, sids: readonly number[]): number[] {
  const known = sids.filter((sid) => snapshot.data.sidOrigin[sid] !== PLANNED);
  return known.length > 0 ? known : [...sids];
}
