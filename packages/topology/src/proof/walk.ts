import { BEHAVIORS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { ViolationKind } from '../model/proof.js';
import { destinationsOf, type Destination } from './destination.js';
import { EndpointLimits } from './endpoint-limits.js';
import type { Forwarding } from './forwarding.js';

/** A packet at a node, `segment` being the entry its destination address comes from. `segment` = list length: delivered. */
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

interface OpenState extends Walked<OpenState> {
  /** undefined: the list is used up. */
  readonly destination: Destination | undefined;
  readonly hasSrh: boolean;
}

/** In one entry: one per bit. */
const MOST_C_SIDS = 128;

/** Follows a packet from the headend through every ECMP branch of every segment to its destination. */
export function walkSegments(
  snapshot: Snapshot,
  forwarding: Forwarding,
  headend: number,
  endpoint: number,
  entries: readonly Destination[],
): Walk {
  const destinations = destinationsOf(snapshot);
  const states = new Map<number, OpenState>();
  const limits = new EndpointLimits(snapshot, headend, entries.length);
  const stateAt = (destination: Destination | undefined, node: number, hasSrh: boolean): OpenState => {
    const segment = destination?.entry ?? entries.length;
    const place = (segment * MOST_C_SIDS + (destination?.position ?? 0)) * snapshot.nodeCount + node;
    const key = 2 * place + (hasSrh ? 1 : 0);
    const known = states.get(key);
    if (known !== undefined) return known;
    const state: OpenState = { segment, destination, node, hasSrh, moves: [], next: 0, mark: 'new' };
    states.set(key, state);
    return state;
  };

  const placeOf = ({ entry, position }: Destination): string =>
    position === 0 ? '' : ` (C-SID ${position + 1} of the container ${entries[entry]?.text ?? ''})`;

  /** Fills the moves of a state, or says why there are none. */
  const expand = (state: OpenState): WalkFailure | null => {
    const { segment, destination, node, hasSrh } = state;
    const where = snapshot.nodeIdOf(node);
    const fail = (kind: ViolationKind, message: string, arc: number | null = null): WalkFailure => ({
      kind,
      message: destination === undefined ? message : message + placeOf(destination),
      segment: Math.min(segment, entries.length - 1),
      node,
      arc,
    });
    if (destination === undefined) {
      if (node === endpoint) return null;
      return fail('not-delivered', `the list ends at ${where}, not at ${snapshot.nodeIdOf(endpoint)}`);
    }
    const { text } = destination;
    const unread = objectionTo(snapshot, destination);
    if (unread !== null) return fail('unknown-sid', unread);
    const decision = forwarding.decide(node, destination);
    if (decision.kind === 'drop') return fail(decision.reason, decision.message);
    if (decision.kind === 'forward') {
      state.moves = decision.arcs.map((arc) => ({
        arc,
        to: stateAt(destination, snapshot.data.arcTo[arc] as number, hasSrh),
      }));
      return null;
    }
    const { match } = decision;
    const behavior = BEHAVIORS[snapshot.data.sidBehavior[match.sid] as number];
    const isLast = segment === entries.length - 1;
    const hasMore = destinations.hasArgument(destination, match);
    if (hasMore && !destinations.takesNextCSid(match)) {
      const own = snapshot.sidTextOf(match.sid);
      return fail('container-misread', `${where} takes ${text} for ${own}, and what follows it in there is lost`);
    }
    const arrival = { node, sid: match.sid, text, segment, hasMore, hasSrh };
    const objection = limits.objection(arrival);
    if (objection !== null) return fail('msd-exceeded', objection);
    const keepsSrh = hasSrh && !limits.removesEarly(arrival);
    const next = hasMore ? destinations.next(destination, match) : entries[segment + 1];
    if (behavior !== 'End' && behavior !== 'End.X') {
      if (!isLast) return fail('not-delivered', `${text} (${String(behavior)}) decapsulates before the list ends`);
      state.moves = [{ arc: null, to: stateAt(next, node, keepsSrh) }];
      return null;
    }
    if (snapshot.isHost(node)) {
      return fail('host-transit', `host ${where} would have to process ${text} as transit`);
    }
    if (behavior === 'End') {
      state.moves = [{ arc: null, to: stateAt(next, node, keepsSrh) }];
      return null;
    }
    if (next === undefined)
      return fail('not-delivered', `the list ends in ${text} (End.X), which leaves no SID to deliver to`);
    const arc = snapshot.data.sidArc[match.sid] as number;
    if (arc < 0) return fail('link-down', `the link of ${text} (End.X) is not in the topology`);
    if (!snapshot.isUsable(arc)) {
      return fail('link-down', `link ${snapshot.linkIdOf(arc)} of ${text} (End.X) is down`, arc);
    }
    state.moves = [{ arc, to: stateAt(next, snapshot.data.arcTo[arc] as number, keepsSrh) }];
    return null;
  };

  let first: OpenState = stateAt(entries[0], headend, limits.hasSrh);
  if (snapshot.isHost(headend)) {
    const arcs = forwarding.headendArcs(headend);
    const moves = arcs.map((arc) => ({
      arc,
      to: stateAt(entries[0], snapshot.data.arcTo[arc] as number, limits.hasSrh),
    }));
    // Not the state of the first entry: a packet that comes back to the headend is transit and has no excuse.
    first = { ...first, moves, mark: 'open' };
    if (arcs.length === 0) {
      const message = `host ${snapshot.nodeIdOf(headend)} has no usable link`;
      return { states: [first], failure: { kind: 'link-down', message, segment: null, node: headend, arc: null } };
    }
  }
  return followStates(snapshot, first, expand);
}

/** A state that is walked from: `next` counts the moves that were followed. */
export interface Walked<State> {
  readonly segment: number;
  readonly node: number;
  moves: { arc: number | null; to: State }[];
  next: number;
  mark: 'new' | 'open' | 'done';
}

/** Follows every move from the first state on. `expand` fills the moves of a new one, or says why there are none. */
export function followStates<State extends Walked<State>>(
  snapshot: Snapshot,
  first: State,
  expand: (state: State) => WalkFailure | null,
): { readonly states: readonly State[]; readonly failure: WalkFailure | null } {
  const finished: State[] = [];
  const failures = new Map<State, WalkFailure>();
  let loop: WalkFailure | null = null;
  const stack: State[] = [];
  const enter = (state: State): void => {
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

/** Why nobody can say which SID an address is; null when it is one. */
export function objectionTo(snapshot: Snapshot, { text, matches }: Destination): string | null {
  const [longest, other] = matches;
  if (longest === undefined) return `nobody owns ${text}`;
  const own = snapshot.sidTextOf(longest.sid);
  const isSameSid = other === undefined || other.length < longest.length || snapshot.sidTextOf(other.sid) === own;
  const isShared = !isSameSid || snapshot.isAmbiguousSid(own);
  return isShared ? `${text} is owned by several nodes` : null;
}
