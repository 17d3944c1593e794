import { expect, test } from 'vitest';
import { VppStandIn } from './stand-in.js';
import { connect, connected, framed, lay, startVpp, u16, u32 } from './testing/raw-client.js';

test('the handshake has fixed ids and tells client index and message table', async () => {
  const vpp = await startVpp({ otherMessages: 2000 });
  const client = connect(vpp);
  const reply = await client.handshake('hand-made');

  expect(reply.toString('hex', 0, 2)).toBe('0010');
  expect(reply.toString('hex', 6, 10)).toBe('11223344');
  expect(reply.readInt32BE(10)).toBe(0);
  expect(reply.toString('hex', 14, 18)).toBe('80000001');
  expect(reply.length).toBe(20 + reply.readUInt16BE(18) * 66);
  expect(client.ids.size).toBeGreaterThan(2000);
  expect(client.ids.get('sockclnt_create_455fb9c4')).toBe(15);
  expect(client.ids.get('sockclnt_delete_reply_8f38b1ee')).toBe(18);
  expect(client.ids.get('sr_policy_add_v2_f6297f36')).toBe(vpp.messageId('sr_policy_add_v2'));
  expect(new Set(client.ids.values()).size).toBe(client.ids.size);
  expect(vpp.clients).toEqual(['hand-made']);
});

test('ids differ from one life to the next and from one seed to the next', async () => {
  const { vpp } = await connected({ seed: 1 });
  const other = await startVpp({ seed: 2 });
  const same = await startVpp({ seed: 1 });
  const before = vpp.messageId('control_ping');
  expect(same.messageId('control_ping')).toBe(before);
  expect(other.messageId('control_ping')).not.toBe(before);
  await vpp.restart();
  expect(vpp.messageId('control_ping')).not.toBe(before);
});

test('of the frame header only the length counts', async () => {
  const { client } = await connected();
  const ping = client.request('control_ping_51077d14', 10);
  client.write(Buffer.concat([lay(16, [0, 'ffffffffffffffff'], [8, u32(10)], [12, 'ffffffff']), ping]));
  const pong = await client.next();
  expect(pong?.length).toBe(18);
  expect(pong?.toString('hex', 0, 10)).toBe(`${client.id('control_ping_reply_f6b0b8ca')}0102030400000000`);
});

test('replies leave the ignored parts of the frame header set', async () => {
  const vpp = await startVpp();
  const client = connect(vpp);
  client.send(lay(70, [0, '000f']));
  while (client.received.length < 16) await new Promise((resolve) => client.socket.once('data', resolve));
  expect(client.received.readBigUInt64BE(0)).not.toBe(0n);
  expect(client.received.readUInt32BE(12)).not.toBe(0);
});

test('a message may come byte by byte, and many in one piece', async () => {
  const { vpp, client } = await connected();
  const ping = framed(client.request('control_ping_51077d14', 10));
  for (const byte of ping) client.write(Buffer.from([byte]));
  expect(await client.next()).toHaveLength(18);

  client.write(Buffer.concat([ping, ping, ping.subarray(0, 20)]));
  expect(await client.next()).toHaveLength(18);
  expect(await client.next()).toHaveLength(18);
  client.write(ping.subarray(20));
  expect(await client.next()).toHaveLength(18);
  expect(vpp.counters.byRequest['control_ping']).toBe(4);
});

test('replies come in the order of the requests', async () => {
  const { client } = await connected();
  const contexts = ['00000001', '00000002', '00000003'];
  const pings = contexts.map((context) => framed(client.request('control_ping_51077d14', 10, [6, context])));
  client.write(Buffer.concat(pings));
  for (const context of contexts) expect((await client.next())?.toString('hex', 2, 6)).toBe(context);
});

test.each([
  ['an unknown id', (ping: Buffer) => lay(10, [0, 'fff0'], [2, ping.toString('hex', 2)]), 'unknown-id', false],
  ['a truncated message', (ping: Buffer) => ping.subarray(0, 9), 'truncated', false],
  ['an empty message', () => Buffer.alloc(0), 'unknown-id', false],
  [
    'a client_index that nobody has',
    (ping: Buffer) => lay(10, [0, ping.toString('hex', 0, 2)], [2, '80000077']),
    'wrong-client',
    true,
  ],
  ['a client_index of zero', (ping: Buffer) => lay(10, [0, ping.toString('hex', 0, 2)]), 'wrong-client', true],
] as const)('%s gets no answer at all', async (_what, spoil, outcome, executed) => {
  const { vpp, client } = await connected();
  client.send(spoil(client.request('control_ping_51077d14', 10)));
  expect(await client.untilPing()).toEqual([]);
  expect(vpp.log.at(-2)).toMatchObject({ outcome, executed });
  expect(vpp.counters.unanswered).toBe(1);
});

