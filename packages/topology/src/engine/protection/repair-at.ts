import { headerBytes, srhEntries } from '../../model/encapsulation.js';
import type { Repair, UnrepairedReason } from '../../model/path-protection.js';
import { destinationsOf } from '../../proof/destination.js';
import type { FailedMove, WalkedRepair } from '../../proof/failure-walk.js';
import { packEntries } from '../../segments/containers.js';
import { entryLimitsOf } from '../../segments/entry-limits.js';
import { segmentOf } from '../../segments/resolve-segments.js';
import { encapModeOf } from '../../segments/segment-list.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { EngineState } from '../engine-state.js';
import { metricsOf } from '../finish-path.js';
import { headendMsd } from '../prepare-request.js';
import type { WorkBudget } from '../work-budget.js';
import type { Failure } from './failed-element.js';
import { RepairSearch, type FoundRepair, type RepairTarget } from './repair-search.js';

export interface RepairTask {
  readonly snapshot: Snapshot;
  readonly state: EngineState;
  readonly failure: Failure;
  readonly budget: WorkBudget;
}

/** A repair as it is told, and as packets are walked through it; null: they are dropped. */
export interface PredictedRepair {
  readonly told: Repair;
  readonly walked: WalkedRepair | null;
}

/** What a point of local repair is expected to do with packets whose next link failed. */
export function repairAt(task: RepairTask, move: FailedMove): PredictedRepair {
  const { snapshot, state, failure, budget } = task;
  const { node, arc, active, isAdjacency } = move;
  const sid = active.matches[0]?.sid ?? -1;
  const where = snapshot.nodeIdOf(node);
  const ends = isAdjacency
    ? [{ node: snapshot.data.arcTo[arc] as number, algorithm: 0, anycast: null, isEnd: true }]
    : targetsOf(task, sid);
  const told = (segmentEnd: number, outcome: Repair['outcome']): Repair => ({
    pointOfLocalRepair: where,
    link: snapshot.linkIdOf(arc),
    activeSegment: active.text,
    segmentEnd: segmentEnd < 0 ? null : snapshot.nodeIdOf(segmentEnd),
    outcome,
  });
  const none = (segmentEnd: number, reason: UnrepairedReason, message: string): PredictedRepair => ({
    told: told(segmentEnd, { kind: 'unrepaired', reason, message }),
    walked: null,
  });
  const soleEnd = ends.length === 1 ? (ends[0] as RepairTarget).node : -1;
  if (snapshot.isHost(node)) return none(soleEnd, 'host', `${where} is a host, which repairs nothing`);
  if (isAdjacency && snapshot.data.sidProtected[sid] === 0) {
    const message = `${active.text} is advertised without a local repair`;
    return none(soleEnd, 'adjacency-unprotected', message);
  }
  const left = ends.filter((end) => end.node !== failure.node);
  if (left.length === 0) {
    return none(failure.node, 'segment-endpoint', `the segment ${active.text} ends at the failed node`);
  }
  const route = state.sids.routeOf(sid);
  if (!isAdjacency && route.kind !== 'igp') return overHostLinks(task, move, told, none);

  let best: { readonly target: RepairTarget; readonly search: RepairSearch; readonly distance: number } | null = null;
  for (const target of left) {
    if (budget.isSpent) return none(soleEnd, 'not-predicted', 'the work budget ended before this repair was predicted');
    const search = new RepairSearch(snapshot, state, failure, target, budget);
    const distance = search.distanceAfter(node) + (target.anycast?.metric ?? 0);
    if (distance < (best?.distance ?? Infinity)) best = { target, search, distance };
  }
  if (best === null) {
    return none(
      soleEnd,
      'no-post-convergence-path',
      `no path leads from ${where} to the end of ${active.text} any more`,
    );
  }
  const { target, search } = best;
  const found = search.find(node);
  if (found === null) {
    const reason = budget.isSpent ? 'not-predicted' : 'no-repair-list';
    const message = budget.isSpent
      ? 'the work budget ended before this repair was predicted'
      : `no SIDs keep packets from ${where} on a path to ${snapshot.nodeIdOf(target.node)} that avoids the failure`;
    return none(target.node, reason, message);
  }
  const pushed = pushedBy(snapshot, state, node, found);
  if (pushed.srhEntries > headendMsd(snapshot, node)) {
    const message = `${where} would push ${pushed.srhEntries} SRH entries; it can push ${headendMsd(snapshot, node)}`;
    return none(target.node, 'msd-exceeded', message);
  }
  return {
    told: told(target.node, {
      kind: 'repaired',
      ...spacesOf(snapshot, search, node, found.arcs),
      links: found.arcs.map((one) => snapshot.linkIdOf(one)),
      metrics: metricsOf(snapshot, found.arcs),
      repairList: found.sids.map((one) => segmentOf(snapshot, one)),
      srhEntries: pushed.srhEntries,
      headerBytes: pushed.headerBytes,
      decapsulates: pushed.decapsulates,
    }),
    walked: {
      arc: found.arcs[0] as number,
      entries: pushed.addresses.map((address, i) => destinationsOf(snapshot).ofEntry(address, i)),
      headerBytes: pushed.headerBytes,
    },
  };
}

