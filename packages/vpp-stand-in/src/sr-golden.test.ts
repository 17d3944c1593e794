import { describe, expect, test } from 'vitest';
import type { Field, RawClient } from './testing/raw-client.js';
import { connected, ip6, lay, u32 } from './testing/raw-client.js';
import { addList, addPolicy, BSID_A, list, localsid, sid, steer } from './testing/sr-requests.js';

/*
 * Golden bytes of every SR message: requests are laid out here by hand, and what comes back is compared whole. Each
 * field has a value that no other field has.
 */

const SOURCE = ip6(0xe, 0xe5);

const head = (client: RawClient, key: string): readonly Field[] => [
  [0, client.id(key)],
  [2, '01020304'],
];

async function expectReply(client: RawClient, name: string, reply: Promise<Buffer>, retval = 0): Promise<void> {
  expect((await reply).toString('hex')).toBe(
    lay(10, ...head(client, `${name}_reply_e8d4e804`), [6, u32(retval)]).toString('hex'),
  );
}

describe('policies', () => {
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
    client.send(
      client.request('sr_policy_add_v2_f6297f36', 312, [10, ip6(0xb, 2)], [30, '01'], ...list(36, 1, sid(1))),
    );
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
    await expectReply(
      client,
      'sr_policy_del',
      client.call('sr_policy_del_cb4d48d5', 30, [10, BSID_A], [26, '00000063']),
    );
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
});

describe('steering', () => {
  test('sr_steering_add_del, 58 bytes, and its dump', async () => {
    const { vpp, client } = await connected({ tables: [{ id: 0x0a0b, family: 'ipv4' }] });
    await addPolicy(client, BSID_A, 1, sid(1));
    const fields: Field[] = [
      [11, BSID_A],
      [27, '00000063'],
      [31, '00000a0b'],
      [35, '00'],
      [36, 'c6336400'],
      [52, '18'],
      [53, 'ffffffff'],
      [57, '04'],
    ];
    await expectReply(client, 'sr_steering_add_del', client.call('sr_steering_add_del_e46b0a0f', 58, ...fields));
    expect(vpp.steerings).toEqual([
      {
        trafficType: 4,
        tableId: 0x0a0b,
        prefix: '198.51.100.0/24',
        swIfIndex: 0,
        bsid: '2001:db8:b::1',
        isDangling: false,
      },
    ]);
    const [details] = await client.dump('sr_steering_pol_dump_51077d14');
    expect(details?.toString('hex')).toBe(
      lay(
        49,
        ...head(client, 'sr_steering_pol_details_d41258c9'),
        [6, '04'],
        [7, '00000a0b'],
        [11, '00'],
        [12, 'c6336400'],
        [28, '18'],
        [29, '00000000'],
        [33, BSID_A],
      ).toString('hex'),
    );
    const remove = client.call('sr_steering_add_del_e46b0a0f', 58, [10, '01'], ...fields);
    await expectReply(client, 'sr_steering_add_del', remove);
    expect(vpp.steerings).toEqual([]);
  });

  test('the dump of IPv6 steering shows prefix bytes as its interface', async () => {
    const { client } = await connected();
    await addPolicy(client, BSID_A, 1, sid(1));
    await steer(client, BSID_A, { address: ip6(0x77, 0), length: 48 });
    const [details] = await client.dump('sr_steering_pol_dump_51077d14');
    expect(details?.toString('hex')).toBe(
      lay(
        49,
        ...head(client, 'sr_steering_pol_details_d41258c9'),
        [6, '06'],
        [11, '01'],
        [12, ip6(0x77, 0)],
        [28, '30'],
        [29, 'b80d0120'],
        [33, BSID_A],
      ).toString('hex'),
    );
  });

  test('L2 steering, and its dump', async () => {
    const { client } = await connected();
    await addPolicy(client, BSID_A, 1, sid(1));
    const l2 = (swIfIndex: string): Promise<number> =>
      client.retval('sr_steering_add_del_e46b0a0f', 58, [11, BSID_A], [53, swIfIndex], [57, '02']);
    expect(await l2('00000001')).toBe(0);
    expect(await l2('00000063')).toBe(-2);
    const [details] = await client.dump('sr_steering_pol_dump_51077d14');
    expect(details?.toString('hex')).toBe(
      lay(
        49,
        ...head(client, 'sr_steering_pol_details_d41258c9'),
        [6, '02'],
        [11, '01'],
        [12, '01'],
        [29, '00000001'],
        [33, BSID_A],
      ).toString('hex'),
    );
  });
});

