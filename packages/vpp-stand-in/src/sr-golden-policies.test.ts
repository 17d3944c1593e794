import { expect, test } from 'vitest';
import { connected, expectReply, head, ip6, lay } from './testing/raw-client.js';
import { addList, addPolicy, BSID_A, list, sid } from './testing/sr-requests.js';

/*
 * Golden bytes: requests are laid out here by hand, and what comes back is compared whole. Each field has a value that no
 * other field has.
 */

const SOURCE = ip6(0xe, 0xe5);

test('sr_policy_add, 297 bytes', async () => {
  const { vpp, client } = await connected({ tables: [{ id: 0x0a0b, family: 'ipv6' }] });
  const reply = client.call(
    'sr_policy_add_44ac92e8',
    297,
    [10, BSID_A],
    [26, '0000ffff'],
    [30, '01'],
    [31, '01'],
    [32, '00000a0b'],
    [36, '03'],
    [37, '00000007'],
    [41, sid(1)],
    [57, sid(2)],
    [73, sid(3)],
  );
  await expectReply(client, 'sr_policy_add', reply);
  expect(vpp.policies).toEqual([
    {
      bsid: '2001:db8:b::1',
      type: 1,
      isEncap: true,
      fibTable: 0x0a0b,
      lists: [
        {
          slIndex: 0,
          weight: 7,
          buckets: 1,
          segments: ['2001:db8:5::1', '2001:db8:5::2', '2001:db8:5::3'],
          encapSource: '::',
          hopLimit: 64,
        },
      ],
    },
  ]);
});

test('sr_policy_add_v2, 313 bytes', async () => {
  const { vpp, client } = await connected();
  const reply = client.call(
    'sr_policy_add_v2_f6297f36',
    313,
    [10, BSID_A],
    [30, '01'],
    [31, '02'],
    ...list(36, 9, sid(1)),
    [297, SOURCE],
  );
  await expectReply(client, 'sr_policy_add_v2', reply);
  expect(vpp.policies).toMatchObject([{ type: 2, lists: [{ weight: 9, encapSource: '2001:db8:e::e5' }] }]);
  client.send(client.request('sr_policy_add_v2_f6297f36', 312, [10, ip6(0xb, 2)], [30, '01'], ...list(36, 1, sid(1))));
  expect(await client.untilPing()).toEqual([]);
});

test('sr_policy_mod, 304 bytes: index, table and upper weight are ignored', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  const add = client.call(
    'sr_policy_mod_b97bb56e',
    304,
    [10, BSID_A],
    [26, '00000063'],
    [30, '00000063'],
    [34, '01'],
    [35, '00000063'],
    [39, '00000063'],
    [43, '02'],
    [44, '00000005'],
    [48, sid(2)],
    [64, sid(3)],
  );
  await expectReply(client, 'sr_policy_mod', add);
  expect(vpp.policies[0]?.lists).toMatchObject([
    { slIndex: 0, weight: 1, segments: ['2001:db8:5::1'] },
    { slIndex: 1, weight: 5, segments: ['2001:db8:5::2', '2001:db8:5::3'] },
  ]);
  const weight = client.call(
    'sr_policy_mod_b97bb56e',
    304,
    [10, BSID_A],
    [34, '03'],
    [35, '00000001'],
    [39, '00000063'],
    [43, '01'],
    [44, '00000006'],
    [48, sid(9)],
  );
  await expectReply(client, 'sr_policy_mod', weight);
  expect(vpp.policies[0]?.lists[1]).toMatchObject({ weight: 6, segments: ['2001:db8:5::2', '2001:db8:5::3'] });
  const remove = client.call('sr_policy_mod_b97bb56e', 304, [10, BSID_A], [34, '02'], [35, '00000000']);
  await expectReply(client, 'sr_policy_mod', remove);
  expect(vpp.policies[0]?.lists).toMatchObject([{ slIndex: 1 }]);
});

