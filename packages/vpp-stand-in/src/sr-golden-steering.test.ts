import { expect, test } from 'vitest';
import { connected, expectReply, head, ip6, lay } from './testing/raw-client.js';
import type { Field } from './testing/raw-client.js';
import { addPolicy, BSID_A, sid, steer } from './testing/sr-requests.js';

/*
 * Golden bytes: requests are laid out here by hand, and what comes back is compared whole. Each field has a value that no
 * other field has.
 */

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
