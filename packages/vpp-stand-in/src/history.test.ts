import { expect, test } from 'vitest';
import { connected, ip6 } from './testing/raw-client.js';
import {
  addList,
  addPolicy,
  BSID_A,
  BSID_B,
  changeWeight,
  deleteList,
  deletePolicy,
  sid,
  steer,
} from './testing/sr-requests.js';

const HOST = '2001:db8:77::1';
const PREFIX = { address: ip6(0x77, 0), length: 48 };

test('a list replaced by adding the new one first never leaves a packet without a list', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, PREFIX);
  await client.dump('sr_policies_with_sl_index_dump_51077d14');
  await addList(client, BSID_A, 1, sid(2));
  await changeWeight(client, BSID_A, 1, 3);
  await deleteList(client, BSID_A, 0);

  const history = vpp.history(0, HOST);
  expect(history.map(({ after }) => after?.name)).toEqual([
    undefined,
    'sr_steering_add_del',
    'sr_policy_mod',
    'sr_policy_mod',
    'sr_policy_mod',
  ]);
  expect(
    history.map(({ forwarding }) => (forwarding.kind === 'policy' ? forwarding.lists.map((each) => each.buckets) : [])),
  ).toEqual([[], [1], [1, 1], [1, 3], [1]]);
  expect(history.at(-1)?.forwarding).toEqual(vpp.route(0, HOST));
});

test('deleting a policy and adding it again shows as a gap', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, PREFIX);
  await deletePolicy(client, BSID_A);
  await addPolicy(client, BSID_A, 1, sid(2));
  expect(
    vpp
      .history(0, HOST)
      .slice(1)
      .map(({ forwarding }) => forwarding.kind),
  ).toEqual(['policy', 'drop', 'policy']);
});

test('re-steering from one policy to another has no gap', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addPolicy(client, BSID_B, 1, sid(2));
  await steer(client, BSID_A, PREFIX);
  await steer(client, BSID_B, PREFIX);
  await deletePolicy(client, BSID_A);
  expect(vpp.history(0, HOST).slice(1)).toMatchObject([
    { forwarding: { bsid: '2001:db8:b::1' } },
    { forwarding: { bsid: '2001:db8:b::2' } },
  ]);
});

test('weights that leave no list a bucket drop all packets', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 5, sid(1));
  await addList(client, BSID_A, 5, sid(2));
  await addList(client, BSID_A, 0, sid(3));
  expect(vpp.route(0, '2001:db8:b::1')).toMatchObject({ kind: 'drop', reason: 'no-list' });
});

test('a lost request changes no history, one with a lost reply does, and a restart begins a new one', async () => {
  const { vpp, client } = await connected();
  vpp.faults.dropRequest({ request: 'sr_policy_add' });
  client.send(client.request('sr_policy_add_44ac92e8', 297, [10, BSID_A], [30, '01'], [36, '01'], [41, sid(1)]));
  await client.untilPing();
  expect(vpp.history(0, '2001:db8:b::1')).toHaveLength(1);
  vpp.faults.dropReply({ request: 'sr_policy_add' });
  client.send(client.request('sr_policy_add_44ac92e8', 297, [10, BSID_A], [30, '01'], [36, '01'], [41, sid(1)]));
  await client.untilPing();
  expect(vpp.history(0, '2001:db8:b::1')).toHaveLength(2);
  await vpp.restart();
  expect(vpp.history(0, '2001:db8:b::1')).toHaveLength(1);
});

test('the log tells requests in order with what they ask for', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 7, sid(1), sid(2));
  await deleteList(client, BSID_A, 0);
  await steer(client, BSID_A, PREFIX);
  expect(vpp.log).toMatchObject([
    { sequence: 0, name: 'sockclnt_create', fields: { name: 'raw' }, retval: 0 },
    {
      sequence: 1,
      life: 1,
      context: 0x01020304,
      retval: 0,
      outcome: 'answered',
      fields: {
        bsid: '2001:db8:b::1',
        isEncap: true,
        type: 0,
        fibTable: 0,
        weight: 7,
        segments: ['2001:db8:5::1', '2001:db8:5::2'],
      },
    },
    { sequence: 2, retval: -21, fields: { bsid: '2001:db8:b::1', operation: 'delete-list', slIndex: 0 } },
    { sequence: 3, fields: { isDelete: false, tableId: 0, prefix: '2001:db8:77::/48', trafficType: 6 } },
  ]);
  expect(vpp.counters).toMatchObject({ handshakes: 1, requests: 4, answered: 4, unanswered: 0 });
});

test('without a log memory stays flat, and there is no history', async () => {
  const { vpp, client } = await connected({ keepsLog: false });
  await addPolicy(client, BSID_A, 1, sid(1));
  expect(vpp.log).toEqual([]);
  expect(() => vpp.history(0, '2001:db8:b::1')).toThrow('keepsLog');
  expect(vpp.route(0, '2001:db8:b::1')).toMatchObject({ kind: 'policy' });
});
