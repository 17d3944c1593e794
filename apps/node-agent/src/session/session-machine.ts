import type { Delta, Digest } from '@waymark/agent-protocol';
import type { HeldState, Snapshot } from './held-state.js';
import { judgeDelta, judgeDigest, judgeSnapshot, nothingHeld } from './verdict.js';

/*
 * How an agent comes to hold what the controller wants, whatever is lost, doubled, reordered or forged on the way.
 * A pure machine: step(state, input) gives the next state and what to do about it. Timers, files and streams belong to
 * AgentSession, so a recorded list of inputs replays to the same states.
 *
 *            bus confirmed, gap, hint, hash mismatch, digest differs
 *   ┌──────┐ ──────────────────────────────────────────────► ┌────────┐  link up   ┌──────────┐
 *   │ idle │                                                 │ wanted │ ─────────► │ fetching │
 *   └──────┘ ◄── stored / unchanged ─────────────┐           └────────┘            └──────────┘
 *    deltas are applied here                     │               ▲ retry  ┌─────────┐  │  │ deltas wait in the inbox
 *                                                └───────────────┼────────│ waiting │◄─┘  │
 *                                                                └────────└─────────┘     ▼ snapshot: apply, then inbox
 *
 * A state is handed to the reconciler only after it has been stored durably (`store` → `stored` → `set-desired`).
 */

export type SessionInput =
  /** First of all: what the state file holds. */
  | { readonly kind: 'loaded'; readonly held: HeldState | null }
  | { readonly kind: 'welcome'; readonly instance: string; readonly digest: Digest }
  | { readonly kind: 'link-lost' }
  /** The subscription is confirmed: from now on nothing is lost unnoticed. Or its connection is gone. */
  | { readonly kind: 'bus'; readonly confirmed: boolean }
  /** A delta whose signature is the controller's. */
  | { readonly kind: 'delta'; readonly delta: Delta }
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'snapshot'; readonly attempt: number; readonly snapshot: Snapshot }
  | { readonly kind: 'snapshot-failed'; readonly attempt: number }
  | { readonly kind: 'retry' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'store-failed' };

export type SessionEffect =
  | { readonly kind: 'fetch-snapshot'; readonly attempt: number; readonly held: HeldState }
  /** Come back with `retry` after a pause that grows with the number of failures in a row. */
  | { readonly kind: 'retry-later'; readonly failures: number }
  | { readonly kind: 'store'; readonly held: HeldState }
  | { readonly kind: 'set-desired'; readonly held: HeldState; readonly changed: ReadonlySet<string> | 'all' }
  /** For the log: something was refused that should not have been sent. */
  | { readonly kind: 'refused'; readonly what: 'delta' | 'snapshot'; readonly why: string };

interface Accepted {
  readonly held: HeldState;
  readonly changed: ReadonlySet<string> | 'all';
}

export interface SessionState {
  readonly nodeId: string;
  /** Of the controller last spoken to; null before the first welcome. */
  readonly instance: string | null;
  readonly linkUp: boolean;
  readonly busConfirmed: boolean;
  /** Stored durably. null: no state, so nothing may be removed. */
  readonly held: HeldState | null;
  readonly storing: Accepted | null;
  readonly resync: 'idle' | 'wanted' | 'fetching' | 'waiting';
  /** Something happened during `fetching` that the snapshot under way may not know: fetch once more. */
  readonly again: boolean;
  /** Snapshot requests so far. */
  readonly attempt: number;
  /** Failures in a row. */
  readonly failures: number;
  /** Sorted by generation. `attempt`: the number of requests when it came. */
  readonly inbox: readonly { readonly delta: Delta; readonly attempt: number }[];
}

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

/** More deltas than this do not wait for a snapshot: it brings what they bring. */
const INBOX_LIMIT = 256;

export function initialSessionState(nodeId: string): SessionState {
  return {
    nodeId,
    instance: null,
    linkUp: false,
    busConfirmed: false,
    held: null,
    storing: null,
    resync: 'idle',
    again: false,
    attempt: 0,
    failures: 0,
    inbox: [],
  };
}

/** The newest accepted state of the present instance, stored or being stored; what the controller is told. */
export function newestHeld(state: SessionState): HeldState {
  const newest = state.storing?.held ?? state.held;
  const instance = state.instance ?? newest?.instance ?? '';
  return newest?.instance === instance ? newest : nothingHeld(instance);
}

export function step(state: SessionState, input: SessionInput): Step {
  const first = react(state, input);
  const next = settle(first.state);
  return { state: next.state, effects: [...first.effects, ...next.effects] };
}

