import type { ProbeRoute } from '../dataplane/port.js';
import { afterProbe, unknownState, type ListState, type Liveness, type Moment, type StateRules } from './list-state.js';
import { listKey } from './probe-address.js';
import { probePacket, sequenceOf } from './probe-packet.js';
import { LONGEST_TIMEOUT_MS, ProbeWindow, type WindowFigures } from './probe-window.js';

export interface ProbeTiming extends StateRules {
  /** Between two probes of one list, unless there are so many lists that MAX_PROBES_PER_SECOND stretches it. */
  readonly intervalMs: number;
}

export const PROBE_DEFAULTS: ProbeTiming = { intervalMs: 300, multiplier: 3, holdDownMs: 5_000 };

/** `settling`: unknown, and its probes have not yet had the time to tell. */
export type JudgedLiveness = Liveness | 'settling';

export interface ProbedList extends Pick<ListState, 'sinceMs'>, WindowFigures {
  readonly route: ProbeRoute;
  readonly liveness: Liveness;
  /** Its probe route is in place, so probes are sent. */
  readonly probing: boolean;
}

/** All of them since the start. */
export interface ProbeCounts {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** Of those answered, added up. */
  readonly roundTripUs: number;
}

export const MAX_PROBES_PER_SECOND = 1_000;

/** Probes that are due within this time go out together. */
const GRAIN_MS = 5;

/** A call that comes so much later than it was asked for: this process did not run, so its probes are not to blame. */
const STALL_MS = 100;

/** How long an answer that comes too late is still known. */
const LATE_MS = 2 * LONGEST_TIMEOUT_MS;

interface List {
  route: ProbeRoute;
  state: ListState;
  readonly window: ProbeWindow;
  /** When its probes have had their time to tell. */
  settlesAtMs: number;
  probing: boolean;
}

interface Probe {
  readonly list: List;
  readonly address: string;
  readonly sentMs: number;
  deadlineMs: number;
}

/**
 * Which probe goes out when, which answer belongs to it, and what that means for its list. Without clock, timer or
 * socket: whoever owns those calls `advance` when it was asked to and `hear` for each datagram.
 */
export class ProbeEngine {
  readonly #timing: ProbeTiming;
  readonly #nonce: Uint8Array;
  readonly #send: (address: string, packet: Uint8Array) => void;
  readonly #lists = new Map<string, List>();
  /** Those whose `settlesAtMs` is still to come. */
  readonly #settling = new Set<List>();
  /** The lists to probe, in order of address: probed in turn, evenly spread over the interval. */
  #ring: List[] = [];
  #turn = 0;
  #nextSendMs = 0;
  #plannedMs: number | null = null;
  readonly #underWay = new Map<number, Probe>();
  readonly #expired = new Map<number, Probe>();
  #sequence = 0;
  #turned: List[] = [];
  #settled = false;
  #counts = { sent: 0, answered: 0, lost: 0, roundTripUs: 0 };

  constructor(timing: ProbeTiming, nonce: Uint8Array, send: (address: string, packet: Uint8Array) => void) {
    this.#timing = timing;
    this.#nonce = nonce;
    this.#send = send;
  }

  /** The lists that matter from now on. Those known before keep their state. */
  expect(routes: readonly ProbeRoute[], now: Moment): void {
    const keys = new Set<string>();
    for (const route of routes) {
      const key = listKey(route.sids);
      keys.add(key);
      const known = this.#lists.get(key);
      if (known !== undefined) known.route = route;
      else this.#lists.set(key, this.#newList(route, routes.length, now));
    }
    for (const [key, list] of this.#lists) {
      if (keys.has(key)) continue;
      list.probing = false;
      this.#lists.delete(key);
      this.#settling.delete(list);
    }
    this.#formRing(now);
  }

