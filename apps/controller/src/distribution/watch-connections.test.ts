import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../testing/eventually.js';
import { watchConnections } from './watch-connections.js';

const server = new Server();
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.forceShutdown();
});

it('closes connections beyond so many, of one address and of all', async () => {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  let refused = 0;
  watchConnections(server, {
    ...{ connections: 3, connectionsPerAddress: 2 },
    onTooMany: () => (refused += 1),
    onRefusedHandshake: () => undefined,
  });
  const open = async (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  };
  const isClosed = (socket: Socket) => eventually(() => expect(socket.closed).toBe(true));
  const held = [await open('127.0.0.1'), await open('127.0.0.1')];
  await isClosed(await open('127.0.0.1'));
  held.push(await open('127.0.0.2'));
  await isClosed(await open('127.0.0.3'));
  expect(refused).toBe(2);
  expect(held.map(({ closed }) => closed)).toEqual([false, false, false]);
});
