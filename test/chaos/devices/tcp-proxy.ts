import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Gate, Pump, type Line } from './pump.js';
import type { Random } from './random.js';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP relay that breaks what passes through it, in both directions.
 *
 *     client ──► proxy ──► target          whole, cut, stalled, late or damaged
 */
export class TcpProxy {
  /** Where clients connect to; it stays the same for the proxy's life. */
  readonly port: number;
  readonly #server: Server;
  readonly #line: Line;
  readonly #sockets = new Map<Socket, Socket>();
  #target: TcpTarget;
  #cut = false;
  #dead = false;

  private constructor(server: Server, target: TcpTarget, random: Random) {
    this.#server = server;
    this.#target = target;
    this.#line = { gate: new Gate(), delayMs: 0, damage: 0, random };
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#connected(client));
  }

  static async start(options: {
    readonly target: TcpTarget;
    readonly random: Random;
    readonly host?: string;
  }): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen(0, options.host ?? '127.0.0.1', listening);
    });
    return new TcpProxy(server, options.target, options.random);
  }

  /** Connections that are open at this moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Where new connections lead from now on; those that are open stay where they are. */
  retarget(target: TcpTarget): void {
    this.#target = target;
  }

  /** Resets every connection, and each new one as it comes, until `resume`. */
  cut(): void {
    this.#cut = true;
    this.#resetAll();
  }

  /** Takes new connections and loses none, and nothing passes until `resume`; then everything does that was sent. */
  stall(): void {
    this.#line.gate.shut();
  }

  /** Ends what `cut`, `stall` and `delay` began; damage that has not been done is not done any more. */
  resume(): void {
    this.#cut = false;
    this.#line.delayMs = 0;
    this.#line.damage = 0;
    this.#line.gate.open();
  }

  /** Everything that comes from now on arrives so much later, in order. */
  delay(ms: number): void {
    this.#line.delayMs = ms;
  }

  /**
   * Of what passes next, so many bytes become others. TCP's checksum lets few such errors through, and TLS and signatures
   * none: this is not for a connection that has neither and writes to a database.
   */
  corrupt(bytes: number): void {
    this.#line.damage += bytes;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#dead = true;
    this.resume();
    this.#resetAll();
    await closed;
  }

  #connected(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#cut || this.#dead) {
      client.resetAndDestroy();
      return;
    }
    const target = createConnection({ ...this.#target, allowHalfOpen: true });
    this.#sockets.set(client, target);
    // An end that breaks breaks the other one; an end that only says that it has no more to send goes through the pump.
    const broken = (): void => {
      client.resetAndDestroy();
      target.resetAndDestroy();
    };
    const gone = (): void => {
      if (client.destroyed && target.destroyed) this.#sockets.delete(client);
    };
    target.on('error', broken).on('close', gone);
    client.on('error', broken).on('close', gone);
    new Pump(client, target, this.#line);
    new Pump(target, client, this.#line);
  }

  #resetAll(): void {
    for (const [client, target] of this.#sockets) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }
}
