import { fileURLToPath } from 'node:url';
import type { Namespaces } from './namespaces.js';
import { Peer } from './peer.js';
import type { Family, Pod } from './testbed.js';

const SENDER = fileURLToPath(new URL('probe-sender.mjs', import.meta.url));
const RECEIVER = fileURLToPath(new URL('probe-receiver.mjs', import.meta.url));
const PING = fileURLToPath(new URL('ping.mjs', import.meta.url));

export interface Flow {
  readonly from: Pod;
  readonly to: Pod;
  readonly family: Family;
}

/** A hole in the stream, by the sender's clock. */
export interface ProbeGap {
  readonly afterSequence: number;
  readonly lost: number;
  readonly us: number;
  /** When the datagram behind it was sent, on the machine's monotonic clock. */
  readonly endedAtUs: number;
}

export interface ProbeReport {
  readonly sent: number;
  readonly received: number;
  /** Sent, and neither received nor dropped by the receiver's own full socket buffer. */
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly overruns: number;
  readonly maxDelayUs: number;
  readonly gaps: readonly ProbeGap[];
}

/** What a stream lost in holes that end after a moment (as performance.now() tells it), and at its end. */
export function lostSince({ lost, overruns, gaps }: ProbeReport, sinceMs: number): number {
  const toMonotonicMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  const sum = (some: readonly ProbeGap[]) => some.reduce((total, gap) => total + gap.lost, 0);
  const atTheEnd = lost + overruns - sum(gaps);
  const since = gaps.filter(({ endedAtUs }) => endedAtUs / 1000 >= sinceMs + toMonotonicMs);
  return Math.max(0, sum(since) + atTheEnd - overruns);
}

/** A one-way stream of numbered datagrams between two pods: one flow, one process at each end. */
export class ProbeStream {
  readonly #receiver: Peer;
  readonly #sender: Peer;

  private constructor(receiver: Peer, sender: Peer) {
    this.#receiver = receiver;
    this.#sender = sender;
  }

  /** One datagram per interval, `count` of them; 0: until the stream is stopped. */
  static async start(namespaces: Namespaces, flow: Flow, intervalUs: number, count = 0): Promise<ProbeStream> {
    const address = flow.to.address[flow.family];
    const receiver = new Peer(namespaces.spawn(flow.to.id, ['node', RECEIVER, address]));
    const { port } = (await receiver.message()) as { port: number };
    const argv = ['node', SENDER, address, String(port), String(intervalUs), String(count)];
    return new ProbeStream(receiver, new Peer(namespaces.spawn(flow.from.id, argv)));
  }

  /** Ends an endless sender (or waits for one with a count), lets the last datagrams arrive, and reports. */
  async stop(): Promise<ProbeReport> {
    this.#sender.endInput();
    const { sent } = (await this.#sender.message()) as { sent: number };
    this.#receiver.endInput();
    const report = (await this.#receiver.message()) as Omit<ProbeReport, 'sent' | 'lost'>;
    await Promise.all([this.#sender.close(), this.#receiver.close()]);
    return { ...report, sent, lost: sent - report.received - report.overruns };
  }
}

/** A request from one pod and the answer of the other; false when none came in time. */
export async function ping(namespaces: Namespaces, flow: Flow, timeoutMs: number): Promise<boolean> {
  const address = flow.to.address[flow.family];
  const responder = new Peer(namespaces.spawn(flow.to.id, ['node', RECEIVER, address]));
  const { port } = (await responder.message()) as { port: number };
  const asking = new Peer(namespaces.spawn(flow.from.id, ['node', PING, address, String(port), String(timeoutMs)]));
  const { answered } = (await asking.message()) as { answered: boolean };
  await Promise.all([asking.close(), responder.close()]);
  return answered;
}
