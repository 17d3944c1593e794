import { expect, test } from 'vitest';
import { connect, connected, framed, lay } from './testing/raw-client.js';
import type { RawClient } from './testing/raw-client.js';
import { addPolicy, BSID_A, BSID_B, list, sid } from './testing/sr-requests.js';

const add = (client: RawClient, bsid = BSID_A): Buffer =>
  client.request('sr_policy_add_44ac92e8', 297, [10, bsid], [30, '01'], ...list(36, 1, sid(1)));

test('a dropped request is not executed', async () => {
  const { vpp, client } = await connected();
  vpp.faults.dropRequest({ request: 'sr_policy_add' });
  client.send(add(client));
  expect(await client.untilPing()).toEqual([]);
  expect(vpp.policies).toEqual([]);
  expect(vpp.log.at(-2)).toMatchObject({ name: 'sr_policy_add', outcome: 'dropped-request', executed: false });
  expect(await addPolicy(client, BSID_A, 1, sid(1))).toBe(0);
});

test('with a dropped reply the request was executed', async () => {
  const { vpp, client } = await connected();
  vpp.faults.dropReply({ request: 'sr_policy_add' });
  client.send(add(client));
  expect(await client.untilPing()).toEqual([]);
  expect(vpp.policies).toHaveLength(1);
  expect(vpp.log.at(-2)).toMatchObject({ outcome: 'dropped-reply', executed: true, retval: 0 });
  expect(await addPolicy(client, BSID_A, 1, sid(1))).toBe(-12);
});

test('the n-th request is hit, counted by name or over all', async () => {
  const { vpp, client } = await connected();
  vpp.faults.dropReply({ request: 'sr_policy_add', nth: 2 });
  expect(await addPolicy(client, BSID_A, 1, sid(1))).toBe(0);
  client.send(add(client, BSID_B));
  expect(await client.untilPing()).toEqual([]);
  vpp.faults.dropRequest({ nth: 2 });
  await client.untilPing();
  client.send(add(client));
  expect(await client.untilPing()).toEqual([]);
});

test('a socket can close in the middle of a reply; VPP lives on with its state', async () => {
  const { vpp, client } = await connected();
  vpp.faults.closeMidReply({ request: 'sr_policy_add' });
  client.send(add(client));
  await client.closed();
  expect(client.received).toHaveLength(13);
  expect(vpp.isUp).toBe(true);
  expect(vpp.policies).toHaveLength(1);
  expect(vpp.crashes).toEqual([]);
});

test('the handshake can be hit too', async () => {
  const { vpp } = await connected();
  vpp.faults.closeMidReply({ request: 'sockclnt_create' });
  const first = connect(vpp);
  first.send(lay(70, [0, '000f']));
  await first.closed();
  expect(first.received.length).toBeGreaterThan(16);
  vpp.faults.dropReply({ request: 'sockclnt_create' });
  const second = connect(vpp);
  second.send(lay(70, [0, '000f']));
  second.send(lay(70, [0, '000f'], [2, '00000002']));
  expect((await second.next())?.readUInt32BE(6)).toBe(2);
});

test.each(['before', 'after'] as const)('VPP can crash %s executing a request', async (when) => {
  const { vpp, client } = await connected();
  vpp.faults.crash(when, { request: 'sr_policy_add' });
  client.send(add(client));
  await client.closed();
  expect(client.received).toHaveLength(0);
  expect(vpp.crashes).toMatchObject([{ reason: 'fault-injection', request: 'sr_policy_add' }]);
  expect(vpp.log.at(-1)).toMatchObject({ outcome: 'crashed', executed: when === 'after' });
});

test('replies can be split into single bytes', async () => {
  const { vpp, client } = await connected();
  vpp.faults.splitWrites = true;
  const sizes: number[] = [];
  client.socket.on('data', (chunk) => sizes.push(chunk.length));
  expect(await client.call('control_ping_51077d14', 10)).toHaveLength(18);
  expect(Math.max(...sizes)).toBeLessThan(34);
  expect(await client.call('show_version_51077d14', 10)).toHaveLength(362);
});

test('late replies keep their order', async () => {
  const { vpp, client } = await connected();
  vpp.faults.replyDelayMs = 5;
  client.send(client.request('control_ping_51077d14', 10, [6, '00000001']));
  client.send(client.request('control_ping_51077d14', 10, [6, '00000002']));
  expect((await client.next())?.readUInt32BE(2)).toBe(1);
  vpp.faults.replyDelayMs = 0;
  expect((await client.next())?.readUInt32BE(2)).toBe(2);
});

test('a delayed reply does not hold up execution', async () => {
  const { vpp, client } = await connected();
  vpp.faults.replyDelayMs = 600_000;
  client.send(add(client));
  while (vpp.policies.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(client.received).toHaveLength(0);
});

test('while reading stalls nothing is executed, for clients that come later too', async () => {
  const { vpp, client } = await connected();
  const requests = vpp.counters.requests;
  vpp.stallReading();
  // VPP takes a message that is longer than it need be.
  const longPing = framed(client.request('control_ping_51077d14', 100_000));
  // More than the socket takes: the client feels it.
  expect(client.socket.write(Buffer.concat(Array.from({ length: 40 }, () => longPing)))).toBe(false);
  const late = connect(vpp);
  await new Promise<void>((resolve) => late.socket.once('connect', () => resolve()));
  late.write(longPing);
  expect(vpp.counters.requests).toBe(requests);

  const drained = new Promise((resolve) => client.socket.once('drain', resolve));
  vpp.resumeReading();
  await drained;
  for (let answers = 0; answers < 41; answers += 1) expect(await client.next()).toHaveLength(18);
  expect(vpp.counters.requests).toBe(requests + 41);
});

test('garbage goes to every client as it is', async () => {
  const { vpp, client } = await connected();
  vpp.sendGarbage(Buffer.from('00ff00ff', 'hex'));
  while (client.received.length < 4) await new Promise((resolve) => client.socket.once('data', resolve));
  expect(client.received.toString('hex')).toBe('00ff00ff');
});

test('clear() takes all faults back', async () => {
  const { vpp, client } = await connected();
  vpp.faults.dropReply();
  vpp.faults.replyDelayMs = 600_000;
  vpp.faults.splitWrites = true;
  vpp.faults.clear();
  expect(await client.call('control_ping_51077d14', 10)).toHaveLength(18);
});

test('clients can be cut off while VPP lives on', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  vpp.disconnectClients();
  await client.closed();
  expect(vpp.policies).toHaveLength(1);
  const again = connect(vpp);
  await again.handshake();
  expect(await again.dump('sr_policies_dump_51077d14')).toHaveLength(1);
});
