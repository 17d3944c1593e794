import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Hexadecimal text, or `[number, bytes]` for a big-endian integer. */
export type BytePart = string | readonly [number | bigint, 1 | 2 | 4 | 8] | Buffer;

export function bytes(...parts: readonly BytePart[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (Buffer.isBuffer(part)) return part;
      if (typeof part === 'string') return Buffer.from(part.replaceAll(/\s/g, ''), 'hex');
      const buffer = Buffer.alloc(8);
      buffer.writeBigUInt64BE(BigInt.asUintN(64, BigInt(part[0])));
      return buffer.subarray(8 - part[1]);
    }),
  );
}

/** A NUL-padded text. */
export function padded(text: string, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  buffer.write(text);
  return buffer;
}

/** A frame as VPP sends it: what a client has to ignore is not zero. */
export function frame(message: Buffer): Buffer {
  return bytes('aabbccdd11223344', [message.length, 4], 'deadbeef', message);
}

export const CLIENT_INDEX = 0x00c0ffee;

/** A unix socket that answers with whatever bytes a test writes by hand. It knows frames and the handshake, no fields. */
export class RawServer {
  readonly path: string;
  /** Messages that arrived, without frames, handshakes left out. */
  readonly received: Buffer[] = [];
  handshakes = 0;
  /** Called for each message after the handshake; what it returns is sent in frames. */
  answer: (message: Buffer, socket: Socket) => readonly Buffer[] = () => [];
  /** The answer to the handshake; undefined: none. */
  handshake: (message: Buffer) => Buffer | undefined;
  readonly #folder: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(folder: string, table: readonly (readonly [number, string])[]) {
    this.#folder = folder;
    this.path = join(folder, 'api.sock');
    this.#server = createServer((socket) => this.#serve(socket));
    this.handshake = (message) =>
      bytes(
        [16, 2],
        'ffffffff', // to be ignored
        message.subarray(2, 6),
        [0, 4],
        [CLIENT_INDEX, 4],
        [table.length, 2],
        ...table.map(([id, key]) => bytes([id, 2], padded(key, 64))),
      );
  }

  /** `table`: numbers and `<name>_<crc>`. */
  static async start(table: readonly (readonly [number, string])[]): Promise<RawServer> {
    const server = new RawServer(await mkdtemp(join(tmpdir(), 'vpp-api-')), table);
    await new Promise<void>((resolve) => server.#server.listen(server.path, resolve));
    return server;
  }

  /** Sends bytes to all clients, unasked and unframed. */
  send(raw: Buffer): void {
    for (const socket of this.#sockets) socket.write(raw);
  }

  /** Stops or goes on reading what clients send. */
  setReading(isReading: boolean): void {
    for (const socket of this.#sockets) {
      if (isReading) socket.resume();
      else socket.pause();
    }
  }

  dropClients(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.dropClients();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let buffered = Buffer.alloc(0);
    let isKnown = false;
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 16 && buffered.length >= 16 + buffered.readUInt32BE(8)) {
        const end = 16 + buffered.readUInt32BE(8);
        const message = buffered.subarray(16, end);
        buffered = buffered.subarray(end);
        if (isKnown) {
          this.received.push(message);
          for (const reply of this.answer(message, socket)) socket.write(frame(reply));
        } else {
          isKnown = true;
          this.handshakes++;
          const reply = this.handshake(message);
          if (reply !== undefined) socket.write(frame(reply));
        }
      }
    });
  }
}
