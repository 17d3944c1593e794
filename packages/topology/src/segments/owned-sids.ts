import type { AddressFamily } from '../model/address.js';
import type { EndpointBehavior } from '../model/ted.js';
import { LocatorFlag, ORIGINS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

const PLANNED = ORIGINS.indexOf('planned');

/** How packets for a SID find its owner: everywhere in the IGP, or only from the routers next to it. */
export type Reach = 'igp' | 'attachment' | 'unrouted';

/** Which routers have a route to a SID, by its longest covering locators. Anycast and flexible algorithms: unrouted. */
export function reachOf(snapshot: Snapshot, sid: number): Reach {
  const { sidNode, locatorNode, locatorFlags, locatorAlgorithm } = snapshot.data;
  const owner = sidNode[sid] as number;
  const local: Reach = snapshot.isHost(owner) ? 'attachment' : 'unrouted';
  const covering = snapshot.locators.covering(snapshot.sidTextOf(sid));
  const [longest] = covering;
  if (longest === undefined) return local;
  const [locator] = longest;
  const flags = locator === undefined ? 0 : (locatorFlags[locator] as number);
  const isPlain =
    longest.length === 1 &&
    locator !== undefined &&
    locatorNode[locator] === owner &&
    (flags & LocatorFlag.Anycast) === 0 &&
    locatorAlgorithm[locator] === 0;
  if (isPlain) return (flags & LocatorFlag.IgpScope) !== 0 ? 'igp' : local;
  // A host's SID under somebody else's prefix: the attachment routers still have the more specific route.
  return covering.flat().some((other) => locatorNode[other] === owner) ? 'unrouted' : local;
}

/** The SIDs to name a router by, the preferred first; empty when it has none that the whole IGP routes. */
export function endSidsOf(snapshot: Snapshot, node: number): number[] {
  return knownBeforePlanned(
    snapshot,
    candidates(snapshot, node, 'End').filter((sid) => reachOf(snapshot, sid) === 'igp'),
  );
}

/** The SIDs that cross an arc, the preferred first; empty when its owner has none. */
export function adjacencySidsOf(snapshot: Snapshot, arc: number): number[] {
  const { arcFrom, sidArc } = snapshot.data;
  const own = candidates(snapshot, arcFrom[arc] as number, 'End.X').filter((sid) => sidArc[sid] === arc);
  return knownBeforePlanned(snapshot, own);
}

/** The service SID a node decapsulates a family with; -1 when it has none. */
export function serviceSidOf(snapshot: Snapshot, node: number, family: AddressFamily): number {
  const specific = candidates(snapshot, node, family === 'ipv4' ? 'End.DT4' : 'End.DT6');
  const best = knownBeforePlanned(snapshot, specific)[0] ?? -1;
  if (best >= 0 && snapshot.data.sidOrigin[best] !== PLANNED) return best;
  return knownBeforePlanned(snapshot, [...specific, ...candidates(snapshot, node, 'End.DT46')])[0] ?? -1;
}

/** Families a node has service SIDs for. */
export function serviceFamilies(snapshot: Snapshot, node: number): AddressFamily[] {
  return (['ipv4', 'ipv6'] as const).filter((family) => serviceSidOf(snapshot, node, family) >= 0);
}

function candidates(snapshot: Snapshot, node: number, behavior: EndpointBehavior): number[] {
  const { sidAlgorithm } = snapshot.data;
  return snapshot
    .sidsOf(node)
    .filter(
      (sid) =>
        snapshot.sidBehaviorOf(sid) === behavior &&
        sidAlgorithm[sid] === 0 &&
        !snapshot.isAmbiguousSid(snapshot.sidTextOf(sid)),
    );
}

/** Without the planned SIDs where others are known; in the order of the list. */
function knownBeforePlanned(snapshot: Snapshot, sids: readonly number[]): number[] {
  const known = sids.filter((sid) => snapshot.data.sidOrigin[sid] !== PLANNED);
  return known.length > 0 ? known : [...sids];
}
