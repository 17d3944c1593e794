import { VppClient, VppError, type ClientOptions, type VppConnection } from '@waymark/vpp-api';
import { DataPlaneError } from '../port.js';

/** What the driver says to VPP; a test may stand in between. */
export type Vpp = Pick<VppConnection, 'call' | 'dump'>;

/** How long a round waits for a VPP that is not connected. */
const PATIENCE_MS = 2_000;

/** The connection to VPP through its restarts. It begins with the first use. */
export class VppLink {
  readonly #socketPath: string;
  readonly #client: VppClient;
  #lastReason = 'no attempt has ended yet';

  constructor(socketPath: string, options: Pick<ClientOptions, 'timeoutMs' | 'minBackoffMs'> = {}) {
    this.#socketPath = socketPath;
    this.#client = new VppClient({ socketPath, clientName: 'waymark-agent', maxBackoffMs: 2_000, ...options });
    this.#client.onDisconnected(({ reason }) => (this.#lastReason = reason));
  }

  /** The VPP that is there now, which may be another than before. Throws DataPlaneError. */
  async open(): Promise<Vpp> {
    this.#client.start();
    return this.#client.connection ?? (await this.#firstConnection());
  }

  /** Calls the listener whenever a VPP was reached: it has just started, or may have lost what it held. */
  onConnected(listener: () => void): () => void {
    return this.#client.onConnected(listener);
  }

  /** Calls the listener when VPP was lost. */
  onLost(listener: () => void): () => void {
    let connected = this.#client.connection !== undefined;
    const stops = [
      this.#client.onConnected(() => (connected = true)),
      this.#client.onDisconnected(() => {
        if (connected) listener();
        connected = false;
      }),
    ];
    return () => stops.forEach((stop) => stop());
  }

  close(): void {
    this.#client.stop();
  }

  #firstConnection(): Promise<VppConnection> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        forget.forEach((stop) => stop());
      };
      const fail = (): void => {
        settle();
        reject(this.#outOfReach());
      };
      const timer = setTimeout(fail, PATIENCE_MS);
      const forget = [
        this.#client.onConnected((connection) => {
          settle();
          resolve(connection);
        }),
        this.#client.onDisconnected(fail),
      ];
    });
  }

  #outOfReach(): DataPlaneError {
    const advice = 'is VPP running, and may this user open its socket?';
    return new DataPlaneError(`VPP cannot be reached at ${this.#socketPath}: ${this.#lastReason}; ${advice}`);
  }
}

/** Runs what needs VPP's answers; what VPP or its absence says against it becomes a DataPlaneError. */
export async function withVpp<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VppError) throw new DataPlaneError(`${what}: ${error.message}`);
    throw error;
  }
}