test('the reply id of a message is no request', async () => {
  const { vpp, client } = await connected();
  client.send(lay(10, [0, client.id('control_ping_reply_f6b0b8ca')], [2, u32(client.clientIndex)]));
  expect(await client.untilPing()).toEqual([]);
  expect(vpp.log.at(-2)).toMatchObject({ outcome: 'unknown-id' });
});

test('with a wrong client_index a change is made all the same, and a dump does nothing', async () => {
  const { vpp, client } = await connected();
  client.send(client.request('sr_set_encap_hop_limit_aa75d7d0', 11, [2, '00000000'], [10, '2a']));
  client.send(client.request('sr_localsids_with_packet_stats_dump_51077d14', 10, [2, '00000000']));
  expect(await client.untilPing()).toEqual([]);
  expect(vpp.log.slice(-3).map(({ name, outcome, executed }) => [name, outcome, executed])).toEqual([
    ['sr_set_encap_hop_limit', 'wrong-client', true],
    ['sr_localsids_with_packet_stats_dump', 'wrong-client', false],
    ['control_ping', 'answered', true],
  ]);
  expect(vpp.counters.leakedDumps).toBe(0);
});

test('the answer goes to the client whose index stands in the request, and a free index to the next client', async () => {
  const { vpp, client } = await connected();
  const other = connect(vpp);
  await other.handshake('other');
  expect(u32(other.clientIndex)).toBe('80000002');
  client.send(client.request('control_ping_51077d14', 10, [2, u32(other.clientIndex)]));
  expect(await other.next()).toHaveLength(18);

  client.socket.destroy();
  await client.closed();
  while (vpp.clients.length > 1) await other.untilPing();
  const third = connect(vpp);
  await third.handshake();
  expect(u32(third.clientIndex)).toBe('80000001');
});

test('an empty dump sends nothing', async () => {
  const { client } = await connected();
  expect(await client.dump('sr_policies_with_sl_index_dump_51077d14')).toEqual([]);
});

test('sockclnt_delete is answered and closes the connection', async () => {
  const { client } = await connected();
  client.send(lay(14, [0, '0011'], [2, u32(client.clientIndex)], [6, '0a0b0c0d'], [10, u32(client.clientIndex)]));
  expect((await client.next())?.toString('hex')).toBe('00120a0b0c0d00000001');
  await client.closed();
});

test('sockclnt_delete of a client that is not there is answered with -1', async () => {
  const { client } = await connected();
  client.send(lay(14, [0, '0011'], [2, u32(client.clientIndex)], [6, '0a0b0c0d'], [10, '80000050']));
  expect((await client.next())?.toString('hex')).toBe('00120a0b0c0dffffffff');
});

test('a socket that somebody serves is left alone', async () => {
  const { vpp, client } = await connected();
  const second = new VppStandIn({ socketPath: vpp.socketPath });
  await expect(second.start()).rejects.toThrow('in use');
  expect(await client.untilPing()).toEqual([]);
});

test('messages can be missing or have another CRC', async () => {
  const { client } = await connected({
    omitMessages: ['sr_policy_add_v2'],
    changedCrcs: { sr_policy_mod: 'deadbeef' },
  });
  expect([...client.ids.keys()].filter((key) => key.startsWith('sr_policy_add_v2_f6'))).toEqual([]);
  expect(client.ids.has('sr_policy_mod_deadbeef')).toBe(true);
  expect(client.ids.has('sr_policy_mod_b97bb56e')).toBe(false);
});

test('a restart cuts clients off and forgets everything', async () => {
  const { vpp, client } = await connected();
  await client.retval('ip_table_add_del_v2_14e5081f', 81, [10, u32(7)], [80, '01']);
  expect(vpp.tables.map(({ id, family }) => [id, family])).toContainEqual([7, 'ipv4']);
  await vpp.restart();
  await client.closed();
  expect(vpp.tables.map(({ id }) => id)).toEqual([0, 0]);
  expect(vpp.life).toBe(2);
  const again = connect(vpp);
  await again.handshake();
  expect(await again.untilPing()).toEqual([]);
});

test('ids are two bytes, big endian', async () => {
  const { vpp, client } = await connected();
  expect(client.id('control_ping_51077d14')).toBe(u16(vpp.messageId('control_ping')));
});
