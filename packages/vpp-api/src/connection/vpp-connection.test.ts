import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, CLIENT_INDEX, type BytePart, frame, padded, RawServer } from '../testing/raw-server.js';
import { VppConnection, type ConnectionOptions } from './vpp-connection.js';

const PING = 900;
const PING_REPLY = 901;
const VERSION = 77;
const VERSION_REPLY = 78;
const POLICY_DEL = 500;
const POLICY_DEL_REPLY = 501;
const STEERING_DUMP = 510;
const STEERING_DETAILS = 511;
const EVENTS = 520;
const EVENTS_REPLY = 521;
const EVENT = 522;
const CLI = 530;
const CLI_REPLY = 531;

const table = [
  [PING, 'control_ping_51077d14'],
  [PING_REPLY, 'control_ping_reply_f6b0b8ca'],
  [VERSION, 'show_version_51077d14'],
  [VERSION_REPLY, 'show_version_reply_c919bde1'],
  [POLICY_DEL, 'sr_policy_del_cb4d48d5'],
  [POLICY_DEL_REPLY, 'sr_policy_del_reply_e8d4e804'],
  [STEERING_DUMP, 'sr_steering_pol_dump_51077d14'],
  [STEERING_DETAILS, 'sr_steering_pol_details_d41258c9'],
  [EVENTS, 'want_interface_events_476f5a08'],
  [EVENTS_REPLY, 'want_interface_events_reply_e8d4e804'],
  [EVENT, 'sw_interface_event_2d3d95a7'],
  [CLI, 'cli_inband_f8377302'],
  [CLI_REPLY, 'cli_inband_reply_05879051'],
  [550, 'sr_policy_add_00000000'],
] as const;

const contextOf = (request: Buffer): Buffer => request.subarray(6, 10);
const reply = (id: number, request: Buffer, ...rest: BytePart[]): Buffer =>
  bytes([id, 2], contextOf(request), [0, 4], ...rest);
const pong = (request: Buffer): Buffer => reply(PING_REPLY, request, [CLIENT_INDEX, 4], [1, 4]);
const refusal = (request: Buffer, retval: number): Buffer =>
  bytes([POLICY_DEL_REPLY, 2], contextOf(request), [retval, 4]);

let server: RawServer;
let connection: VppConnection | undefined;

async function open(options: Partial<ConnectionOptions> = {}): Promise<VppConnection> {
  connection = await VppConnection.open({ socketPath: server.path, ...options });
  return connection;
}

beforeEach(async () => {
  server = await RawServer.start(table);
});

afterEach(async () => {
  connection?.close();
  connection = undefined;
  await server.stop();
});

describe('the handshake', () => {
  it('sends 70 bytes without a client index, and uses the index of the reply from then on', async () => {
    let first: Buffer | undefined;
    const answer = server.handshake;
    server.handshake = (message) => {
      first = Buffer.from(message);
      return answer(message);
    };
    server.answer = (request) => [pong(request)];
    await (await open({ clientName: 'tester' })).call('control_ping', {});
    expect(first?.length).toBe(70);
    expect(first?.subarray(0, 2)).toEqual(bytes([15, 2]));
    expect(first?.subarray(6)).toEqual(padded('tester', 64));
    expect(server.received[0]?.subarray(0, 6)).toEqual(bytes([PING, 2], [CLIENT_INDEX, 4]));
  });

  it('that VPP refuses, or does not answer, opens nothing', async () => {
    const answer = server.handshake;
    server.handshake = (message) => {
      const refused = answer(message) as Buffer;
      refused.writeInt32BE(-5, 10);
      return refused;
    };
    await expect(open()).rejects.toThrow('VPP refused the client with -5');
    server.handshake = () => undefined;
    await expect(open({ timeoutMs: 20 })).rejects.toThrow('no reply to sockclnt_create within 20 ms');
  });

  it('says what is wrong with the socket', async () => {
    await expect(VppConnection.open({ socketPath: '/nonexistent/api.sock' })).rejects.toThrow(/ENOENT/);
  });
});

