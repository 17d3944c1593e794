import type { AddressFamily } from '../../model/address.js';
import type { SidRoute } from '../../segments/sid-route.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { engineState } from '../engine-state.js';
import { deliveryArcsOf, endingOf } from '../prepare-request.js';

/** How lists to a destination end, whatever their source. */
export interface Ending {
  readonly node: number;
  readonly families: readonly (AddressFamily | null)[];
  readonly finalSids: readonly number[];
  /** How packets for every final SID find the destination; null where that is not the same for all of them. */
  readonly route: SidRoute | null;
  readonly deliveryArcs: readonly number[];
}

/** Of the snapshots in use, by families asked for; they hold nothing that the snapshot does not determine. */
const known = new WeakMap<Snapshot, Map<string, Map<number, Ending | null>>>();

/** null: no list can end at the node. */
export function meshEndingOf(
  snapshot: Snapshot,
  node: number,
  families: readonly AddressFamily[] | undefined,
): Ending | null {
  const byFamilies = known.get(snapshot) ?? new Map<string, Map<number, Ending | null>>();
  known.set(snapshot, byFamilies);
  const key = families?.join() ?? 'own';
  const byNode = byFamilies.get(key) ?? new Map<number, Ending | null>();
  byFamilies.set(key, byNode);
  const found = byNode.get(node);
  if (found !== undefined) return found;
  const made = makeEnding(snapshot, node, families);
  byNode.set(node, made);
  return made;
}

function makeEnding(snapshot: Snapshot, node: number, families: readonly AddressFamily[] | undefined): Ending | null {
  const state = engineState(snapshot);
  const destination = snapshot.nodeIdOf(node);
  const ending = endingOf(snapshot, families === undefined ? { destination } : { destination, families }, node);
  if ('status' in ending) return null;
  const [first, ...others] = ending.finalSids.map((sid) => state.sids.routeOf(sid));
  const isSame = first !== undefined && others.every((route) => areAlike(route, first));
  return {
    node,
    ...ending,
    route: isSame ? first : null,
    deliveryArcs: snapshot.isHost(node) ? deliveryArcsOf(snapshot, state, node, ending.finalSids) : [],
  };
}

function areAlike(a: SidRoute, b: SidRoute): boolean {
  if (a.kind === 'attachment' && b.kind === 'attachment') return a.others.length + b.others.length === 0;
  if (a.kind === 'igp' && b.kind === 'igp') return a.algorithm === b.algorithm && a.anycast === b.anycast;
  return a.kind === b.kind;
}
