import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { FuzzCase } from '../campaign.js';
import type { Random } from '../random.js';

export interface RedisCase extends FuzzCase {
  /** One for each time that a client says something; then the connection ends. */
  readonly answers: readonly Buffer[];
}

/** How long a client may take over what it was answered, before it is done with. */
const QUIET_MS = 30;

/** Listens where Redis should, and answers what a case says. */
export class HostileRedis {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  answer: readonly Buffer[] = [];

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(): Promise<HostileRedis> {
    const redis = new HostileRedis();
    redis.#server.listen(0, '127.0.0.1');
    await once(redis.#server, 'listening');
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when what was said has had its time. */
  said(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    const { answer } = this;
    let position = 0;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', () => {
      const bytes = answer[position++];
      if (bytes === undefined) socket.end();
      else socket.write(bytes);
    });
  }
}

const simple = [
  '+OK\r\n',
  '-ERR no\r\n',
  '-NOAUTH Authentication required.\r\n',
  '-MOVED 1 127.0.0.1:1\r\n',
  '-LOADING\r\n',
  '-READONLY\r\n',
  ':1\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '$0\r\n\r\n',
];
const broken = [
  '$99999999999\r\n',
  '$-2\r\n',
  '*99999999999\r\n',
  '*-7\r\n',
  ':NaN\r\n',
  ':99999999999999999999999\r\n',
  '+\r\n',
  '-\r\n',
  '?what\r\n',
  '$5\r\nab\r\n',
  '*2\r\n:1\r\n',
  '\r\n\r\n',
  '%1\r\n+a\r\n+b\r\n',
  '>2\r\n+message\r\n+x\r\n',
  '(3492890328409238509324850943850943825024385\r\n',
  '#t\r\n',
  ',1.5\r\n',
  '_\r\n',
  '=15\r\ntxt:Some string\r\n',
];
const bulk = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [
      Buffer.from(`$${Buffer.byteLength(part)}\r\n`),
      Buffer.from(part),
      Buffer.from('\r\n'),
    ]),
  ]);

export function hostileRedisCase(random: Random): RedisCase {
  const one = (): Buffer =>
    random.pick<() => Buffer>([
      () => Buffer.from(random.pick(simple)),
      () => Buffer.from(random.pick(broken)),
      () => random.bytes(1 + random.below(200)),
      () => Buffer.from('*1\r\n'.repeat(random.pick([10, 1_000, 100_000]))),
      () => Buffer.from('*2\r\n:1\r\n'.repeat(random.pick([10, 1_000, 50_000]))),
      () => bulk('subscribe', 'ours', '1'),
      () => Buffer.from('*3\r\n$9\r\nsubscribe\r\n$4\r\nours\r\n:1\r\n'),
      () => Buffer.from('*3\r\n$9\r\nsubscribe\r\n$-1\r\n:-1\r\n'),
      () => Buffer.from('*3\r\n$11\r\nunsubscribe\r\n$4\r\nours\r\n:0\r\n'),
      () => bulk('message', 'ours', 'payload'),
      () => bulk('message', random.pick(['theirs', '__proto__', 'constructor', '']), random.bytes(20)),
      () => bulk('message'),
      () => bulk('pmessage', 'o*', 'ours', 'foreign'),
      () => bulk(random.pick(['invalidate', 'smessage', 'MESSAGE', 'pong', ''])),
      () => Buffer.concat(Array.from({ length: 2_000 }, () => bulk('message', 'ours', 'payload'))),
      () => Buffer.alloc(random.pick([1_000, 1_000_000]), '+'),
    ])();
  const answers = Array.from({ length: random.below(5) }, () => {
    const parts = Array.from({ length: 1 + random.below(3) }, one);
    return Buffer.concat(parts);
  });
  return {
    kind: 'answers',
    answers,
    text: answers.map((bytes) => bytes.subarray(0, 200).toString('latin1')).join(' | '),
  };
}
