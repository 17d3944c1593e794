import { MINIMUM_INNER_MTU_BYTES } from '../model/encapsulation.js';
import { BEHAVIORS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { destinationsOf, type Destination } from './destination.js';
import { forwardingOf } from './forwarding.js';
import { measureWalk, type Measurement } from './measure.js';
import { followStates, type Walked, type WalkFailure, type WalkState } from './walk.js';

/** What a point of local repair does with a packet that it would have sent over what failed. */
export interface WalkedRepair {
  readonly arc: number;
  /** What it pushes around the packet, one destination address after the other. */
  readonly entries: readonly Destination[];
  readonly headerBytes: number;
}

/** A packet at a router whose next link failed. `isAdjacency`: the router is processing the End.X SID of that link. */
export interface FailedMove {
  readonly node: number;
  readonly arc: number;
  readonly active: Destination;
  readonly isAdjacency: boolean;
}

export interface FailureWalk {
  readonly failure: WalkFailure | null;
  /** In walking order. */
  readonly states: readonly WalkState[];
  readonly measured: Measurement;
  /** Room for the inner packet on the tightest link; NaN where an MTU is unknown. */
  readonly roomBytes: number;
}

interface State extends Walked<State> {
  readonly inner: Destination | undefined;
  readonly repair: { readonly of: WalkedRepair; readonly at: Destination } | null;
}

/**
 * Follows a list, proved before, while links are down and nobody has converged: all routers forward as before the failure,
 * but those next to what failed, which repair as `repairOf` says (null: they drop). Shares nothing with the search for repairs.
 */
export function walkThroughFailure(
  snapshot: Snapshot,
  headend: number,
  endpoint: number,
  entries: readonly string[],
  headerBytes: number,
  failedArcs: ReadonlySet<number>,
  repairOf: (move: FailedMove) => WalkedRepair | null,
): FailureWalk {
  const { arcTo, sidArc, sidBehavior, mtuBytes } = snapshot.data;
  const destinations = destinationsOf(snapshot);
  const forwarding = forwardingOf(snapshot);
  const list = entries.map((entry, i) => destinations.ofEntry(entry, i));
  const states = new Map<string, State>();
  const keys = new Map<WalkedRepair, number>();
  const keyOf = (destination: Destination | undefined) =>
    destination === undefined ? 'end' : `${destination.entry}.${destination.position}`;
  const stateAt = (node: number, inner: Destination | undefined, repair: State['repair']): State => {
    if (repair !== null && !keys.has(repair.of)) keys.set(repair.of, keys.size);
    const outer = repair === null ? '' : `${String(keys.get(repair.of))}:${keyOf(repair.at)}`;
    const key = `${node} ${keyOf(inner)} ${outer}`;
    const known = states.get(key);
    if (known !== undefined) return known;
    const segment = inner?.entry ?? list.length;
    const state: State = { segment, node, inner, repair, moves: [], next: 0, mark: 'new' };
    states.set(key, state);
    return state;
  };

  const repaired = (failed: FailedMove, inner: Destination | undefined): State['moves'][number] | WalkFailure => {
    const repair = repairOf(failed);
    const { node, arc, active } = failed;
    if (repair === null) {
      const message = `${snapshot.nodeIdOf(node)} has no repair for ${active.text} over ${snapshot.linkIdOf(arc)}`;
      return { kind: 'link-down', message, segment: active.entry, node, arc };
    }
    const [first] = repair.entries;
    const outer = first === undefined ? null : { of: repair, at: first };
    return { arc: repair.arc, to: stateAt(arcTo[repair.arc] as number, inner, outer) };
  };

  const expand = (state: State): WalkFailure | null => {
    const { node, inner, repair, segment } = state;
    const fail = (kind: WalkFailure['kind'], message: string, arc: number | null = null): WalkFailure => ({
      kind,
      message,
      segment: Math.min(segment, list.length - 1),
      node,
      arc,
    });
    const active = repair?.at ?? inner;
    if (active === undefined) {
      return node === endpoint ? null : fail('not-delivered', `the list ends at ${snapshot.nodeIdOf(node)}`);
    }
    const decision = forwarding.decide(node, active);
    if (decision.kind === 'drop') return fail(decision.reason, decision.message);
    const after = (next: Destination | undefined) =>
      repair === null
        ? { inner: next, repair: null }
        : { inner, repair: next === undefined ? null : { of: repair.of, at: next } };
    if (decision.kind === 'process') {
      const { match } = decision;
      const behavior = BEHAVIORS[sidBehavior[match.sid] as number];
      const behind = repair === null ? list : repair.of.entries;
      const next = destinations.hasArgument(active, match)
        ? destinations.next(active, match)
        : behind[active.entry + 1];
      const then = after(next);
      if (behavior !== 'End.X') {
        state.moves = [{ arc: null, to: stateAt(node, then.inner, then.repair) }];
        return null;
      }
      const arc = sidArc[match.sid] as number;
      if (!failedArcs.has(arc)) {
        state.moves = [{ arc, to: stateAt(arcTo[arc] as number, then.inner, then.repair) }];
        return null;
      }
      if (repair !== null) return fail('link-down', 'a repair crosses what failed', arc);
      const move = repaired({ node, arc, active, isAdjacency: true }, next);
      if ('kind' in move) return move;
      state.moves = [move];
      return null;
    }
    const moves: State['moves'] = [];
    for (const arc of decision.arcs) {
      if (!failedArcs.has(arc)) {
        moves.push({ arc, to: stateAt(arcTo[arc] as number, inner, repair) });
        continue;
      }
      if (repair !== null) return fail('link-down', 'a repair crosses what failed', arc);
      const move = repaired({ node, arc, active, isAdjacency: false }, inner);
      if ('kind' in move) return move;
      moves.push(move);
    }
    state.moves = moves;
    return null;
  };

  let first = stateAt(headend, list[0], null);
  if (snapshot.isHost(headend)) {
    const arcs = forwarding.headendArcs(headend);
    const dead = arcs.find((arc) => failedArcs.has(arc));
    if (dead !== undefined && list[0] !== undefined)
      repairOf({ node: headend, arc: dead, active: list[0], isAdjacency: false });
    const moves = arcs.map((arc) => ({ arc, to: stateAt(arcTo[arc] as number, list[0], null) }));
    first = { ...first, moves: dead === undefined ? moves : [], mark: 'open' };
    if (dead !== undefined) {
      const message = `${snapshot.nodeIdOf(headend)} is a host and repairs nothing`;
      const failure: WalkFailure = { kind: 'link-down', message, segment: null, node: headend, arc: dead };
      return { failure, states: [first], measured: measureWalk(snapshot, [first]), roomBytes: Number.NaN };
    }
  }
  const { states: walked, failure } = followStates(snapshot, first, expand);
  const inOrder = failure?.kind === 'loop' ? [] : walked;
  let roomBytes = Infinity;
  for (const { moves } of inOrder) {
    for (const { arc, to } of moves) {
      const added = to.repair === null ? 0 : to.repair.of.headerBytes;
      if (arc !== null) roomBytes = Math.min(roomBytes, (mtuBytes[arc] as number) - headerBytes - added);
    }
  }
  return { failure, states: inOrder, measured: measureWalk(snapshot, inOrder), roomBytes };
}

export function leavesTooLittle(roomBytes: number): boolean {
  return roomBytes < MINIMUM_INNER_MTU_BYTES;
}
