import { queryObjects } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, CLIENT_INDEX, RawServer } from '../testing/raw-server.js';
import { VppClient, type ClientOptions, type Disconnection } from './vpp-client.js';

const table = [
  [900, 'control_ping_51077d14'],
  [901, 'control_ping_reply_f6b0b8ca'],
] as const;
const pong = (request: Buffer): Buffer => bytes([901, 2], request.subarray(6, 10), [0, 4], [CLIENT_INDEX, 4], [1, 4]);

let server: RawServer;
let client: VppClient;
let lost: Disconnection[];
let connections: number;

function start(options: Partial<ClientOptions> = {}): void {
  client = new VppClient({ socketPath: server.path, pingIntervalMs: 0, minBackoffMs: 4, random: () => 0, ...options });
  lost = [];
  connections = 0;
  client.onConnected(() => connections++);
  client.onDisconnected((disconnection) => lost.push(disconnection));
  client.start();
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

beforeEach(async () => {
  server = await RawServer.start(table);
  server.answer = (request) => [pong(request)];
});

afterEach(async () => {
  client.stop();
  await server.stop();
});

describe('a client', () => {
  it('connects again whenever the connection is lost, and calls go to the new one', async () => {
    start();
    await until(() => connections === 1);
    await client.call('control_ping', {});
    server.dropClients();
    await until(() => connections === 2);
    await client.call('control_ping', {});
    expect(server.handshakes).toBe(2);
    expect(lost).toEqual([{ reason: 'VPP closed the connection', retryInMs: 2 }]);
  });

  it('fails calls at once while there is no connection, and says why there is none', async () => {
    start({ socketPath: '/nonexistent/api.sock' });
    await expect(client.call('control_ping', {})).rejects.toThrow('not connected to VPP yet');
    await until(() => lost.length > 0);
    await expect(client.call('control_ping', {})).rejects.toMatchObject({
      name: 'VppDisconnectedError',
      mayHaveExecuted: false,
      message: expect.stringContaining('ENOENT') as string,
    });
  });

  it('pauses longer and longer between attempts, up to a limit', async () => {
    start({ socketPath: '/nonexistent/api.sock', maxBackoffMs: 20 });
    await until(() => lost.length >= 5);
    expect(lost.slice(0, 5).map(({ retryInMs }) => retryInMs)).toEqual([2, 4, 8, 10, 10]);
  });

  it('gives up a VPP that keeps its socket open and answers nothing', async () => {
    server.answer = () => [];
    start({ pingIntervalMs: 10, timeoutMs: 500 });
    await until(() => connections >= 2);
    expect(lost[0]?.reason).toBe(
      'VPP does not answer: no reply to control_ping within 500 ms; it may have been executed',
    );
  });

  it('holds on to nothing of the pings of a connection that lasts', async () => {
    let pings = 0;
    server.answer = (request) => {
      pings += 1;
      return [pong(request)];
    };
    start({ pingIntervalMs: 1 });
    await until(() => pings > 20);
    const before = queryObjects(Promise, { format: 'count' });
    const seen = pings;
    await until(() => pings > seen + 100);
    // each ping made several
    expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(100);
  }, 60_000);

  it('connects no more once it is stopped', async () => {
    start();
    await until(() => connections === 1);
    client.stop();
    await expect(client.call('control_ping', {})).rejects.toThrow('the client was stopped');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.handshakes).toBe(1);
    expect(lost).toEqual([]);
  });
});
