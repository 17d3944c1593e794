import { expect, test } from 'vitest';
import { connected, expectReply, head, ip6, lay } from './testing/raw-client.js';
import type { Field } from './testing/raw-client.js';
import { localsid } from './testing/sr-requests.js';

/*
 * Golden bytes: requests are laid out here by hand, and what comes back is compared whole. Each field has a value that no
 * other field has.
 */

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
  await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 0), [28, '0c'], [58, '20'], [59, '10'], [60, '10']));
  expect(vpp.localsids).toMatchObject([{ address: '2001:db8:d::', behavior: 12, prefixLength: 64 }]);
  await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '0c'], [58, '21'], [59, '10']), -7);
  await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '0c'], [58, '20'], [59, '08']), -7);
  await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '01'], [58, '70'], [59, '20']), -7);
  await expectReply(client, 'sr_localsid_add_del_v2', add(ip6(0xd, 1), [28, '01']));
  expect(await localsid(client, { isDelete: true, address: ip6(0xd, 1), behavior: 1 })).toBe(0);
});
