import type { PathConstraints } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { objectionToArc, objectionToNode } from './requirement-check.js';

export const CLOSED = 0;
export const OPEN = 1;
/** For the headend and the destination only. */
export const OPEN_AT_ENDS = 2;

/** Where packets may be under some constraints: CLOSED, OPEN or OPEN_AT_ENDS. */
export interface OpenPlaces {
  readonly nodes: Uint8Array;
  readonly arcs: Uint8Array;
  /** Some node limits what it processes as an endpoint. */
  readonly hasEndpointLimits: boolean;
}

/** Of the snapshots in use and the constraints that were asked about last, which nobody changes. */
const known = new WeakMap<Snapshot, WeakMap<PathConstraints, OpenPlaces>>();

export function openPlacesOf(snapshot: Snapshot, constraints: PathConstraints): OpenPlaces {
  const byConstraints = known.get(snapshot) ?? new WeakMap<PathConstraints, OpenPlaces>();
  known.set(snapshot, byConstraints);
  const found = byConstraints.get(constraints);
  if (found !== undefined) return found;
  const { nodeCount, arcCount, data } = snapshot;
  const rules = { constraints };
  const nodes = new Uint8Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    if (objectionToNode(snapshot, node, false, rules) === null) nodes[node] = OPEN;
    else if (objectionToNode(snapshot, node, true, rules) === null) nodes[node] = OPEN_AT_ENDS;
  }
  const arcs = new Uint8Array(arcCount);
  for (let arc = 0; arc < arcCount; arc++) if (objectionToArc(snapshot, arc, rules) === null) arcs[arc] = OPEN;
  const limits = [data.nodeMsdSegmentsLeft, data.nodeMsdEndPop, data.nodeMsdEndD];
  const places = { nodes, arcs, hasEndpointLimits: limits.some((all) => all.some((limit) => limit >= 0)) };
  byConstraints.set(constraints, places);
  return places;
}
