import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { VppStandIn } from '../stand-in.js';
import type { StandInOptions } from '../stand-in.js';

/** A field of a message: offset and bytes in hexadecimal, blanks allowed. */
export type Field = readonly [offset: number, hex: string];

/** A message of `total` bytes, laid out by hand; everything not named is zero. */
export function lay(total: number, ...fields: readonly Field[]): Buffer {
  const message = Buffer.alloc(total);
  for (const [offset, hex] of fields) Buffer.from(hex.replaceAll(' ', ''), 'hex').copy(message, offset);
  return message;
}

export const u16 = (value: number): string => value.toString(16).padStart(4, '0');
export const u32 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** 2001:db8:<group>::<last>, for readable hand-laid addresses. */
export const ip6 = (group: number, last: number): string => `20010db8 ${u16(group)} 00000000 00000000 ${u16(last)}`;

/** Frame header: 8 ignored bytes, length, 4 ignored bytes. */
export function framed(message: Buffer): Buffer {
  return Buffer.concat([lay(16, [8, u32(message.length)]), message]);
}

/** Speaks to the stand-in with bytes alone: it knows frames and the handshake, and nothing of any message. */
export class RawClient {
  readonly socket: Socket;
  /** name_crc to id, from the handshake. */
  readonly ids = new Map<string, number>();
  clientIndex = 0;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(socketPath: string) {
    this.socket = createConnection(socketPath);
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  /** Bytes that came and were not yet taken. */
  get received(): Buffer {
    return this.#received;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(message: Buffer): void {
    this.write(framed(message));
  }

  /** The next whole message; undefined when the socket closed before one came. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.#received.length < 16 ? Infinity : 16 + this.#received.readUInt32BE(8);
      if (this.#received.length >= end) {
        const message = this.#received.subarray(16, end);
        this.#received = this.#received.subarray(end);
        return message;
      }
      if (this.#isClosed) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async handshake(name = 'raw'): Promise<Buffer> {
    this.send(lay(70, [0, '000f'], [2, '11223344'], [6, Buffer.from(name).toString('hex')]));
    const reply = (await this.next()) ?? Buffer.alloc(0);
    this.clientIndex = reply.readUInt32BE(14);
    const count = reply.readUInt16BE(18);
    for (let offset = 20; offset < 20 + count * 66; offset += 66) {
      const key = reply.toString('latin1', offset + 2, offset + 66);
      this.ids.set(key.slice(0, key.indexOf('\0')), reply.readUInt16BE(offset));
    }
    return reply;
  }

  /** Id of a message by name and CRC. */
  id(key: string): string {
    const id = this.ids.get(key);
    if (id === undefined) throw new Error(`not in the table: ${key}`);
    return u16(id);
  }

  /** A request: id, client_index, context 0x01020304, then the fields given. */
  request(key: string, total: number, ...fields: readonly Field[]): Buffer {
    return lay(total, [0, this.id(key)], [2, u32(this.clientIndex)], [6, '01020304'], ...fields);
  }

  /** Sends a request and takes the next message. */
  async call(key: string, total: number, ...fields: readonly Field[]): Promise<Buffer> {
    this.send(this.request(key, total, ...fields));
    const reply = await this.next();
    if (reply === undefined) throw new Error(`${key}: the socket closed`);
    return reply;
  }

  /** The return code of a reply that starts with id, context, retval. */
  async retval(key: string, total: number, ...fields: readonly Field[]): Promise<number> {
    return (await this.call(key, total, ...fields)).readInt32BE(6);
  }

  /** All messages that come before the answer to a control_ping sent now. */
  async untilPing(): Promise<readonly Buffer[]> {
    this.send(this.request('control_ping_51077d14', 10));
    const pong = Number.parseInt(this.id('control_ping_reply_f6b0b8ca'), 16);
    const messages: Buffer[] = [];
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error('the socket closed');
      if (message.readUInt16BE(0) === pong) return messages;
      messages.push(message);
    }
  }

  async dump(key: string, total = 10, ...fields: readonly Field[]): Promise<readonly Buffer[]> {
    this.send(this.request(key, total, ...fields));
    return this.untilPing();
  }
}

/** A running stand-in that ends with the test. Its table is small unless the options say otherwise. */
export async function startVpp(options: StandInOptions = {}): Promise<VppStandIn> {
  const vpp = new VppStandIn({ otherMessages: 0, ...options });
  onTestFinished(() => vpp.stop());
  await vpp.start();
  return vpp;
}

export function connect(vpp: VppStandIn): RawClient {
  const client = new RawClient(vpp.socketPath);
  onTestFinished(() => void client.socket.destroy());
  return client;
}

export async function connected(options: StandInOptions = {}): Promise<{ vpp: VppStandIn; client: RawClient }> {
  const vpp = await startVpp(options);
  const client = connect(vpp);
  await client.handshake();
  return { vpp, client };
}

/** Id and context of a message to the client, for a request made by RawClient.request. */
export const head = (client: RawClient, key: string): readonly Field[] => [
  [0, client.id(key)],
  [2, '01020304'],
];

/** The plain reply: id, context, retval and nothing else. `name` is that of the request. */
export async function expectReply(client: RawClient, name: string, reply: Promise<Buffer>, retval = 0): Promise<void> {
  const golden = lay(10, ...head(client, `${name}_reply_e8d4e804`), [6, u32(retval)]);
  expect((await reply).toString('hex')).toBe(golden.toString('hex'));
}
