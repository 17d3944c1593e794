import type { AddressFamily } from '../model/address.js';
import { DEFAULT_MSD } from '../model/encapsulation.js';
import type { NoPath } from '../model/path-answer.js';
import type { IncludeEntry, PathRequest } from '../model/path-request.js';
import type { EncapMode } from '../model/ted.js';
import { hostLinks } from '../segments/host-links.js';
import { finalEndSid, serviceFamilies, serviceSidOf } from '../segments/owned-sids.js';
import { encapModeOf } from '../segments/segment-list.js';
import { leadsOnlyTo } from '../segments/sid-route.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { Eligibility } from './eligibility.js';
import { engineState, type EngineState } from './engine-state.js';
import { compileBound, weightOf } from './metric-values.js';
import type { IncludeStep, SearchProblem } from './search-problem.js';

/** A request with its ids resolved and its restrictions compiled. */
export interface PreparedRequest {
  readonly snapshot: Snapshot;
  readonly request: PathRequest;
  readonly state: EngineState;
  readonly eligibility: Eligibility;
  readonly problem: SearchProblem;
  /** What each list ends in; `null` stands for a transport list, which ends in the destination's End SID. */
  readonly families: readonly (AddressFamily | null)[];
  readonly finalSids: readonly number[];
  readonly headendArcs: readonly number[];
  readonly deliveryArcs: readonly number[];
  readonly unreservedBps: Float64Array;
  /** No list may have more than one branch: what it carries is booked as it is. */
  readonly isOnePath: boolean;
  readonly encapMode: EncapMode;
  /** SRH entries the headend can push. */
  readonly msd: number;
  /** Nobody will read why there is no path. */
  readonly isProbe: boolean;
}

export function prepareRequest(
  snapshot: Snapshot,
  request: PathRequest,
  unreservedBps: Float64Array,
  isProbe = false,
): PreparedRequest | NoPath {
  const source = snapshot.nodeIndexOf(request.source);
  const destination = snapshot.nodeIndexOf(request.destination);
  if (source < 0) return refusal(snapshot, 'source-unknown', `node ${request.source} is not in the topology`);
  if (destination < 0) {
    return refusal(snapshot, 'destination-unknown', `node ${request.destination} is not in the topology`);
  }
  if (source === destination) {
    return refusal(snapshot, 'path-not-found', `${request.source} is both source and destination`);
  }
  const state = engineState(snapshot);
  const ending = endingOf(snapshot, request, destination);
  if ('status' in ending) return ending;
  const headendArcs = snapshot.isHost(source) ? headendArcsOf(snapshot, source, destination) : [];
  const deliveryArcs = snapshot.isHost(destination)
    ? deliveryArcsOf(snapshot, state, destination, ending.finalSids)
    : [];
  const { constraints, metric } = request;
  const eligibility = new Eligibility({
    snapshot,
    source,
    destination,
    metric,
    constraints,
    unreservedBps,
    headendArcs,
    deliveryArcs,
  });
  return {
    snapshot,
    request,
    state,
    eligibility,
    problem: {
      snapshot,
      weight: weightOf(snapshot, metric),
      tie: state.tie,
      mask: eligibility.mask(),
      source,
      destination,
      include: (constraints.include ?? []).map((entry) => compileEntry(snapshot, entry)),
      bounds: (constraints.bounds ?? []).map((bound) => compileBound(snapshot, bound)),
    },
    ...ending,
    headendArcs,
    deliveryArcs,
    unreservedBps,
    isOnePath: constraints.bandwidthBps !== undefined,
    encapMode: encapModeOf(snapshot, source),
    msd: Math.min(headendMsd(snapshot, source), request.maxSegments ?? Infinity),
    isProbe,
  };
}

/** SRH entries that a node can push. */
export function headendMsd(snapshot: Snapshot, node: number): number {
  const known = snapshot.data.nodeMsd[node] as number;
  return known < 0 ? DEFAULT_MSD : known;
}

function compileEntry(snapshot: Snapshot, entry: IncludeEntry): IncludeStep {
  const isStrict = entry.hop === 'strict';
  return 'node' in entry
    ? { node: snapshot.nodeIndexOf(entry.node), arc: -1, isStrict }
    : { node: -1, arc: snapshot.arcOf(entry.link), isStrict };
}

export function refusal(
  snapshot: Snapshot,
  reason: NoPath['reason'],
  message: string,
  details: Partial<Pick<NoPath, 'constraint' | 'nearestFeasible' | 'blockingLinks' | 'blockingNodes'>> = {},
): NoPath {
  return {
    status: 'no-path',
    revision: snapshot.revision,
    reason,
    message,
    constraint: null,
    nearestFeasible: null,
    blockingLinks: [],
    blockingNodes: [],
    isProved: true,
    conflict: { constraints: [], isMinimal: false },
    ...details,
  };
}

/** What lists to a destination end in. */
export function endingOf(
  snapshot: Snapshot,
  request: Pick<PathRequest, 'destination' | 'families'>,
  destination: number,
): { readonly families: readonly (AddressFamily | null)[]; readonly finalSids: readonly number[] } | NoPath {
  const families = request.families ?? serviceFamilies(snapshot, destination);
  const unresolved = (message: string) =>
    refusal(snapshot, 'sid-unresolved', message, { blockingNodes: [request.destination] });
  if (families.length === 0) {
    const end = snapshot.isHost(destination) ? undefined : finalEndSid(snapshot, destination);
    if (end !== undefined) return { families: [null], finalSids: [end] };
    return unresolved(`${request.destination} has no SID that a list could end in`);
  }
  const finalSids = families.map((family) => serviceSidOf(snapshot, destination, family));
  const missing = families[finalSids.indexOf(-1)];
  if (missing !== undefined) return unresolved(`${request.destination} has no service SID for ${missing}`);
  return { families, finalSids };
}

/** A host sends over its usable links of least IGP metric, whatever the first SID is. */
export function headendArcsOf(snapshot: Snapshot, host: number, destination: number): number[] {
  const { arcTo, igpMetric } = snapshot.data;
  const usable = snapshot
    .linksOf(host)
    .filter((arc) => snapshot.isUsable(arc) && !snapshot.isHost(arcTo[arc] as number));
  const least = Math.min(...usable.map((arc) => igpMetric[arc] as number));
  return destination === host ? [] : usable.filter((arc) => igpMetric[arc] === least);
}

/** The links into a host that some SID makes its attachment routers use, for every family. */
export function deliveryArcsOf(
  snapshot: Snapshot,
  state: EngineState,
  host: number,
  finalSids: readonly number[],
): number[] {
  const { arcFrom } = snapshot.data;
  return snapshot.linksInto(host).filter((arc) => {
    const router = arcFrom[arc] as number;
    if (!snapshot.isUsable(arc) || snapshot.isHost(router)) return false;
    if (state.sids.adjacencySidsAtOwner(arc).length > 0) return true;
    return finalSids.every((sid) => {
      const route = state.sids.routeOf(sid);
      if (route.kind === 'attachment') return hostLinks(snapshot, router, host, route.others).includes(arc);
      if (route.kind === 'unrouted') return false;
      const reach = state.reaches.of(route.algorithm);
      reach.startAt(router, host);
      const isShortest = reach.carries(arc) && reach.distanceTo(host) === reach.metric[arc];
      return isShortest && (route.anycast === null || leadsOnlyTo(snapshot, reach, host, route.anycast));
    });
  });
}