test('sr_policy_mod_v2, 320 bytes', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  const add = client.call('sr_policy_mod_v2_c0544823', 320, [10, BSID_A], [34, '01'], ...list(43, 4, sid(2)), [
    304,
    SOURCE,
  ]);
  await expectReply(client, 'sr_policy_mod_v2', add);
  expect(vpp.policies[0]?.lists[1]).toMatchObject({ weight: 4, encapSource: '2001:db8:e::e5' });
  await expectReply(client, 'sr_policy_mod_v2', client.call('sr_policy_mod_v2_c0544823', 320, [10, BSID_A]), -1);
});

test('sr_policy_del, 30 bytes', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await expectReply(client, 'sr_policy_del', client.call('sr_policy_del_cb4d48d5', 30, [10, BSID_A], [26, '00000063']));
  expect(vpp.policies).toEqual([]);
  await expectReply(client, 'sr_policy_del', client.call('sr_policy_del_cb4d48d5', 30, [10, BSID_A]), -1);
});

test('sr_set_encap_source, 26 bytes, and sr_set_encap_hop_limit, 11 bytes', async () => {
  const { vpp, client } = await connected();
  await expectReply(client, 'sr_set_encap_source', client.call('sr_set_encap_source_d3bad5e1', 26, [10, SOURCE]));
  await expectReply(client, 'sr_set_encap_hop_limit', client.call('sr_set_encap_hop_limit_aa75d7d0', 11, [10, '2a']));
  await expectReply(client, 'sr_set_encap_hop_limit', client.call('sr_set_encap_hop_limit_aa75d7d0', 11), -7);
  await addPolicy(client, BSID_A, 1, sid(1));
  expect(vpp.policies[0]?.lists[0]).toMatchObject({ encapSource: '2001:db8:e::e5', hopLimit: 42 });
});

test('the three dumps of policies', async () => {
  const { client } = await connected();
  await client.call('sr_set_encap_source_d3bad5e1', 26, [10, SOURCE]);
  await addPolicy(client, ip6(0xb, 9), 1, sid(9));
  await addPolicy(client, BSID_A, 7, sid(1), sid(2));
  await addList(client, BSID_A, 8, sid(3));

  const plain = await client.dump('sr_policies_dump_51077d14');
  expect(plain[1]?.toString('hex')).toBe(
    lay(
      29 + 2 * 261,
      ...head(client, 'sr_policies_details_db6ff2a1'),
      [6, BSID_A],
      [22, '00'],
      [23, '01'],
      [24, '00000000'],
      [28, '02'],
      [29, '02'],
      [30, '00000007'],
      [34, sid(1)],
      [50, sid(2)],
      [290, '01'],
      [291, '00000008'],
      [295, sid(3)],
    ).toString('hex'),
  );
  const v2 = await client.dump('sr_policies_v2_dump_51077d14');
  expect(v2[1]?.toString('hex')).toBe(
    lay(
      45 + 2 * 261,
      ...head(client, 'sr_policies_v2_details_96dcb699'),
      [6, BSID_A],
      [22, SOURCE],
      [38, '00'],
      [39, '01'],
      [40, '00000000'],
      [44, '02'],
      [45, '02'],
      [46, '00000007'],
      [50, sid(1)],
      [66, sid(2)],
      [306, '01'],
      [307, '00000008'],
      [311, sid(3)],
    ).toString('hex'),
  );
  const indexed = await client.dump('sr_policies_with_sl_index_dump_51077d14');
  expect(indexed[1]?.toString('hex')).toBe(
    lay(
      29 + 2 * 265,
      ...head(client, 'sr_policies_with_sl_index_details_ca2e9bc8'),
      [6, BSID_A],
      [22, '00'],
      [23, '01'],
      [24, '00000000'],
      [28, '02'],
      [29, '02'],
      [30, '00000007'],
      [34, '00000001'],
      [38, sid(1)],
      [54, sid(2)],
      [294, '01'],
      [295, '00000008'],
      [299, '00000002'],
      [303, sid(3)],
    ).toString('hex'),
  );
});
