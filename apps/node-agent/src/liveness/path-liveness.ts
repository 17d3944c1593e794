import { randomBytes } from 'node:crypto';
import type { BaseLogger } from 'pino';
import type { Family, ProbeRoute } from '../dataplane/port.js';
import type { Liveness, Moment } from './list-state.js';
import {
  ProbeEngine,
  type JudgedLiveness,
  type ProbeCounts,
  type ProbedList,
  type ProbeTiming,
} from './probe-engine.js';
import { NONCE_BYTES } from './probe-packet.js';
import { UdpProbeSocket, type ProbeSocket, type ProbeSocketListener } from './probe-socket.js';

/** One segment list of one policy, as the last round left it. */
export interface ListUse {
  readonly policyId: string;
  readonly family: Family;
  readonly sids: readonly string[];
  readonly standby: boolean;
  /** Steered packets may take it. */
  readonly inUse: boolean;
  /** The list whose probes speak for it; null: none does. */
  readonly judgedBy: readonly string[] | null;
}

/** What the reconciler needs of liveness, and tells it. */
export interface LivenessPort {
  /** At the beginning of a round: the lists that matter. */
  expect(routes: readonly ProbeRoute[]): void;
  livenessOf(sids: readonly string[]): JudgedLiveness;
  /** At its end: the probe routes that were read back, and how each list is used. */
  conclude(inPlace: readonly ProbeRoute[], uses: readonly ListUse[]): void;
}

export interface ListReport extends ListUse {
  /** null: no probe speaks for it. */
  readonly probed: ProbedList | null;
}

export interface LivenessStatus {
  readonly probePrefix: string;
  /** Between two probes of one list: as configured, or longer because there are very many lists. */
  readonly intervalMs: number;
  readonly lists: Readonly<Record<Liveness, number>>;
  /** Tunnels of one family that use their standby lists. */
  readonly tunnelsOnStandby: number;
  readonly probes: ProbeCounts;
  /** The longest of the last 100 round trips of any list. */
  readonly roundTripMaxUs: number;
  /** Why probes cannot be sent or heard, or null. */
  readonly error: string | null;
  readonly perList: readonly (Pick<ProbedList, 'liveness' | 'sinceMs' | 'probesSent' | 'probesLost'> & {
    readonly sids: readonly string[];
    readonly probeAddress: string;
    readonly roundTripAvgUs: number;
    readonly roundTripMaxUs: number;
  })[];
}

export interface PathLivenessOptions {
  readonly probePrefix: string;
  readonly timing: ProbeTiming;
  readonly log: Pick<BaseLogger, 'info' | 'warn'>;
  /** For tests; UDP when left out. */
  readonly socket?: (listener: ProbeSocketListener) => ProbeSocket;
}

/** Sends the probes of all segment lists and knows which of them deliver: clock, timer and socket of the engine. */
export class PathLiveness implements LivenessPort {
  readonly #options: PathLivenessOptions;
  readonly #engine: ProbeEngine;
  readonly #changeListeners: (() => void)[] = [];
  readonly #conclusionListeners: (() => void)[] = [];
  #socket: ProbeSocket | null = null;
  #open = false;
  #timer: NodeJS.Timeout | undefined;
  #uses: readonly ListUse[] = [];
  #stretched = false;
  #error: string | null = null;

  constructor(options: PathLivenessOptions) {
    this.#options = options;
    this.#engine = new ProbeEngine(options.timing, randomBytes(NONCE_BYTES), (address, packet) =>
      this.#socket?.send(address, packet),
    );
  }

  start(): void {
    const open = this.#options.socket ?? ((listener: ProbeSocketListener) => new UdpProbeSocket(listener));
    this.#socket = open({
      onPacket: (packet) => {
        this.#engine.hear(packet, now());
        this.#tellChange();
      },
      onOpen: (isOpen) => {
        this.#open = isOpen;
        this.#advance();
      },
      onError: (reason) => {
        if (reason !== null) this.#options.log.warn(reason);
        this.#error = reason;
      },
    });
  }

  stop(): void {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** Called when the liveness of a list changed, or may be judged from now on; often, when many change at once. */
  onChange(listener: () => void): void {
    this.#changeListeners.push(listener);
  }

  expect(routes: readonly ProbeRoute[]): void {
    this.#engine.expect(routes, now());
  }

  livenessOf(sids: readonly string[]): JudgedLiveness {
    return this.#engine.livenessOf(sids);
  }

  conclude(inPlace: readonly ProbeRoute[], uses: readonly ListUse[]): void {
    this.#uses = uses;
    this.#engine.probe(inPlace, now());
    this.#sayStretched();
    this.#advance();
    for (const listener of this.#conclusionListeners) listener();
  }

  /** Called after each round: what is used, or what lists there are, may have changed. */
  onConclusion(listener: () => void): void {
    this.#conclusionListeners.push(listener);
  }

  /** Every list of every policy. */
  reports(): readonly ListReport[] {
    const described = new Map<readonly string[], ProbedList | null>();
    return this.#uses.map((use) => {
      const { judgedBy } = use;
      if (judgedBy === null) return { ...use, probed: null };
      const probed = described.get(judgedBy) ?? this.#engine.list(judgedBy);
      described.set(judgedBy, probed);
      return { ...use, probed };
    });
  }

  status(): LivenessStatus {
    const all = this.#engine.lists();
    const lists = { unknown: 0, up: 0, down: 0 };
    for (const { liveness } of all) lists[liveness] += 1;
    const onStandby = new Set(
      this.#uses
        .filter(({ standby, inUse }) => standby && inUse)
        .map(({ policyId, family }) => `${policyId} ${family}`),
    );
    return {
      probePrefix: this.#options.probePrefix,
      intervalMs: this.#engine.intervalMs,
      lists,
      tunnelsOnStandby: onStandby.size,
      probes: this.#engine.counts,
      roundTripMaxUs: all.reduce((longest, { roundTripMaxUs }) => Math.max(longest, roundTripMaxUs), 0),
      error: this.#error,
      perList: all.map(({ route, liveness, sinceMs, probesSent, probesLost, roundTripAvgUs, roundTripMaxUs }) => ({
        sids: route.sids,
        probeAddress: route.address,
        liveness,
        sinceMs,
        probesSent,
        probesLost,
        roundTripAvgUs,
        roundTripMaxUs,
      })),
    };
  }

  #advance(): void {
    clearTimeout(this.#timer);
    if (!this.#open) return;
    const moment = now();
    const nextMs = this.#engine.advance(moment);
    if (nextMs !== null) this.#timer = setTimeout(() => this.#advance(), nextMs - moment.monotonicMs);
    this.#tellChange();
  }

  #tellChange(): void {
    const changes = this.#engine.takeChanges();
    if (changes === null) return;
    const { log } = this.#options;
    for (const { route, liveness } of changes) {
      const facts = { sids: route.sids, probeAddress: route.address };
      if (liveness === 'down') log.warn(facts, 'a segment list does not deliver: its probes are lost');
      else log.info(facts, 'a segment list delivers: its probes come back');
    }
    for (const listener of this.#changeListeners) listener();
  }

  #sayStretched(): void {
    const { intervalMs } = this.#engine;
    const stretched = intervalMs > this.#options.timing.intervalMs;
    if (stretched && !this.#stretched) {
      this.#options.log.warn({ intervalMs }, 'there are so many segment lists that each is probed less often');
    }
    this.#stretched = stretched;
  }
}

/** Monotonic for intervals, Unix time for people. */
function now(): Moment {
  return { monotonicMs: performance.now(), unixMs: Date.now() };
}
