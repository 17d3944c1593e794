import { expect, test } from 'vitest';
import { connect, connected, ip6 } from './testing/raw-client.js';
import type { Field, RawClient } from './testing/raw-client.js';
import { addList, addPolicy, BSID_A, list, localsid, sid, steer, table } from './testing/sr-requests.js';

const policyWithout = (client: RawClient): Buffer =>
  client.request('sr_policy_add_44ac92e8', 297, [10, ip6(0xb, 9)], [30, '01'], ...list(36, 1));
const steering = (client: RawClient, ...fields: readonly Field[]): Buffer =>
  client.request('sr_steering_add_del_e46b0a0f', 58, [11, BSID_A], ...fields);

test.each<readonly [what: string, reason: string, last: (client: RawClient) => Buffer | Promise<Buffer>]>([
  ['a policy with 0 SIDs', 'empty-segment-list', policyWithout],
  [
    'adding a list of 0 SIDs',
    'empty-segment-list',
    (client) => client.request('sr_policy_mod_b97bb56e', 304, [10, BSID_A], [34, '01'], ...list(43, 1)),
  ],
  [
    'IPv6 steering to a missing table',
    'steering-to-missing-table',
    (client) => steering(client, [31, '00000009'], [35, '01'], [36, ip6(0x77, 0)], [52, '30'], [57, '06']),
  ],
  [
    'IPv4 steering to a table that only IPv6 has',
    'steering-to-missing-table',
    async (client) => {
      await table(client, 9, true);
      return steering(client, [31, '00000009'], [36, '0a'], [52, '08'], [57, '04']);
    },
  ],
  [
    'an IPv4 prefix of 33 bits',
    'prefix-too-long',
    (client) => steering(client, [36, '0a000001'], [52, '21'], [57, '04']),
  ],
  [
    'an IPv6 prefix of 129 bits',
    'prefix-too-long',
    (client) => steering(client, [35, '01'], [36, ip6(0x77, 0)], [52, '81'], [57, '06']),
  ],
  [
    'a localsid behavior of a plugin',
    'localsid-behavior-without-plugin',
    (client) => client.request('sr_localsid_add_del_5a36c324', 58, [11, ip6(0xd, 1)], [28, '0e']),
  ],
  [
    'a localsid dump after DT4 into a missing table',
    'localsid-dump-of-missing-table',
    async (client) => {
      await table(client, 4, true);
      expect(await localsid(client, { address: ip6(0xd, 1), behavior: 9, interfaceOrTable: 4 })).toBe(0);
      return client.request('sr_localsids_dump_51077d14', 10);
    },
  ],
  [
    'a localsid dump with counters after DT6 into a missing table',
    'localsid-dump-of-missing-table',
    async (client) => {
      expect(await localsid(client, { address: ip6(0xd, 1), behavior: 8, interfaceOrTable: 4 })).toBe(0);
      return client.request('sr_localsids_with_packet_stats_dump_51077d14', 10);
    },
  ],
  [
    'deleting steering from a table that vanished',
    'table-vanished-under-its-route',
    async (client) => {
      await table(client, 2, true);
      await steer(client, BSID_A, { address: ip6(0x77, 0), length: 48, table: 2 });
      await table(client, 2, true, false);
      return steering(client, [10, '01'], [31, '00000002'], [35, '01'], [36, ip6(0x77, 0)], [52, '30'], [57, '06']);
    },
  ],
  [
    'deleting a policy from a table that vanished',
    'table-vanished-under-its-route',
    async (client) => {
      await table(client, 2, true);
      const fields: Field[] = [[10, ip6(0xb, 9)], [30, '01'], [32, '00000002'], ...list(36, 1, sid(1))];
      await client.call('sr_policy_add_44ac92e8', 297, ...fields);
      await table(client, 2, true, false);
      return client.request('sr_policy_del_cb4d48d5', 30, [10, ip6(0xb, 9)]);
    },
  ],
  [
    'deleting a localsid from a table that does not exist',
    'table-vanished-under-its-route',
    async (client) => {
      await localsid(client, { address: ip6(0xd, 1), behavior: 1 });
      return client.request(
        'sr_localsid_add_del_5a36c324',
        58,
        [10, '01'],
        [11, ip6(0xd, 1)],
        [28, '01'],
        [37, '00000009'],
      );
    },
  ],
])('%s kills VPP', async (_what, reason, last) => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  const bystander = connect(vpp);
  await bystander.handshake();
  const request = await last(client);

  client.send(request);
  await client.closed();
  await bystander.closed();
  expect(client.received).toHaveLength(0);
  expect(vpp.crashes).toMatchObject([{ reason, life: 1 }]);
  expect(vpp.log.at(-1)).toMatchObject({ outcome: 'crashed', executed: true });
  expect(vpp.isUp).toBe(false);
  expect(vpp.policies).toEqual([]);
});

test('what is refused before the fault is read does not kill', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  expect(await addPolicy(client, BSID_A, 1)).toBe(-12);
  expect(await steer(client, ip6(0xb, 9), { address: '0a', family: 4, length: 33 })).toBe(-2);
  expect(await steer(client, BSID_A, { address: '0a', family: 4, length: 33, isDelete: true })).toBe(-4);
  expect(await localsid(client, { address: ip6(0xd, 1), behavior: 14, isDelete: true })).toBe(-2);
  expect(vpp.crashes).toEqual([]);
});

test('after a crash connections are refused until the restart, which begins from nothing', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addList(client, BSID_A, 1, sid(2));
  const crash = vpp.nextCrash();
  client.send(policyWithout(client));
  expect(await crash).toEqual({ reason: 'empty-segment-list', life: 1, request: 'sr_policy_add' });

  const early = connect(vpp);
  const refusal = await new Promise((resolve) => early.socket.once('error', resolve));
  expect(refusal).toMatchObject({ code: 'ECONNREFUSED' });

  await vpp.restart();
  const later = connect(vpp);
  await later.handshake();
  expect(await later.dump('sr_policies_dump_51077d14')).toEqual([]);
  expect(vpp.life).toBe(2);
});

test('it comes back by itself when told so', async () => {
  const { vpp, client } = await connected({ restartAfterMs: 1 });
  client.send(policyWithout(client));
  await client.closed();
  while (!vpp.isUp) await new Promise((resolve) => setImmediate(resolve));
  const again = connect(vpp);
  await again.handshake();
  expect(await again.untilPing()).toEqual([]);
});

test('requests behind the fatal one are lost', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  client.send(policyWithout(client));
  client.send(client.request('sr_policy_del_cb4d48d5', 30, [10, BSID_A]));
  await client.closed();
  expect(vpp.log.map(({ name }) => name)).toEqual(['sockclnt_create', 'sr_policy_add', 'sr_policy_add']);
});
