import { expect, test } from 'vitest';
import { connected, ip6 } from './testing/raw-client.js';
import { addPolicy, BSID_A, BSID_B, deletePolicy, list, sid, steer, table } from './testing/sr-requests.js';

const PREFIX = { address: ip6(0x77, 0), length: 48 };
const HOST = '2001:db8:77::1';

test('return codes: -1 bad type, -2 no such BSID, -4 deletion of what is not there, -5 IPv4 onto an insert policy', async () => {
  const { client } = await connected();
  await client.call('sr_policy_add_44ac92e8', 297, [10, BSID_A], ...list(36, 1, sid(1)));
  expect(await steer(client, BSID_A, { ...PREFIX, traffic: 5 })).toBe(-1);
  expect(await steer(client, BSID_B, PREFIX)).toBe(-2);
  expect(await steer(client, BSID_A, { ...PREFIX, isDelete: true })).toBe(-4);
  expect(await steer(client, BSID_A, { address: '0a000000', family: 4, length: 8 })).toBe(-5);
  expect(await steer(client, BSID_A, PREFIX)).toBe(0);
});

test('adding again re-points, and IPv4 even onto an insert policy, which drops it', async () => {
  const { vpp, client } = await connected();
  const prefix = { address: '0a000000', family: 4, length: 8 } as const;
  await addPolicy(client, BSID_A, 1, sid(1));
  await client.call('sr_policy_add_44ac92e8', 297, [10, BSID_B], ...list(36, 1, sid(2)));
  expect(await steer(client, BSID_A, prefix)).toBe(0);
  expect(vpp.route(0, '10.1.2.3')).toMatchObject({ bsid: '2001:db8:b::1', encapsulates: true });
  expect(await steer(client, BSID_B, prefix)).toBe(0);
  expect(vpp.steerings).toMatchObject([{ prefix: '10.0.0.0/8', bsid: '2001:db8:b::2' }]);
  expect(vpp.route(0, '10.1.2.3')).toMatchObject({ kind: 'drop', reason: 'dangling-steering' });
});

test('deleting a steering ignores the BSID', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, PREFIX);
  expect(await steer(client, BSID_B, { ...PREFIX, isDelete: true })).toBe(0);
  expect(vpp.route(0, HOST)).toMatchObject({ kind: 'drop', reason: 'no-route' });
});

test('host bits are kept: two steerings fall together and one deletion takes the route of both', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addPolicy(client, BSID_B, 1, sid(2));
  await steer(client, BSID_A, PREFIX);
  await steer(client, BSID_B, { address: ip6(0x77, 5), length: 48 });
  expect(vpp.steerings.map(({ prefix }) => prefix)).toEqual(['2001:db8:77::/48', '2001:db8:77::5/48']);
  expect(vpp.route(0, HOST)).toMatchObject({ lists: [{ slIndex: 0 }, { slIndex: 1 }] });
  await steer(client, BSID_B, { address: ip6(0x77, 5), length: 48, isDelete: true });
  expect(vpp.steerings).toHaveLength(1);
  expect(vpp.route(0, HOST)).toMatchObject({ kind: 'drop', reason: 'no-route' });
});

test('deleting a policy under live steering leaves it dangling, and its slot goes to the next policy', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, PREFIX);
  const dumpedBsid = async (): Promise<string | undefined> =>
    (await client.dump('sr_steering_pol_dump_51077d14'))[0]?.toString('hex', 33);

  expect(await deletePolicy(client, BSID_A)).toBe(0);
  expect(vpp.steerings).toMatchObject([{ isDangling: true }]);
  expect(await dumpedBsid()).toBe(BSID_A.replaceAll(' ', ''));
  expect(vpp.route(0, HOST)).toMatchObject({ kind: 'drop', reason: 'dangling-steering' });

  await addPolicy(client, BSID_B, 1, sid(2));
  expect(await dumpedBsid()).toBe(BSID_B.replaceAll(' ', ''));
  expect(vpp.steerings).toMatchObject([{ isDangling: false, bsid: '2001:db8:b::2' }]);
  expect(vpp.route(0, HOST)).toMatchObject({ kind: 'drop', reason: 'dangling-steering' });

  // The route goes by address: a policy with the old BSID revives it, in whatever slot.
  await addPolicy(client, BSID_A, 1, sid(3));
  expect(vpp.route(0, HOST)).toMatchObject({ kind: 'policy', lists: [{ segments: ['2001:db8:5::3'] }] });
});

test('::/0 and other IPv6 prefixes of small numbers are dumped as IPv4', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, { address: '00', length: 0 });
  await steer(client, BSID_A, { address: '00'.repeat(12) + '0a000001', length: 128 });
  const dumped = await client.dump('sr_steering_pol_dump_51077d14');
  expect(
    dumped.map((message) => [message.readUInt8(6), message.toString('hex', 11, 16), message.readUInt8(28)]),
  ).toEqual([
    [6, '0000000000', 0],
    [6, '000a000001', 128],
  ]);
  expect(vpp.steerings.map(({ prefix }) => prefix)).toEqual(['::/0', '::a00:1/128']);
  // Each table has a route for it.
  expect(vpp.route(0, '2001:db8::9')).toMatchObject({ reason: 'steered-beside-a-drop', via: '::/0 in table 0' });
  expect(vpp.route(0, '::a00:1')).toMatchObject({ kind: 'policy' });
});

test('the same prefix in two tables is two steerings', async () => {
  const { vpp, client } = await connected();
  await table(client, 2, true);
  await addPolicy(client, BSID_A, 1, sid(1));
  await addPolicy(client, BSID_B, 1, sid(2));
  await steer(client, BSID_A, PREFIX);
  await steer(client, BSID_B, { ...PREFIX, table: 2 });
  expect(vpp.route(0, HOST)).toMatchObject({ bsid: '2001:db8:b::1' });
  expect(vpp.route(2, HOST)).toMatchObject({ bsid: '2001:db8:b::2' });
  expect(vpp.route(3, HOST)).toMatchObject({ kind: 'drop', reason: 'no-such-table' });
});

test('what VPP reserves in every table wins over steering', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  expect(await steer(client, BSID_A, { address: 'e0000000', family: 4, length: 4 })).toBe(0);
  expect(vpp.route(0, '224.0.0.1')).toMatchObject({ kind: 'drop', reason: 'drop-route' });
});