describe('a call', () => {
  it('resolves with the fields of the reply', async () => {
    server.answer = (request) => [
      reply(
        VERSION_REPLY,
        request,
        padded('vpe', 32),
        padded('26.06', 32),
        padded('2026-06-24', 32),
        padded('/w', 256),
      ),
    ];
    expect(await (await open()).call('show_version', {})).toEqual({
      retval: 0,
      program: 'vpe',
      version: '26.06',
      build_date: '2026-06-24',
      build_directory: '/w',
    });
  });

  it('is refused with what the number means for its message', async () => {
    server.answer = (request) => [refusal(request, -21)];
    const call = (await open()).call('sr_policy_del', { bsid_addr: 'fc00::1', sr_policy_index: 0 });
    await expect(call).rejects.toMatchObject({
      name: 'VppRetvalError',
      retval: -21,
      message: 'sr_policy_del: the last segment list of an SR policy cannot be deleted (retval -21)',
    });
  });

  it('finds its own reply among those of others, in whatever pieces they arrive', async () => {
    const opened = await open();
    const waiting: Buffer[] = [];
    server.answer = (request) => {
      waiting.push(request);
      if (waiting.length < 3) return [];
      const stream = Buffer.concat(waiting.map((each, index) => frame(refusal(each, index === 1 ? -1 : 0))));
      for (const byte of stream) server.send(Buffer.of(byte));
      return [];
    };
    const calls = ['fc00::1', 'fc00::2', 'fc00::3'].map((bsid_addr) =>
      opened.call('sr_policy_del', { bsid_addr, sr_policy_index: 0 }),
    );
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('without an answer ends by its timeout, says that it may have been executed, and ignores the late answer', async () => {
    const opened = await open();
    let late: Buffer | undefined;
    server.answer = (request) => {
      late = request;
      return [];
    };
    const call = opened.call('control_ping', {}, { timeoutMs: 20 });
    await expect(call).rejects.toMatchObject({ name: 'VppTimeoutError', request: 'control_ping' });
    server.send(frame(pong(late as Buffer)));
    server.answer = (request) => [pong(request)];
    await opened.call('control_ping', {});
    expect(opened.ignoredMessages).toBe(1);
    expect(opened.inFlight).toBe(0);
  });

  it('of a message that this VPP has otherwise, or not at all, sends nothing', async () => {
    const opened = await open();
    const add = opened.call('sr_policy_add', {
      bsid_addr: 'fc00::1',
      weight: 1,
      is_encap: true,
      is_spray: false,
      fib_table: 0,
      sids: { num_sids: 1, weight: 1, sids: ['fc00::2'] },
    });
    await expect(add).rejects.toThrow(
      'this VPP has sr_policy_add as sr_policy_add_00000000, but the definition at hand is sr_policy_add_44ac92e8',
    );
    await expect(opened.call('get_api_json', {})).rejects.toThrow('this VPP has no message get_api_json');
    await expect(opened.call('no_such_message', {})).rejects.toThrow('no definition has a message no_such_message');
    await expect(opened.call('sr_steering_pol_dump', {})).rejects.toThrow('dump it');
    await expect(opened.dump('control_ping', {})).rejects.toThrow('call it');
    expect(server.received).toEqual([]);
  });

  it('with a wrong field sends nothing, and names the field', async () => {
    const opened = await open();
    const call = opened.call('sr_policy_del', { bsid_addr: '10.0.0.1', sr_policy_index: 0 });
    await expect(call).rejects.toThrow('sr_policy_del.bsid_addr: "10.0.0.1" is not an IPv6 address');
    expect(server.received).toEqual([]);
  });

  it('that is answered by another message fails alone', async () => {
    const opened = await open();
    server.answer = (request) => [pong(request)];
    await expect(opened.call('show_version', {})).rejects.toThrow('show_version was answered by control_ping_reply');
    await expect(opened.call('control_ping', {})).resolves.toMatchObject({ vpe_pid: 1 });
  });

  it('whose reply is cut short fails alone', async () => {
    const opened = await open();
    server.answer = (request) => [pong(request).subarray(0, 12)];
    await expect(opened.call('control_ping', {})).rejects.toMatchObject({ name: 'VppDecodeError' });
    server.answer = (request) => [pong(request)];
    await expect(opened.call('control_ping', {})).resolves.toMatchObject({ vpe_pid: 1 });
  });
});

describe('a dump', () => {
  const details = (request: Buffer, last: number): Buffer =>
    bytes(
      [STEERING_DETAILS, 2],
      contextOf(request),
      '06',
      [7, 4],
      '01',
      `fc00000000000000000000000000000${last}`,
      [128, 1],
      [0xffffffff, 4],
      'fc000000000000000000000000000b51',
    );

  it('resolves with all details, once the ping behind it is answered', async () => {
    server.answer = (request) =>
      request.readUInt16BE(0) === STEERING_DUMP ? [details(request, 1), details(request, 2)] : [pong(request)];
    expect(await (await open()).dump('sr_steering_pol_dump', {})).toEqual(
      ['fc00::1/128', 'fc00::2/128'].map((prefix) => ({
        traffic_type: 'SR_STEER_API_IPV6',
        fib_table: 7,
        prefix,
        sw_if_index: 0xffffffff,
        bsid: 'fc00::b51',
      })),
    );
  });

  it('of nothing is empty', async () => {
    server.answer = (request) => (request.readUInt16BE(0) === PING ? [pong(request)] : []);
    expect(await (await open()).dump('sr_steering_pol_dump', {})).toEqual([]);
  });

  it('that stops half-way fails as a whole', async () => {
    server.answer = (request) => (request.readUInt16BE(0) === STEERING_DUMP ? [details(request, 1)] : []);
    const dump = (await open()).dump('sr_steering_pol_dump', {}, { timeoutMs: 30 });
    await expect(dump).rejects.toMatchObject({ name: 'VppTimeoutError' });
  });
});

describe('a connection', () => {
  it('that is lost fails what waits: sent requests may have been executed, others were not sent', async () => {
    const opened = await open({ window: 1 });
    const sent = opened.call('control_ping', {});
    const waiting = opened.call('control_ping', {});
    server.answer = (_, socket) => {
      socket.destroy();
      return [];
    };
    await expect(sent).rejects.toMatchObject({ name: 'VppDisconnectedError', mayHaveExecuted: true });
    await expect(waiting).rejects.toMatchObject({ name: 'VppDisconnectedError', mayHaveExecuted: false });
    await expect(opened.call('control_ping', {})).rejects.toMatchObject({ mayHaveExecuted: false });
    expect((await opened.closed).message).toBe('VPP closed the connection');
    expect(opened.isOpen).toBe(false);
  });

  it('never has more requests under way than its window', async () => {
    const opened = await open({ window: 2 });
    const held: Buffer[] = [];
    let most = 0;
    server.answer = (request) => {
      held.push(request);
      most = Math.max(most, held.length);
      setImmediate(() => {
        const next = held.shift();
        if (next !== undefined) server.send(frame(pong(next)));
      });
      return [];
    };
    await Promise.all(Array.from({ length: 20 }, () => opened.call('control_ping', {})));
    expect(most).toBe(2);
    expect(server.received).toHaveLength(20);
  });

  it('refuses more than it is to hold', async () => {
    const opened = await open({ window: 1, maxWaiting: 1 });
    const calls = [1, 2, 3].map(() => opened.call('control_ping', {}));
    const settled = Promise.allSettled(calls);
    await expect(calls[2]).rejects.toMatchObject({ name: 'VppOverloadedError' });
    server.dropClients();
    await settled;
  });

  it('waits while VPP reads nothing, and goes on when it reads again', async () => {
    const opened = await open({ window: 100_000 });
    server.answer = (request) => [reply(CLI_REPLY, request, [0, 4])];
    server.setReading(false);
    const cmd = 'x'.repeat(1_000);
    const calls = Array.from({ length: 2_000 }, () => opened.call('cli_inband', { cmd }, { timeoutMs: 20_000 }));
    const done = Promise.all(calls);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // What the buffers of the socket take; the rest is still with the callers.
    expect(opened.inFlight).toBeLessThan(1_000);
    server.setReading(true);
    expect(await done).toHaveLength(2_000);
  });

  it('hands events to their listeners', async () => {
    const opened = await open();
    server.answer = (request) => [reply(EVENTS_REPLY, request)];
    const seen: unknown[] = [];
    const stop = opened.on('sw_interface_event', (event) => seen.push(event));
    await opened.call('want_interface_events', { enable_disable: 1, pid: 5 });
    const event = frame(bytes([EVENT, 2], [CLIENT_INDEX, 4], [5, 4], [3, 4], [1, 4], '00'));
    server.send(event);
    await opened.call('want_interface_events', { enable_disable: 1, pid: 5 });
    stop();
    server.send(event);
    await opened.call('want_interface_events', { enable_disable: 1, pid: 5 });
    expect(seen).toEqual([{ pid: 5, sw_if_index: 3, flags: 1, deleted: false }]);
    expect(opened.ignoredMessages).toBe(1);
  });

  it.each([
    ['a frame of 4 GiB', bytes('0000000000000000', 'ffffffff', '00000000')],
    ['a message without a number', frame(bytes('00'))],
  ])('ends when VPP sends %s', async (_, raw) => {
    const opened = await open();
    server.send(raw);
    expect((await opened.closed).name).toBe('VppDisconnectedError');
  });

  it('ignores messages that it does not know', async () => {
    const opened = await open();
    server.answer = (request) => [bytes([12345, 2], '00112233'), pong(request)];
    await opened.call('control_ping', {});
    expect(opened.ignoredMessages).toBe(1);
  });
});
