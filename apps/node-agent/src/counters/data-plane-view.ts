import type { DataPlaneReport } from '@waymark/agent-protocol';
import { parseAddress } from '../dataplane/address.js';
import type { EdgeDrops, InterfaceCounters, LocalSidCounters, Reading } from '../dataplane/port.js';

/** Bits per second since the reading before; null: there is none to compare with, or the counter began anew. */
export interface InterfaceView extends InterfaceCounters {
  readonly rxBps: number | null;
  readonly txBps: number | null;
}

/** How the data plane fared when it was last read, cut to what anybody can look at. */
export interface DataPlaneView {
  readonly reachable: boolean;
  /** Empty when it does not answer. */
  readonly version: string;
  /** Unix time of the reading. */
  readonly atMs: number;
  readonly interfaces: readonly InterfaceView[];
  readonly localSids: readonly LocalSidCounters[];
  readonly edgeDrops: readonly EdgeDrops[];
  readonly notices: readonly string[];
}

/** A reading and when it was taken, by a clock that never jumps. */
export interface TimedReading {
  readonly reading: Reading;
  readonly monotonicMs: number;
}

/** A node with a pod for each of thousands of interfaces tells of the first ones only; so do its metrics. */
export const MAX_INTERFACES = 128;
const MAX_LOCAL_SIDS = 1_024;
const MAX_NOTICES = 32;
/** In characters. */
const NOTICE_LENGTH = 300;

/** @param before the last reading that succeeded, if any */
export function viewOf(now: TimedReading, before: TimedReading | null, atMs: number): DataPlaneView {
  const { version, interfaces, notices, edgeDrops = [] } = now.reading;
  const elapsedMs = before === null ? 0 : now.monotonicMs - before.monotonicMs;
  const known = new Map(before?.reading.interfaces.map((counters) => [counters.name, counters]));
  // What is not read every time is as it was.
  const localSids = now.reading.localSids ?? before?.reading.localSids ?? [];
  const cut = [
    ...(interfaces.length > MAX_INTERFACES
      ? [`${interfaces.length - MAX_INTERFACES} of ${interfaces.length} interfaces are not told`]
      : []),
    ...(localSids.length > MAX_LOCAL_SIDS
      ? [`${localSids.length - MAX_LOCAL_SIDS} of ${localSids.length} local SIDs are not told`]
      : []),
  ];
  return {
    reachable: true,
    version,
    atMs,
    interfaces: interfaces.slice(0, MAX_INTERFACES).map((counters) => {
      const earlier = known.get(counters.name);
      return {
        ...counters,
        rxBps: bitRate(earlier?.rxBytes, counters.rxBytes, elapsedMs),
        txBps: bitRate(earlier?.txBytes, counters.txBytes, elapsedMs),
      };
    }),
    localSids: localSids.slice(0, MAX_LOCAL_SIDS),
    edgeDrops,
    notices: [...cut, ...notices].slice(0, MAX_NOTICES).map((notice) => notice.slice(0, NOTICE_LENGTH)),
  };
}

export function unreachableView(reason: string, atMs: number): DataPlaneView {
  const notices = [reason.slice(0, NOTICE_LENGTH)];
  return { reachable: false, version: '', atMs, interfaces: [], localSids: [], edgeDrops: [], notices };
}

/** A counter that went back was reset or has wrapped; which of both, and so how much it counted, nobody can tell. */
export function bitRate(before: number | undefined, now: number, elapsedMs: number): number | null {
  if (before === undefined || now < before || elapsedMs <= 0) return null;
  return Math.round(((now - before) * 8_000) / elapsedMs);
}

/** As the controller hears it. Drops at the edge, which have no field, are a notice. */
export function reportOf(view: DataPlaneView): DataPlaneReport {
  return {
    version: view.version,
    reachable: view.reachable,
    atMs: view.atMs,
    interfaces: view.interfaces.map((counters) => ({
      name: counters.name,
      up: counters.up,
      rxBytes: uint64(counters.rxBytes),
      rxPackets: uint64(counters.rxPackets),
      txBytes: uint64(counters.txBytes),
      txPackets: uint64(counters.txPackets),
      drops: uint64(counters.drops),
      rxBps: uint64(counters.rxBps ?? 0),
      txBps: uint64(counters.txBps ?? 0),
    })),
    localSids: view.localSids.flatMap((counters) => {
      const sid = addressOf(counters.sid);
      if (sid === null) return [];
      const { behavior, goodPackets, goodBytes, badPackets, badBytes } = counters;
      return [
        {
          sid,
          behavior,
          goodPackets: uint64(goodPackets),
          goodBytes: uint64(goodBytes),
          badPackets: uint64(badPackets),
          badBytes: uint64(badBytes),
        },
      ];
    }),
    notices: [...view.notices, ...edgeNotice(view.edgeDrops)],
  };
}

/** A local SID may be a prefix, of C-SIDs for example: its first address stands for it. */
function addressOf(sid: string): Uint8Array | null {
  try {
    return parseAddress(sid.replace(/\/\d+$/, ''));
  } catch {
    return null;
  }
}

function edgeNotice(drops: readonly EdgeDrops[]): string[] {
  const some = drops.filter(({ packets }) => packets > 0);
  if (some.length === 0) return [];
  const sum = some.reduce((total, { packets }) => total + packets, 0);
  const reasons = some.map(({ reason, packets }) => `${reason} ${packets}`).join(', ');
  return [`the edge of the SR domain dropped ${sum} packets so far (${reasons})`];
}

/** What the wire takes: more than 2^53 is cut, what is no number is 0. */
function uint64(value: number): number {
  return Number.isFinite(value) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value))) : 0;
}