function react(state: SessionState, input: SessionInput): Step {
  switch (input.kind) {
    case 'loaded':
      return input.held === null ? only(state) : handOver({ ...state, held: input.held }, input.held, 'all');
    case 'welcome': {
      const greeted = { ...state, instance: input.instance, linkUp: true, failures: 0 };
      return only(heedDigest(greeted, input.digest));
    }
    case 'link-lost': {
      const pending = state.resync === 'idle' ? 'idle' : 'wanted';
      return only({ ...state, linkUp: false, resync: pending, again: false });
    }
    case 'bus':
      if (input.confirmed === state.busConfirmed) return only(state);
      return only(input.confirmed ? wantSnapshot({ ...state, busConfirmed: true }) : { ...state, busConfirmed: false });
    case 'delta':
      return only(receive(state, input.delta));
    case 'digest':
      return only(heedDigest(state, input.digest));
    case 'snapshot':
      return isAwaited(state, input.attempt) ? takeSnapshot(state, input.snapshot) : only(state);
    case 'snapshot-failed':
      return isAwaited(state, input.attempt) ? fail(state) : only(state);
    case 'retry':
      return only(state.resync === 'waiting' ? { ...state, resync: 'wanted' } : state);
    case 'stored': {
      const accepted = state.storing;
      if (accepted === null) return only(state);
      return handOver({ ...state, held: accepted.held, storing: null }, accepted.held, accepted.changed);
    }
    case 'store-failed':
      return fail({ ...state, storing: null });
  }
}

/** Does what can be done now: fetch a wanted snapshot, or apply those deltas that follow. */
function settle(state: SessionState): Step {
  if (state.storing !== null) return only(state);
  if (state.resync === 'wanted') return state.linkUp ? fetch(state) : only(state);
  if (state.resync !== 'idle') return only(state);
  return applyInbox(state);
}

function applyInbox(state: SessionState): Step {
  const effects: SessionEffect[] = [];
  const changed = new Set<string>();
  const start = newestHeld(state);
  let held = start;
  let taken = 0;
  let gap = false;
  for (const { delta, attempt } of state.inbox) {
    const verdict = judgeDelta(held, delta, state.nodeId);
    if (verdict.kind === 'resync' && attempt === state.attempt) {
      gap = true;
      break;
    }
    taken++;
    if (verdict.kind === 'apply') {
      held = verdict.held;
      for (const change of delta.changes) changed.add(change.policyId);
    } else if (verdict.why !== 'old-generation') {
      // That it asks for a resync no longer counts: a snapshot was fetched after it came, and still it does not fit.
      effects.push({ kind: 'refused', what: 'delta', why: verdict.why });
    }
  }
  const next: SessionState = { ...state, inbox: state.inbox.slice(taken), resync: gap ? 'wanted' : 'idle' };
  if (held !== start) {
    effects.push({ kind: 'store', held });
    return { state: { ...next, storing: { held, changed: start === state.held ? changed : 'all' } }, effects };
  }
  if (!gap) return { state: next, effects };
  const then = settle(next);
  return { state: then.state, effects: [...effects, ...then.effects] };
}

function receive(state: SessionState, delta: Delta): SessionState {
  if (state.inbox.length >= INBOX_LIMIT) return wantSnapshot({ ...state, inbox: [] });
  const inbox = [...state.inbox, { delta, attempt: state.attempt }];
  inbox.sort((a, b) => a.delta.generation - b.delta.generation);
  return { ...state, inbox };
}

function heedDigest(state: SessionState, digest: Digest): SessionState {
  if (state.resync === 'waiting' || state.resync === 'fetching') return state;
  return judgeDigest(newestHeld(state), digest) === 'resync' ? wantSnapshot(state) : state;
}

function wantSnapshot(state: SessionState): SessionState {
  if (state.resync === 'fetching') return { ...state, again: true };
  return state.resync === 'waiting' ? state : { ...state, resync: 'wanted' };
}

function fetch(state: SessionState): Step {
  const attempt = state.attempt + 1;
  return {
    state: { ...state, resync: 'fetching', again: false, attempt },
    effects: [{ kind: 'fetch-snapshot', attempt, held: newestHeld(state) }],
  };
}

function isAwaited(state: SessionState, attempt: number): boolean {
  return state.resync === 'fetching' && state.attempt === attempt;
}

function takeSnapshot(state: SessionState, snapshot: Snapshot): Step {
  const verdict = judgeSnapshot(newestHeld(state), snapshot, state.nodeId);
  if (verdict.kind === 'refuse') {
    const failed = fail(state);
    return {
      state: failed.state,
      effects: [{ kind: 'refused', what: 'snapshot', why: verdict.why }, ...failed.effects],
    };
  }
  const done: SessionState = { ...state, resync: state.again ? 'wanted' : 'idle', again: false, failures: 0 };
  if (verdict.kind !== 'apply') return only(done);
  return {
    state: { ...done, storing: { held: verdict.held, changed: 'all' } },
    effects: [{ kind: 'store', held: verdict.held }],
  };
}

function fail(state: SessionState): Step {
  const failures = state.failures + 1;
  return {
    state: { ...state, resync: 'waiting', again: false, failures },
    effects: [{ kind: 'retry-later', failures }],
  };
}

function handOver(state: SessionState, held: HeldState, changed: ReadonlySet<string> | 'all'): Step {
  return { state, effects: [{ kind: 'set-desired', held, changed }] };
}

function only(state: SessionState): Step {
  return { state, effects: [] };
}
