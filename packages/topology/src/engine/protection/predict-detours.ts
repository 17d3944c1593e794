import type { SegmentList } from '../../model/path-answer.js';
import type { BrokenConstraint, Detour, FailureKind, Repair } from '../../model/path-protection.js';
import type { PathRequest } from '../../model/path-request.js';
import {
  leavesTooLittle,
  walkThroughFailure,
  type FailedMove,
  type FailureWalk,
  type WalkedRepair,
} from '../../proof/failure-walk.js';
import { proveExactly } from '../../proof/prove.js';
import { checkBounds, checkTotals, checkWalk } from '../../proof/requirement-check.js';
import type { WalkFailure } from '../../proof/walk.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { constraintsOf, withoutConstraints } from '../constraint-set.js';
import { engineState } from '../engine-state.js';
import { DEFAULT_WORK_BUDGET, WorkBudget } from '../work-budget.js';
import { linkFailure, nodeFailure, type Failure } from './failed-element.js';
import { repairAt } from './repair-at.js';

/** What the list is held against. */
export interface DetourTask {
  readonly snapshot: Snapshot;
  readonly request: PathRequest;
  readonly unreservedBps: Float64Array;
  readonly budget: WorkBudget;
}

/**
 * The TI-LFA repairs (RFC 9855) that routers are expected to make for packets of a proved list, for every link and node
 * on its branches whose failure is asked about, and what the whole path is worth while they are in use. Lists of other
 * families differ in their last SID only, which the same node owns.
 */
export function predictDetours(task: DetourTask, list: SegmentList, kinds: readonly FailureKind[]): Detour[] {
  const { snapshot, request } = task;
  const { arcFrom, arcTo } = snapshot.data;
  const { source, destination } = request;
  const entries = list.entries.map(({ address }) => address);
  const { load } = proveExactly(snapshot, entries, { headend: source, destination });
  const arcs = load.map(({ linkId }) => snapshot.arcOf(linkId)).sort((a, b) => a - b);
  const ends = [snapshot.nodeIndexOf(source), snapshot.nodeIndexOf(destination)];
  const nodes = [...new Set(arcs.flatMap((arc) => [arcFrom[arc] as number, arcTo[arc] as number]))]
    .filter((node) => !ends.includes(node))
    .sort((a, b) => a - b);
  const crossed = arcs.filter((arc) => {
    const reverse = snapshot.reverseOf(arc);
    return reverse < 0 || reverse > arc || !arcs.includes(reverse);
  });
  const failures = [
    ...(kinds.includes('link') ? crossed.map((arc) => linkFailure(snapshot, arc)) : []),
    ...(kinds.includes('node') ? nodes.map((node) => nodeFailure(snapshot, node)) : []),
  ];
  return failures.map((failure) => detourAround(task, list, failure));
}

function detourAround(task: DetourTask, list: SegmentList, failure: Failure): Detour {
  const { snapshot, request, budget } = task;
  const repairs = new Map<string, { readonly told: Repair; readonly walked: WalkedRepair | null }>();
  const walk = walkThroughFailure(
    snapshot,
    snapshot.nodeIndexOf(request.source),
    snapshot.nodeIndexOf(request.destination),
    list.entries.map(({ address }) => address),
    list.headerBytes,
    failure.arcs,
    (move: FailedMove) => {
      const key = `${move.node} ${move.arc} ${move.active.text} ${String(move.isAdjacency)}`;
      const known = repairs.get(key) ?? repairAt({ snapshot, state: engineState(snapshot), failure, budget }, move);
      repairs.set(key, known);
      return known.walked;
    },
  );
  const told = {
    failure: failure.element,
    repairs: [...repairs.values()].map((repair) => repair.told),
    isProtected: walk.failure === null,
  };
  if (walk.failure !== null) {
    const unrepaired = told.repairs.find(({ outcome }) => outcome.kind === 'unrepaired')?.outcome;
    const message = unrepaired?.kind === 'unrepaired' ? unrepaired.message : walk.failure.message;
    return { ...told, worst: null, pathMtuBytes: null, broken: [], message };
  }
  return {
    ...told,
    worst: walk.measured.worst,
    pathMtuBytes: Number.isFinite(walk.roomBytes) ? walk.roomBytes : null,
    broken: brokenBy(task, list, walk),
    message: null,
  };
}

function blame(kind: WalkFailure['kind'], message: string): WalkFailure {
  return { kind, message, segment: null, node: -1, arc: null };
}

/** Each constraint held against the walk by itself, the include list as a whole, and whether packets fit. */
function brokenBy(
  { snapshot, request, unreservedBps }: DetourTask,
  list: SegmentList,
  walk: FailureWalk,
): BrokenConstraint[] {
  const broken: BrokenConstraint[] = [];
  const all = constraintsOf(request).filter((pointer) => pointer.startsWith('/constraints/'));
  const groupOf = (pointer: string) => (pointer.startsWith('/constraints/include/') ? '/constraints/include' : pointer);
  for (const constraint of new Set(all.map(groupOf))) {
    const others = new Set(constraintsOf(request).filter((pointer) => groupOf(pointer) !== constraint));
    const requirement = {
      headend: request.source,
      destination: request.destination,
      constraints: withoutConstraints(request, others).constraints,
      honourAdminState: false,
    };
    const { states, measured } = walk;
    let failure =
      checkWalk(snapshot, states, requirement) ??
      checkTotals(snapshot, states, measured, list.entries.length, requirement, unreservedBps);
    // What does not fit is told below, and hides no bound.
    if (failure?.kind === 'mtu-exceeded') failure = checkBounds(measured, requirement.constraints, blame);
    if (failure !== null) broken.push({ constraint, message: failure.message });
  }
  if (leavesTooLittle(walk.roomBytes)) {
    broken.push({ constraint: null, message: `a link leaves ${walk.roomBytes} bytes for the inner packet` });
  }
  return broken;
}

/**
 * As predictDetours, with a work budget as large as that of a request. `share`: of several weighted lists, the part of the
 * request's bandwidth that this one carries. `unreservedBps`: per arc, in bit/s; without it the reservable bandwidth.
 */
export function computeDetours(
  snapshot: Snapshot,
  request: PathRequest,
  { list, share }: { readonly list: SegmentList; readonly share: number },
  kinds: readonly FailureKind[],
  unreservedBps: Float64Array = snapshot.data.reservableBps,
): Detour[] {
  const budget = new WorkBudget(DEFAULT_WORK_BUDGET);
  return predictDetours({ snapshot, request: partOf(request, share), unreservedBps, budget }, list, kinds);
}

function partOf(request: PathRequest, share: number): PathRequest {
  const { bandwidthBps } = request.constraints;
  if (bandwidthBps === undefined || share === 1) return request;
  return { ...request, constraints: { ...request.constraints, bandwidthBps: Math.ceil(bandwidthBps * share) } };
}
