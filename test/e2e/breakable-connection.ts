import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What arrived from one end and has not left for the other. */
interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  readonly held: Buffer[];
}

/** A TCP proxy between one client and one server, so that a test can break their connections and no others. */
export class BreakableConnection {
  /** The URL of the server by way of this proxy. */
  readonly url: string;
  readonly #server: Server;
  readonly #directions = new Set<Direction>();
  #state: 'whole' | 'cut' | 'stalled' = 'whole';

  private constructor(server: Server, target: URL) {
    this.#server = server;
    server.on('connection', (client) => this.#join(client, connect(Number(target.port), target.hostname)));
    const through = new URL(target);
    through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = through.href;
  }

  static async to(url: string): Promise<BreakableConnection> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new BreakableConnection(server, new URL(url));
  }

  /** Ends all connections; new ones end at once. */
  cut(): void {
    this.#state = 'cut';
    for (const { from } of this.#directions) from.resetAndDestroy();
  }

  /** Nothing gets through any more, and neither side is told, not even that the other has gone. */
  stall(): void {
    this.#state = 'stalled';
  }

  /** What was held back arrives now. */
  mend(): void {
    this.#state = 'whole';
    for (const direction of this.#directions) this.#carry(direction);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    const directions: readonly Direction[] = [
      { from: client, to: server, held: [] },
      { from: server, to: client, held: [] },
    ];
    for (const direction of directions) {
      const { from, held } = direction;
      this.#directions.add(direction);
      from.on('error', () => undefined);
      from.on('data', (data) => {
        held.push(data);
        this.#carry(direction);
      });
      from.on('close', () => this.#carry(direction));
    }
    if (this.#state === 'cut') this.cut();
  }

  #carry(direction: Direction): void {
    if (this.#state === 'stalled') return;
    const { from, to, held } = direction;
    for (const data of held.splice(0)) to.write(data);
    if (!from.destroyed) return;
    to.end();
    this.#directions.delete(direction);
  }
}