describe('localsids', () => {
  test('sr_localsid_add_del, 58 bytes, with both dumps', async () => {
    const { vpp, client } = await connected({ tables: [{ id: 0x0a0b, family: 'ipv4' }] });
    const add = client.call(
      'sr_localsid_add_del_5a36c324',
      58,
      [11, ip6(0xd, 4)],
      [27, '01'],
      [28, '09'],
      [29, '00000a0b'],
      [33, '00000063'],
      [37, '00000000'],
    );
    await expectReply(client, 'sr_localsid_add_del', add);
    const fields: Field[] = [
      [6, ip6(0xd, 4)],
      [22, '01'],
      [23, '09'],
      [49, '00000a0b'],
    ];
    const [details] = await client.dump('sr_localsids_dump_51077d14');
    expect(details?.toString('hex')).toBe(
      lay(53, ...head(client, 'sr_localsids_details_2e9221b9'), ...fields).toString('hex'),
    );
    vpp.setLocalsidCounters('2001:db8:d::4', { goodBytes: 1500n, goodPackets: 15n, badBytes: 60n, badPackets: 2n });
    const [stats] = await client.dump('sr_localsids_with_packet_stats_dump_51077d14');
    expect(stats?.toString('hex')).toBe(
      lay(
        85,
        ...head(client, 'sr_localsids_with_packet_stats_details_ce0b1ce0'),
        ...fields,
        [53, '00000000000005dc'],
        [61, '000000000000000f'],
        [69, '000000000000003c'],
        [77, '0000000000000002'],
      ).toString('hex'),
    );
    expect(vpp.counters.leakedDumps).toBe(1);
  });

  test('End.X keeps interface and next hop', async () => {
    const { client } = await connected();
    await client.call(
      'sr_localsid_add_del_5a36c324',
      58,
      [11, ip6(0xd, 2)],
      [28, '02'],
      [29, '00000001'],
      [41, '01'],
      [42, ip6(0x11, 1)],
    );
    const [details] = await client.dump('sr_localsids_dump_51077d14');
    expect(details?.toString('hex')).toBe(
      lay(
        53,
        ...head(client, 'sr_localsids_details_2e9221b9'),
        [6, ip6(0xd, 2)],
        [23, '02'],
        [32, '01'],
        [33, ip6(0x11, 1)],
        [49, '00000001'],
      ).toString('hex'),
    );
  });

  test('DX4 keeps an IPv4 next hop', async () => {
    const { client } = await connected();
    await client.call(
      'sr_localsid_add_del_5a36c324',
      58,
      [11, ip6(0xd, 7)],
      [28, '07'],
      [29, '00000002'],
      [41, '00'],
      [42, 'c0000201'],
    );
    const [details] = await client.dump('sr_localsids_dump_51077d14');
    expect(details?.toString('hex', 32)).toBe(lay(21, [0, '00'], [1, 'c0000201'], [17, '00000002']).toString('hex'));
  });

  test('sr_localsid_add_del_v2, 61 bytes', async () => {
    const { vpp, client } = await connected();
    const add = (address: string, ...fields: Field[]): Promise<Buffer> =>
      client.call('sr_localsid_add_del_v2_8da7805a', 61, [11, address], [29, 'ffffffff'], ...fields);
    await expectReply(
      client,
      'sr_localsid_add_del_v2',
      add(ip6(0xd, 0), [28, '0c'], [58, '20'], [59, '10'], [60, '10']),
    );
    expect(vpp.localsids).toMatchObject([{ address: '2001:db8:d::', behavior: 12, prefixLength: 64 }]);
    await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '0c'], [58, '21'], [59, '10']), -7);
    await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '0c'], [58, '20'], [59, '08']), -7);
    await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '01'], [58, '70'], [59, '20']), -7);
    await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '01']));
    expect(await localsid(client, { isDelete: true, address: ip6(0xd, 1), behavior: 1 })).toBe(0);
  });
});
