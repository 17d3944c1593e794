import type { Socket } from 'node:net';
import { Deframer } from './framing.js';
import { Pool } from './machine/pool.js';
import { Output } from './output.js';
import type { Faults } from './faults.js';

/** Marks a client of the socket; the rest is its slot in VPP's registration pool. */
const SOCKET_CLIENT = 0x80000000;

export class Client {
  /** In the registration pool; set when it joins. */
  slot = 0;
  readonly socket: Socket;
  readonly input = new Deframer();
  readonly output: Output;
  /** What it called itself in the handshake. */
  name: string | undefined;

  constructor(socket: Socket, faults: Faults) {
    this.socket = socket;
    this.output = new Output(socket, faults);
  }

  /** The client_index of its requests. */
  get index(): number {
    return this.slot + SOCKET_CLIENT;
  }
}

/** Connected clients by slot. Slot 0 is the listening socket's; a free slot goes to the next client. */
export class Clients {
  readonly #pool = new Pool<Client | undefined>();

  constructor() {
    this.#pool.allocate(undefined);
  }

  add(socket: Socket, faults: Faults): Client {
    const client = new Client(socket, faults);
    client.slot = this.#pool.allocate(client);
    return client;
  }

  remove(client: Client): void {
    if (this.#pool.at(client.slot) === client && !this.#pool.isFree(client.slot)) this.#pool.release(client.slot);
  }

  find(index: number): Client | undefined {
    const slot = index - SOCKET_CLIENT;
    return slot < 0 || this.#pool.isFree(slot) ? undefined : this.#pool.at(slot);
  }

  all(): readonly Client[] {
    return [...this.#pool.live()].flatMap(([, client]) => client ?? []);
  }
}