/** Where a SID that is routed leads: to its owner, or to the nearest of those that share it. */
function targetsOf({ snapshot, state }: RepairTask, sid: number): RepairTarget[] {
  return snapshot.sidsWith(snapshot.sidTextOf(sid)).map((one) => {
    const route = state.sids.routeOf(one);
    const node = snapshot.data.sidNode[one] as number;
    return route.kind === 'igp'
      ? { node, algorithm: route.algorithm, anycast: route.anycast, isEnd: false }
      : { node, algorithm: 0, anycast: null, isEnd: false };
  });
}

/** The attachment router of a host that only the routers next to it have a route to: over another link, or not at all. */
function overHostLinks(
  { snapshot, failure }: RepairTask,
  { node, active }: FailedMove,
  told: (end: number, outcome: Repair['outcome']) => Repair,
  none: (end: number, reason: UnrepairedReason, message: string) => PredictedRepair,
): PredictedRepair {
  const { arcTo, sidNode, igpMetric } = snapshot.data;
  const owners = new Set(active.matches.map(({ sid }) => sidNode[sid] as number));
  const links = snapshot
    .linksOf(node)
    .filter((arc) => owners.has(arcTo[arc] as number) && snapshot.isUsable(arc) && !failure.arcs.has(arc));
  const [first] = links.sort((a, b) => (igpMetric[a] as number) - (igpMetric[b] as number) || a - b);
  if (first === undefined) {
    const message = `only the routers next to the owner of ${active.text} have a route to it, and no link is left at ${snapshot.nodeIdOf(node)}`;
    return none([...owners][0] ?? -1, 'no-post-convergence-path', message);
  }
  const host = arcTo[first] as number;
  const id = snapshot.nodeIdOf(host);
  return {
    told: told(host, {
      kind: 'repaired',
      links: [snapshot.linkIdOf(first)],
      metrics: metricsOf(snapshot, [first]),
      // What failed was one of its shortest ways there.
      pSpace: [],
      extendedPSpace: [id],
      qSpace: [id],
      repairList: [],
      srhEntries: 0,
      headerBytes: 0,
      decapsulates: true,
    }),
    walked: { arc: first, entries: [], headerBytes: 0 },
  };
}

interface Pushed {
  readonly addresses: readonly string[];
  readonly srhEntries: number;
  readonly headerBytes: number;
  readonly decapsulates: boolean;
}

/** The repair list as the router encapsulates with it (H.Encaps, RFC 8986 section 5); nothing when there are no SIDs. */
function pushedBy(snapshot: Snapshot, state: EngineState, router: number, { sids }: FoundRepair): Pushed {
  const last = sids.at(-1);
  if (last === undefined) return { addresses: [], srhEntries: 0, headerBytes: 0, decapsulates: true };
  const mode = encapModeOf(snapshot, router);
  const entries = packEntries(snapshot, state.cSids, sids, mode);
  return {
    addresses: entries.map(({ address }) => address),
    srhEntries: srhEntries(mode, entries.length),
    headerBytes: headerBytes(mode, entries.length),
    decapsulates: entryLimitsOf(snapshot).has(last, 'USD'),
  };
}

function spacesOf(snapshot: Snapshot, search: RepairSearch, router: number, arcs: readonly number[]) {
  const path = arcs.map((arc) => snapshot.data.arcTo[arc] as number);
  const those = (isIn: (node: number) => boolean) => path.filter(isIn).map((node) => snapshot.nodeIdOf(node));
  return {
    pSpace: those((node) => search.reaches(router, node)),
    extendedPSpace: those((node) => search.reachesByNeighbour(router, node)),
    qSpace: those((node) => search.reachesTarget(node)),
  };
}