  /** Probes exactly those of the expected lists whose routes are in place: any other probe would say nothing. */
  probe(inPlace: readonly ProbeRoute[], now: Moment): void {
    const keys = new Set(inPlace.map(({ address, sids }) => `${address} ${listKey(sids)}`));
    for (const [key, list] of this.#lists) list.probing = keys.has(`${list.route.address} ${key}`);
    this.#formRing(now);
  }

  /** Sends what is due and gives up what took too long. Returns when to call again, on the monotonic clock. */
  advance(now: Moment): number | null {
    const { monotonicMs } = now;
    const lateMs = this.#plannedMs === null ? 0 : monotonicMs - this.#plannedMs;
    if (lateMs > STALL_MS) this.#forgive(lateMs, monotonicMs);
    this.#expire(now);
    for (const list of this.#settling) {
      if (list.settlesAtMs > monotonicMs) continue;
      this.#settling.delete(list);
      this.#settled = true;
    }
    while (this.#ring.length > 0 && this.#nextSendMs <= monotonicMs) this.#sendNext(monotonicMs);
    return (this.#plannedMs = this.#nextCallMs(monotonicMs));
  }

  /** A datagram that came in, whoever sent it. */
  hear(packet: Uint8Array, now: Moment): void {
    const sequence = sequenceOf(packet, this.#nonce);
    if (sequence === null) return;
    const probe = this.#underWay.get(sequence) ?? this.#expired.get(sequence);
    if (probe === undefined) return;
    const roundTripMs = now.monotonicMs - probe.sentMs;
    probe.list.window.answered(sequence, roundTripMs);
    this.#expired.delete(sequence);
    // Too late to count for the state; that it came tells how long to wait for the next.
    if (!this.#underWay.delete(sequence)) return;
    this.#counts.answered += 1;
    this.#counts.roundTripUs += Math.round(roundTripMs * 1_000);
    this.#conclude(probe.list, 'answered', now);
  }

  /** The lists whose liveness changed since the last call; null: none, nor did one settle unknown. */
  takeChanges(): readonly { readonly route: ProbeRoute; readonly liveness: Liveness }[] | null {
    if (this.#turned.length === 0 && !this.#settled) return null;
    const turned = this.#turned.map(({ route, state }) => ({ route, liveness: state.liveness }));
    this.#turned = [];
    this.#settled = false;
    return turned;
  }

  livenessOf(sids: readonly string[]): JudgedLiveness {
    const list = this.#lists.get(listKey(sids));
    if (list === undefined) return 'unknown';
    return this.#settling.has(list) ? 'settling' : list.state.liveness;
  }

  list(sids: readonly string[]): ProbedList | null {
    const found = this.#lists.get(listKey(sids));
    return found === undefined ? null : describe(found);
  }

  lists(): readonly ProbedList[] {
    return [...this.#lists.values()].map(describe);
  }

  get counts(): ProbeCounts {
    return this.#counts;
  }

  /** Between two probes of one list, as it is now. */
  get intervalMs(): number {
    return this.#intervalFor(this.#ring.length);
  }

  #intervalFor(lists: number): number {
    return Math.max(this.#timing.intervalMs, (lists * 1_000) / MAX_PROBES_PER_SECOND);
  }

  #newList(route: ProbeRoute, lists: number, now: Moment): List {
    const settlesAtMs = now.monotonicMs + (this.#timing.multiplier + 1) * this.#intervalFor(lists) + LONGEST_TIMEOUT_MS;
    const list = { route, state: unknownState(now), window: new ProbeWindow(), settlesAtMs, probing: false };
    this.#settling.add(list);
    return list;
  }

  #formRing({ monotonicMs }: Moment): void {
    const next = this.#ring[this.#turn];
    const wasIdle = next === undefined;
    this.#ring = [...this.#lists.values()]
      .filter(({ probing }) => probing)
      .sort((a, b) => (a.route.address < b.route.address ? -1 : 1));
    // Whoever was next is next, or whoever comes after it now.
    const turn = this.#ring.findIndex(({ route }) => next !== undefined && route.address >= next.route.address);
    this.#turn = Math.max(0, turn);
    if (wasIdle) this.#nextSendMs = monotonicMs;
    for (const [sequence, { list, address }] of this.#underWay) {
      if (!list.probing || list.route.address !== address) this.#underWay.delete(sequence);
    }
  }

  #sendNext(nowMs: number): void {
    const list = this.#ring[this.#turn];
    if (list === undefined) return;
    const sequence = ++this.#sequence;
    const { address } = list.route;
    const deadlineMs = nowMs + list.window.timeoutMs(this.intervalMs);
    this.#underWay.set(sequence, { list, address, sentMs: nowMs, deadlineMs });
    this.#counts.sent += 1;
    this.#turn = (this.#turn + 1) % this.#ring.length;
    this.#nextSendMs += this.intervalMs / this.#ring.length;
    this.#send(address, probePacket(this.#nonce, sequence));
  }

  #expire(now: Moment): void {
    for (const [sequence, probe] of this.#underWay) {
      if (probe.deadlineMs > now.monotonicMs) continue;
      this.#underWay.delete(sequence);
      this.#expired.set(sequence, probe);
      this.#counts.lost += 1;
      probe.list.window.lost(sequence);
      this.#conclude(probe.list, 'lost', now);
    }
    for (const [sequence, { sentMs }] of this.#expired) {
      if (now.monotonicMs - sentMs > LATE_MS) this.#expired.delete(sequence);
    }
  }

  #conclude(list: List, result: 'answered' | 'lost', now: Moment): void {
    const before = list.state.liveness;
    list.state = afterProbe(list.state, result, now, this.#timing);
    if (list.state.liveness !== 'unknown') this.#settling.delete(list);
    if (list.state.liveness !== before) this.#turned.push(list);
  }

  /** Answers may be waiting to be read: everything gets as much more time as this process did not run. */
  #forgive(lateMs: number, nowMs: number): void {
    for (const probe of this.#underWay.values()) probe.deadlineMs += lateMs;
    for (const list of this.#settling) list.settlesAtMs += lateMs;
    this.#nextSendMs = Math.max(this.#nextSendMs, nowMs);
  }

  #nextCallMs(nowMs: number): number | null {
    let next = this.#ring.length > 0 ? this.#nextSendMs : Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#underWay.values()) next = Math.min(next, deadlineMs);
    for (const { settlesAtMs } of this.#settling) next = Math.min(next, settlesAtMs);
    return Number.isFinite(next) ? Math.max(next, nowMs + GRAIN_MS) : null;
  }
}

function describe({ route, state, window, probing }: List): ProbedList {
  const { liveness, sinceMs } = state;
  return { route, liveness, sinceMs, probing, ...window.figures() };
}
