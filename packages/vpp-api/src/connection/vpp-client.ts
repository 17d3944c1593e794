import { setTimeout as sleep } from 'node:timers/promises';
import type { CallReply, CallRequest, DumpDetails, DumpRequest } from '../builtin/typed.js';
import { VppDisconnectedError, VppError } from '../errors.js';
import { DEFAULT_TIMEOUT_MS, VppConnection, type CallOptions, type ConnectionOptions } from './vpp-connection.js';

export interface ClientOptions extends ConnectionOptions {
  /** First pause before connecting again; doubles up to `maxBackoffMs`. Defaults 100 and 10,000. */
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** How often VPP is pinged; without an answer in time the connection counts as lost. 0 = never. Default 5,000. */
  readonly pingIntervalMs?: number;
  /** Spreads the pauses of many clients; 0 <= value < 1. */
  readonly random?: () => number;
}

/** Why there is no connection, and when the next attempt is. */
export interface Disconnection {
  readonly reason: string;
  readonly retryInMs: number;
}

/**
 * Keeps a connection to VPP, through its restarts. Requests made while there is none fail at once: VPP has lost its state
 * in between, so what was to be said must be thought over. `onConnected` is where to do that.
 */
export class VppClient {
  readonly #options: ClientOptions;
  readonly #connected = new Set<(connection: VppConnection) => void>();
  readonly #disconnected = new Set<(disconnection: Disconnection) => void>();
  #connection: VppConnection | undefined;
  #isStopped = true;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastReason = 'the client was not started';

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Begins to connect; returns at once. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#lastReason = 'not connected to VPP yet';
    void this.#attempt();
  }

  stop(): void {
    this.#isStopped = true;
    this.#lastReason = 'the client was stopped';
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** The connection that is there now; do not keep it. */
  get connection(): VppConnection | undefined {
    return this.#connection;
  }

  /** Called after each handshake. Returns how to stop. */
  onConnected(listener: (connection: VppConnection) => void): () => void {
    this.#connected.add(listener);
    return () => this.#connected.delete(listener);
  }

  /** Called when a connection was lost and when an attempt failed. Returns how to stop. */
  onDisconnected(listener: (disconnection: Disconnection) => void): () => void {
    this.#disconnected.add(listener);
    return () => this.#disconnected.delete(listener);
  }

  /** As VppConnection's. */
  async call<N extends string>(request: N, values: CallRequest<N>, options?: CallOptions): Promise<CallReply<N>> {
    return this.#current().call(request, values, options);
  }

  /** As VppConnection's. */
  async dump<N extends string>(
    request: N,
    values: DumpRequest<N>,
    options?: CallOptions,
  ): Promise<readonly DumpDetails<N>[]> {
    return this.#current().dump(request, values, options);
  }

  #current(): VppConnection {
    if (this.#connection === undefined) throw new VppDisconnectedError(this.#lastReason, false);
    return this.#connection;
  }

  async #attempt(): Promise<void> {
    let connection: VppConnection;
    try {
      connection = await VppConnection.open(this.#options);
    } catch (error) {
      if (!(error instanceof VppError)) throw error;
      this.#retry(error.message);
      return;
    }
    if (this.#stopped()) {
      connection.close();
      return;
    }
    this.#failures = 0;
    this.#connection = connection;
    for (const listener of this.#connected) listener(connection);
    const closed = new AbortController();
    void connection.closed.then(({ message }) => {
      closed.abort();
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#retry(message);
    });
    void this.#watch(connection, closed.signal);
  }

  /** For the compiler: the answer changes while something is awaited. */
  #stopped(): boolean {
    return this.#isStopped;
  }

  #retry(reason: string): void {
    if (this.#isStopped) return;
    const { minBackoffMs = 100, maxBackoffMs = 10_000, random = Math.random } = this.#options;
    const pause = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(this.#failures, 30));
    const retryInMs = Math.round(pause * (0.5 + random() / 2));
    this.#failures++;
    this.#lastReason = reason;
    this.#timer = setTimeout(() => void this.#attempt(), retryInMs);
    for (const listener of this.#disconnected) listener({ reason, retryInMs });
  }

  /** A VPP that hangs keeps its socket open. */
  async #watch(connection: VppConnection, closed: AbortSignal): Promise<void> {
    const { pingIntervalMs = 5_000 } = this.#options;
    if (pingIntervalMs === 0) return;
    for (;;) {
      await pause(pingIntervalMs, closed);
      if (!connection.isOpen) return;
      await this.#ping(connection);
    }
  }

  /**
   * The ping stands in line behind everything that was asked before, so what counts is whether VPP says anything at all:
   * requests that wait for a VPP that no longer reads would wait forever.
   */
  async #ping(connection: VppConnection): Promise<void> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const answered = new AbortController();
    void connection
      .call('control_ping', {})
      .catch((error: unknown) => {
        if (!(error instanceof VppError)) throw error;
        connection.close(`VPP does not answer: ${error.message}`);
      })
      .finally(() => answered.abort());
    while (!answered.signal.aborted && connection.isOpen) {
      await pause(timeoutMs, answered.signal);
      if (connection.silentMs >= timeoutMs) {
        connection.close(`VPP does not answer: it has said nothing for ${timeoutMs} ms`);
      }
    }
  }
}

/** Ends early when the signal aborts. Leaves nothing behind on it: a connection may last for months. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
