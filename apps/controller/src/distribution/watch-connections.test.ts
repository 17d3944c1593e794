import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CertificateAuthority } from '../../../../packages/agent-protocol/src/testing/certificate-authority.js';
import { missingNeeds } from '../../../../test/require-program.js';
import { eventually } from '../testing/eventually.js';
import { watchConnections } from './watch-connections.js';

const missing = missingNeeds({ programs: ['openssl'] });
let server: Server;
const sockets: Socket[] = [];

beforeEach(() => {
  server = new Server();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.forceShutdown();
});

/** Listens with these limits. Counts what is refused. */
async function watched(
  credentials: ServerCredentials,
  limits: { readonly connections: number; readonly connectionsPerAddress: number },
) {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const refused = { tooMany: 0, handshakes: 0 };
  watchConnections(server, {
    ...limits,
    onTooMany: () => (refused.tooMany += 1),
    onRefusedHandshake: () => (refused.handshakes += 1),
  });
  const open = async (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  };
  return { refused, open };
}

const isClosed = (socket: Socket) => eventually(() => expect(socket.closed).toBe(true), 60_000);

it('closes connections beyond so many, of one address and of all', async () => {
  const { refused, open } = await watched(ServerCredentials.createInsecure(), {
    ...{ connections: 3, connectionsPerAddress: 2 },
  });
  const held = [await open('127.0.0.1'), await open('127.0.0.1')];
  await isClosed(await open('127.0.0.1'));
  held.push(await open('127.0.0.2'));
  await isClosed(await open('127.0.0.3'));
  expect(refused.tooMany).toBe(2);
  expect(held.map(({ closed }) => closed)).toEqual([false, false, false]);
}, 120_000);

it.skipIf(missing !== undefined)(
  `takes what it closes itself for none that TLS refuses${missing === undefined ? '' : ` (${missing})`}`,
  async () => {
    const ca = new CertificateAuthority();
    const { cert, key } = ca.issue({ names: ['IP:127.0.0.1'] });
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    const { refused, open } = await watched(ServerCredentials.createSsl(Buffer.from(ca.cert), [pair], true), {
      ...{ connections: 9, connectionsPerAddress: 1 },
    });
    const held = await open('127.0.0.1');
    for (let n = 0; n < 3; n++) await isClosed(await open('127.0.0.1'));
    // who does not speak TLS; what is told of those before was told before
    const other = await open('127.0.0.2');
    other.write('GET / HTTP/1.1\r\n\r\n');
    await isClosed(other);
    await eventually(() => expect(refused).toEqual({ tooMany: 3, handshakes: 1 }), 60_000);
    expect(held.closed).toBe(false);
    ca.remove();
  },
  120_000,
);
