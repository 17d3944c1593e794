import { BEHAVIORS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { ViolationKind } from '../model/proof.js';
import type { Forwarding } from './forwarding.js';

/** A packet at a node with the SID at `segment` as its destination address. `segment` = list length: delivered. */
export interface WalkState {
  readonly segment: number;
  readonly node: number;
  /** Even split; `arc` is null when the node processes a SID and keeps the packet. */
  readonly moves: readonly { readonly arc: number | null; readonly to: WalkState }[];
}

export interface WalkFailure {
  readonly kind: ViolationKind;
  readonly message: string;
  readonly segment: number | null;
  readonly node: number;
  readonly arc: number | null;
}

/** Every state that a packet can be in, each before all states it can move to, and the first failure of delivery. */
export interface Walk {
  readonly states: readonly WalkState[];
  readonly failure: WalkFailure | null;
}

interface OpenState extends WalkState {
  moves: { arc: number | null; to: OpenState }[];
  next: number;
  mark: 'new' | 'open' | 'done';
}

/** Follows a packet from the headend through every ECMP branch of every segment to its destination. */
export function walkSegments(
  snapshot: Snapshot,
  forwarding: Forwarding,
  headend: number,
  destination: number,
  sids: readonly number[],
): Walk {
  const states = new Map<number, OpenState>();
  const stateAt = (segment: number, node: number): OpenState => {
    const key = segment * snapshot.nodeCount + node;
    const known = states.get(key);
    if (known !== undefined) return known;
    const state: OpenState = { segment, node, moves: [], next: 0, mark: 'new' };
    states.set(key, state);
    return state;
  };

  /** Fills the moves of a state, or says why there are none. */
  const expand = (state: OpenState): WalkFailure | null => {
    const { segment, node } = state;
    const fail = (kind: ViolationKind, message: string, arc: number | null = null): WalkFailure => ({
      kind,
      message,
      segment: Math.min(segment, sids.length - 1),
      node,
      arc,
    });
    const sid = sids[segment];
    if (sid === undefined) {
      if (node === destination) return null;
      const wanted = snapshot.nodeIdOf(destination);
      return fail('not-delivered', `the list ends at ${snapshot.nodeIdOf(node)}, not at ${wanted}`);
    }
    const decision = forwarding.decide(node, sid);
    if (decision.kind === 'drop') return fail(decision.reason, decision.message);
    if (decision.kind === 'forward') {
      state.moves = decision.arcs.map((arc) => ({
        arc,
        to: stateAt(segment, snapshot.data.arcTo[arc] as number),
      }));
      return null;
    }
    const behavior = BEHAVIORS[snapshot.data.sidBehavior[sid] as number];
    const text = snapshot.sidTextOf(sid);
    const isLast = segment === sids.length - 1;
    if (behavior !== 'End' && behavior !== 'End.X') {
      if (!isLast) return fail('not-delivered', `${text} (${String(behavior)}) decapsulates before the list ends`);
      state.moves = [{ arc: null, to: stateAt(segment + 1, node) }];
      return null;
    }
    if (snapshot.isHost(node)) {
      return fail('host-transit', `host ${snapshot.nodeIdOf(node)} would have to process ${text} as transit`);
    }
    if (behavior === 'End') {
      state.moves = [{ arc: null, to: stateAt(segment + 1, node) }];
      return null;
    }
    if (isLast) return fail('not-delivered', `the list ends in ${text} (End.X), which leaves no SID to deliver to`);
    const arc = snapshot.data.sidArc[sid] as number;
    if (arc < 0) return fail('link-down', `the link of ${text} (End.X) is not in the topology`);
    if (!snapshot.isUsable(arc)) {
      return fail('link-down', `link ${snapshot.linkIdOf(arc)} of ${text} (End.X) is down`, arc);
    }
    state.moves = [{ arc, to: stateAt(segment + 1, snapshot.data.arcTo[arc] as number) }];
    return null;
  };

  let first: OpenState = stateAt(0, headend);
  if (snapshot.isHost(headend)) {
    const arcs = forwarding.headendArcs(headend);
    const moves = arcs.map((arc) => ({ arc, to: stateAt(0, snapshot.data.arcTo[arc] as number) }));
    // Not the state (0, headend): a packet that comes back to the headend is transit and has no excuse.
    first = { segment: 0, node: headend, moves, next: 0, mark: 'open' };
    if (arcs.length === 0) {
      const message = `host ${snapshot.nodeIdOf(headend)} has no usable link`;
      return { states: [first], failure: { kind: 'link-down', message, segment: null, node: headend, arc: null } };
    }
  }
  const finished: OpenState[] = [];
  const failures = new Map<OpenState, WalkFailure>();
  let loop: WalkFailure | null = null;
  const stack: OpenState[] = [];
  const enter = (state: OpenState): void => {
    if (state.mark === 'new') {
      const failure = expand(state);
      if (failure !== null) failures.set(state, failure);
    }
    state.mark = 'open';
    stack.push(state);
  };
  enter(first);
  for (let state = stack.at(-1); state !== undefined; state = stack.at(-1)) {
    const move = state.moves[state.next++];
    if (move === undefined) {
      state.mark = 'done';
      finished.push(state);
      stack.pop();
    } else if (move.to.mark === 'new') {
      enter(move.to);
    } else if (move.to.mark === 'open') {
      const where = snapshot.nodeIdOf(move.to.node);
      const message = `packets for segment ${String(state.segment)} can come back to ${where}`;
      loop ??= { kind: 'loop', message, segment: state.segment, node: move.to.node, arc: move.arc };
    }
  }
  finished.reverse();
  const firstFailed = finished.find((state) => failures.has(state));
  return { states: finished, failure: loop ?? (firstFailed && failures.get(firstFailed)) ?? null };
}
