import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { seeded } from './random.js';
import { TcpProxy } from './tcp-proxy.js';

const patient = { timeout: 60_000 };
const SENT = Buffer.alloc(300_000, 'waymark');

describe('the TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    const { port } = echo.address() as AddressInfo;
    proxy = await TcpProxy.start({ target: { host: '127.0.0.1', port }, random: seeded(1) });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    echo.close();
  });

  interface Client {
    readonly socket: Socket;
    readonly received: () => Buffer;
    readonly errors: string[];
  }

  async function connect(): Promise<Client> {
    const chunks: Buffer[] = [];
    const errors: string[] = [];
    const socket = createConnection(proxy.port, '127.0.0.1');
    clients.push(socket);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    return { socket, received: () => Buffer.concat(chunks), errors };
  }

  it('passes everything on in both directions, to the end of each', async () => {
    const { socket, received, errors } = await connect();
    await vi.waitFor(() => expect(proxy.connections).toBe(1), patient);
    socket.end(SENT);
    await once(socket, 'close');
    expect(received().equals(SENT)).toBe(true);
    expect(errors).toEqual([]);
    await vi.waitFor(() => expect(proxy.connections).toBe(0), patient);
  });

  it('resets what is open and what comes, until it resumes', async () => {
    const before = await connect();
    before.socket.write('one');
    await vi.waitFor(() => expect(before.received().toString()).toBe('one'), patient);
    proxy.cut();
    await vi.waitFor(() => expect(before.errors).toEqual(['ECONNRESET']), patient);
    const during = await connect();
    await vi.waitFor(() => expect(during.errors).toEqual(['ECONNRESET']), patient);
    proxy.resume();
    const after = await connect();
    after.socket.write('two');
    await vi.waitFor(() => expect(after.received().toString()).toBe('two'), patient);
  });

  it('keeps what is sent while it stalls, and delivers it when it resumes', async () => {
    const { socket, received, errors } = await connect();
    socket.write('one');
    await vi.waitFor(() => expect(received().toString()).toBe('one'), patient);
    proxy.stall();
    socket.write('two');
    const late = await connect();
    late.socket.write('three');
    // Long enough for what would have passed.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([received().toString(), late.received().toString()]).toEqual(['one', '']);
    proxy.resume();
    await vi.waitFor(() => expect(received().toString()).toBe('onetwo'), patient);
    await vi.waitFor(() => expect(late.received().toString()).toBe('three'), patient);
    expect(errors).toEqual([]);
  });

  it('delivers late and in order', async () => {
    const { socket, received } = await connect();
    proxy.delay(150);
    const startedAt = performance.now();
    for (let index = 0; index < 5; index++) socket.write(String(index));
    await vi.waitFor(() => expect(received().toString()).toBe('01234'), patient);
    // There and back.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(299);
  });

  it('changes as many bytes as it was told to, of either direction', async () => {
    const { socket, received } = await connect();
    proxy.corrupt(10);
    socket.write(SENT);
    await vi.waitFor(() => expect(received()).toHaveLength(SENT.length), patient);
    const differing = received().filter((byte, index) => byte !== SENT[index]);
    // An echo may be hit on its way there and on its way back, and the same byte twice.
    expect(differing.length).toBeGreaterThan(0);
    expect(differing.length).toBeLessThanOrEqual(10);
    socket.write('whole');
    await vi.waitFor(() => expect(received().subarray(SENT.length).toString()).toBe('whole'), patient);
  });

  it('leads new connections to another target', async () => {
    const other = createServer((socket) => socket.on('error', () => undefined).end('other'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    proxy.retarget({ host: '127.0.0.1', port: (other.address() as AddressInfo).port });
    const { socket, received } = await connect();
    await once(socket, 'close');
    expect(received().toString()).toBe('other');
    other.close();
  });

  it('resets a connection whose target takes none', async () => {
    echo.close();
    const { socket, errors } = await connect();
    await vi.waitFor(() => expect(socket.destroyed).toBe(true), patient);
    expect(errors).toEqual(['ECONNRESET']);
  });
});
