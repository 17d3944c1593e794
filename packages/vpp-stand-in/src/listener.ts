import { renameSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** The listening socket. A VPP that died leaves its socket file behind, and connecting to it is refused. */
export class Listener {
  readonly #path: string;
  readonly #onConnection: (socket: Socket) => void;
  #server: Server | undefined;
  #closing: Promise<void> = Promise.resolve();

  constructor(path: string, onConnection: (socket: Socket) => void) {
    this.#path = path;
    this.#onConnection = onConnection;
  }

  get isOpen(): boolean {
    return this.#server !== undefined;
  }

  /** @throws the listen error, and Error when anyone listens on that path, this very object or a real VPP. */
  async open(): Promise<void> {
    await this.#closing;
    if (await isServed(this.#path)) throw new Error(`${this.#path} is in use`);
    rmSync(this.#path, { force: true });
    const server = createServer(this.#onConnection);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#path, resolve);
    });
  }

  /** Accepts nothing more from this moment; resolves when all connections are gone too. */
  close(socketFile: 'leave-socket' | 'remove-socket'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) this.#closing = this.#close(server, socketFile === 'leave-socket');
    else if (socketFile === 'remove-socket') rmSync(this.#path, { force: true });
    return this.#closing;
  }

  #close(server: Server, leavesSocket: boolean): Promise<void> {
    const aside = `${this.#path}.closing`;
    // Closing removes the file of that name; out of its way it stays.
    if (leavesSocket) renameSync(this.#path, aside);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    if (leavesSocket) renameSync(aside, this.#path);
    return closed;
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
