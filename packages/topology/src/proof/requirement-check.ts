import { headerBytes, MINIMUM_INNER_MTU_BYTES } from '../model/encapsulation.js';
import { metricOf } from '../model/metric-of.js';
import type { PathConstraints } from '../model/path-request.js';
import type { ProofRequirement } from '../model/proof.js';
import { ArcFlag, NodeFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { missedEntry } from './include-check.js';
import type { Measurement } from './measure.js';
import type { WalkFailure, WalkState } from './walk.js';

type Rules = Pick<ProofRequirement, 'constraints' | 'honourAdminState'>;
type Objection = Pick<WalkFailure, 'kind' | 'message'>;

/** The first state or link of a walk that breaks a requirement, walking from the headend. */
export function checkWalk(
  snapshot: Snapshot,
  states: readonly WalkState[],
  requirement: ProofRequirement,
): WalkFailure | null {
  const { headend, destination } = requirement;
  for (const { node, segment, moves } of states) {
    const id = snapshot.nodeIdOf(node);
    const objection = objectionToNode(snapshot, node, id === headend || id === destination, requirement);
    if (objection !== null) return { ...objection, segment, node, arc: null };
    for (const { arc } of moves) {
      if (arc === null) continue;
      const wrong = objectionToArc(snapshot, arc, requirement);
      if (wrong !== null) return { ...wrong, segment, node, arc };
    }
  }
  return null;
}

/** Why packets may not be at a node; null when they may. */
export function objectionToNode(
  snapshot: Snapshot,
  node: number,
  isEndpoint: boolean,
  { constraints, honourAdminState }: Rules,
): Objection | null {
  const exclude = constraints?.exclude;
  const id = snapshot.nodeIdOf(node);
  if (exclude?.nodes?.includes(id) === true) return { kind: 'resource-excluded', message: `node ${id} is excluded` };
  const site = snapshot.siteNames[snapshot.data.nodeSite[node] as number];
  if (!isEndpoint && site !== undefined && exclude?.sites?.includes(site) === true) {
    return { kind: 'resource-excluded', message: `node ${id} is at site ${site}, which is excluded` };
  }
  const state = adminState(snapshot.data.nodeFlags[node] as number, NodeFlag);
  const honour = honourAdminState ?? constraints !== undefined;
  return isForbidden(isEndpoint && state === 'drained' ? 'up' : state, honour)
    ? { kind: 'admin-state', message: `node ${id} is ${state} by the operator` }
    : null;
}

/** Why packets may not cross a link; null when they may. */
export function objectionToArc(snapshot: Snapshot, arc: number, requirement: Rules): Objection | null {
  const { constraints = {}, honourAdminState = requirement.constraints !== undefined } = requirement;
  const link = snapshot.linkIdOf(arc);
  const state = adminState(snapshot.data.arcFlags[arc] as number, ArcFlag);
  if (isForbidden(state, honourAdminState)) {
    return { kind: 'admin-state', message: `link ${link} is ${state} by the operator` };
  }
  if (constraints.exclude?.links?.includes(link) === true) {
    return { kind: 'resource-excluded', message: `link ${link} is excluded` };
  }
  const srlg = srlgsOf(snapshot, arc).find((group) => constraints.exclude?.srlgs?.includes(group));
  if (srlg !== undefined) return { kind: 'srlg-excluded', message: `link ${link} is in SRLG ${srlg}` };
  const wrong = affinityMismatch(affinitiesOf(snapshot, arc), constraints);
  return wrong === null ? null : { kind: 'affinity-excluded', message: `link ${link} ${wrong}` };
}

/** What only the whole walk can tell: include order, bandwidth by load share, bounds on the worst branch, MTU. */
export function checkTotals(
  snapshot: Snapshot,
  states: readonly WalkState[],
  measured: Measurement,
  sidCount: number,
  requirement: ProofRequirement,
  unreservedBps: Float64Array,
): WalkFailure | null {
  const { constraints } = requirement;
  if (constraints === undefined) return null;
  const headend = snapshot.nodeIndexOf(requirement.headend);
  const fail = (kind: WalkFailure['kind'], message: string, arc: number | null = null): WalkFailure => ({
    kind,
    message,
    segment: null,
    node: arc === null ? headend : (snapshot.data.arcFrom[arc] as number),
    arc,
  });
  const include = constraints.include ?? [];
  const missed = missedEntry(snapshot, states, include);
  if (missed !== undefined) {
    const what = 'node' in missed ? `node ${missed.node}` : `link ${missed.link}`;
    const when = missed.hop === 'strict' ? 'directly after the entry before it' : 'in its turn';
    return fail('include-missed', `not every branch passes ${what} ${when}`);
  }
  const mode = ((snapshot.data.nodeFlags[headend] as number) & NodeFlag.ReducedEncap) !== 0 ? 'reduced' : 'full';
  const header = headerBytes(mode, sidCount);
  for (const [arc, share] of [...measured.load].sort(([a], [b]) => a - b)) {
    const link = snapshot.linkIdOf(arc);
    const demand = (constraints.bandwidthBps ?? 0) * share;
    const available = unreservedBps[arc] as number;
    // Shares such as 1/3 are not exact in binary; a billionth is far below one packet.
    if (demand > 0 && !(demand <= available * (1 + 1e-9))) {
      const room = Number.isNaN(available) ? 'its bandwidth is unknown' : `it has ${available} bit/s left`;
      return fail('insufficient-bandwidth', `link ${link} would carry ${Math.ceil(demand)} bit/s; ${room}`, arc);
    }
    const room = (snapshot.data.mtuBytes[arc] as number) - header;
    if (room < MINIMUM_INNER_MTU_BYTES) {
      return fail('mtu-exceeded', `link ${link} leaves ${room} bytes for the inner packet`, arc);
    }
  }
  return checkBounds(measured, constraints, fail);
}

/** The first bound that the worst branch does not keep. */
export function checkBounds(
  measured: Measurement,
  { bounds = [] }: PathConstraints,
  fail: (kind: WalkFailure['kind'], message: string) => WalkFailure,
): WalkFailure | null {
  for (const bound of bounds) {
    const value = metricOf(measured.worst, bound.metric);
    if (value === null) return fail('metric-bound-exceeded', `the ${bound.metric} of a link is unknown`);
    if (bound.metric === 'loss' && measured.worstLossUnits === Infinity) {
      return fail('metric-bound-exceeded', 'a link loses everything');
    }
    if (value > bound.max) {
      return fail('metric-bound-exceeded', `the worst branch has ${bound.metric} ${value}, above ${bound.max}`);
    }
  }
  return null;
}

function adminState(flags: number, flag: { readonly Drained: number; readonly Down: number }) {
  return (flags & flag.Down) !== 0 ? 'down' : (flags & flag.Drained) !== 0 ? 'drained' : 'up';
}

function isForbidden(state: 'up' | 'drained' | 'down', honour: boolean | 'down-only'): boolean {
  return honour !== false && (state === 'down' || (state === 'drained' && honour === true));
}

function srlgsOf(snapshot: Snapshot, arc: number): number[] {
  const { srlgStart, srlgs } = snapshot.data;
  return [...srlgs.subarray(srlgStart[arc], srlgStart[arc + 1])];
}

function affinitiesOf(snapshot: Snapshot, arc: number): Set<string> {
  const { affinityWords, affinities } = snapshot.data;
  const has = (_: string, bit: number) =>
    ((affinities[arc * affinityWords + (bit >>> 5)] as number) & (1 << (bit & 31))) !== 0;
  return new Set(snapshot.affinityNames.filter(has));
}

function affinityMismatch(has: ReadonlySet<string>, constraints: PathConstraints): string | null {
  const { includeAny, includeAll, excludeAny } = constraints.affinities ?? {};
  const lacking = includeAll?.find((name) => !has.has(name));
  if (lacking !== undefined) return `lacks affinity ${lacking}`;
  const unwanted = excludeAny?.find((name) => has.has(name));
  if (unwanted !== undefined) return `has affinity ${unwanted}`;
  if (includeAny !== undefined && includeAny.length > 0 && !includeAny.some((name) => has.has(name))) {
    return `has none of the affinities ${includeAny.join(', ')}`;
  }
  return null;
}
