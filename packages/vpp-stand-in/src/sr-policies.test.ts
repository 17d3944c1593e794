import { expect, test } from 'vitest';
import type { RawClient } from './testing/raw-client.js';
import { connected, ip6 } from './testing/raw-client.js';
import {
  addList,
  addPolicy,
  BSID_A,
  BSID_B,
  changeWeight,
  deleteList,
  deletePolicy,
  list,
  sid,
  steer,
  table,
} from './testing/sr-requests.js';

/** [sl_index, last group of the first SID] of each list, per policy, from the dump. */
async function dumpedLists(client: RawClient): Promise<readonly (readonly (readonly [number, number])[])[]> {
  const policies = await client.dump('sr_policies_with_sl_index_dump_51077d14');
  return policies.map((message) =>
    Array.from({ length: message.readUInt8(28) }, (_, index) => {
      const offset = 29 + index * 265;
      return [message.readUInt32BE(offset + 5), message.readUInt16BE(offset + 9 + 14)] as const;
    }),
  );
}

test('policy add: -12 for a BSID that is a policy or any /128 route of its table, -13 for a missing table', async () => {
  const { client } = await connected();
  expect(await addPolicy(client, BSID_A, 1, sid(1))).toBe(0);
  expect(await addPolicy(client, BSID_A, 1, sid(1))).toBe(-12);
  expect(await steer(client, BSID_A, { address: ip6(0x77, 1), length: 128 })).toBe(0);
  expect(await addPolicy(client, ip6(0x77, 1), 1, sid(1))).toBe(-12);
  const inTable9 = (): Promise<number> =>
    client.retval('sr_policy_add_44ac92e8', 297, [10, BSID_B], [30, '01'], [32, '00000009'], ...list(36, 1, sid(1)));
  expect(await inTable9()).toBe(-13);
  await table(client, 9, true);
  expect(await inTable9()).toBe(0);
});

test('table 0xffffffff is table 0', async () => {
  const { vpp, client } = await connected();
  await client.call('sr_policy_add_44ac92e8', 297, [10, BSID_A], [30, '01'], [32, 'ffffffff'], ...list(36, 1, sid(1)));
  expect(vpp.policies[0]?.fibTable).toBe(0);
});

test('del and mod: -1 for an unknown BSID, -21 for the last list, -22 and -32 for a list of another policy', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addPolicy(client, BSID_B, 1, sid(2));
  expect(await deletePolicy(client, ip6(0xb, 9))).toBe(-1);
  expect(await addList(client, ip6(0xb, 9), 1, sid(1))).toBe(-1);
  expect(await deleteList(client, ip6(0xb, 9), 0)).toBe(-1);
  expect(await changeWeight(client, ip6(0xb, 9), 0, 1)).toBe(-1);
  expect(await deleteList(client, BSID_A, 0)).toBe(-21);
  await addList(client, BSID_A, 1, sid(3));
  expect(await deleteList(client, BSID_A, 1)).toBe(-22);
  expect(await changeWeight(client, BSID_A, 1, 1)).toBe(-32);
  expect(await changeWeight(client, BSID_A, 99, 1)).toBe(-32);
  expect(vpp.policies.map(({ lists }) => lists.length)).toEqual([2, 1]);
});

test('sl_index is global and re-used last-in-first-out; deletion moves the last list into the hole', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addPolicy(client, BSID_B, 1, sid(11));
  for (const n of [2, 3, 4]) await addList(client, BSID_A, 1, sid(n));
  expect(await dumpedLists(client)).toEqual([
    [
      [0, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ],
    [[1, 11]],
  ]);
  await deleteList(client, BSID_A, 0);
  await deleteList(client, BSID_A, 2);
  expect((await dumpedLists(client))[0]).toEqual([
    [4, 4],
    [3, 3],
  ]);
  await addList(client, BSID_B, 1, sid(12));
  await addList(client, BSID_B, 1, sid(13));
  expect((await dumpedLists(client))[1]).toEqual([
    [1, 11],
    [2, 12],
    [0, 13],
  ]);
});

test('a deleted policy frees its lists in order, so that the last one is taken first', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addList(client, BSID_A, 1, sid(2));
  await deletePolicy(client, BSID_A);
  await addPolicy(client, BSID_B, 1, sid(3));
  await addList(client, BSID_B, 1, sid(4));
  expect(await dumpedLists(client)).toEqual([
    [
      [1, 3],
      [0, 4],
    ],
  ]);
});

test('deleting the last list of a policy twice takes another list with it and corrupts the pool', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addList(client, BSID_A, 1, sid(2));
  await addList(client, BSID_A, 1, sid(3));
  expect(await deleteList(client, BSID_A, 2)).toBe(0);
  expect(await deleteList(client, BSID_A, 2)).toBe(0);
  expect(await dumpedLists(client)).toEqual([[[0, 1]]]);
  // Index 2 was freed twice and is now handed out twice: two policies share one list.
  await addList(client, BSID_A, 1, sid(4));
  await addPolicy(client, BSID_B, 1, sid(5));
  expect(await dumpedLists(client)).toEqual([
    [
      [0, 1],
      [2, 5],
    ],
    [[2, 5]],
  ]);
  expect(vpp.route(0, '2001:db8:b::1')).toMatchObject({ lists: [{ slIndex: 0 }, { segments: ['2001:db8:5::5'] }] });
});

test('deleting a list twice is refused when another took its place', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addList(client, BSID_A, 1, sid(2));
  await addList(client, BSID_A, 1, sid(3));
  expect(await deleteList(client, BSID_A, 0)).toBe(0);
  expect(await deleteList(client, BSID_A, 0)).toBe(-22);
});

test('changing the weight of a list that is gone can seem to work', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await addList(client, BSID_A, 1, sid(2));
  await deleteList(client, BSID_A, 1);
  expect(await changeWeight(client, BSID_A, 1, 50)).toBe(0);
  expect(vpp.policies[0]?.lists.map(({ weight }) => weight)).toEqual([1]);
});

test('weights are quantised as programmed, and a weight of 0xffffffff means 1', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 30, sid(1));
  await addList(client, BSID_A, 70, sid(2));
  const buckets = (): readonly number[] => vpp.policies[0]?.lists.map((each) => each.buckets) ?? [];
  expect(buckets()).toEqual([1, 3]);
  await changeWeight(client, BSID_A, 0, 140);
  expect(buckets()).toEqual([5, 3]);
  await changeWeight(client, BSID_A, 0, 0);
  expect(buckets()).toEqual([0, 8192]);
  await addPolicy(client, BSID_B, 0xffffffff, sid(1));
  expect(vpp.policies[1]?.lists[0]?.weight).toBe(1);
});

test('a spray policy sends to every list', async () => {
  const { vpp, client } = await connected();
  await client.call('sr_policy_add_44ac92e8', 297, [10, BSID_A], [30, '01'], [31, '01'], ...list(36, 3, sid(1)));
  await addList(client, BSID_A, 9, sid(2));
  expect(vpp.route(0, '2001:db8:b::1')).toMatchObject({ mode: 'spray', lists: [{ buckets: 1 }, { buckets: 1 }] });
});

test('a TEF policy keeps the load balance it was created with', async () => {
  const { vpp, client } = await connected();
  await client.call('sr_policy_add_v2_f6297f36', 313, [10, BSID_A], [30, '01'], [31, '02'], ...list(36, 1, sid(1)));
  await addList(client, BSID_A, 1, sid(2));
  expect(vpp.policies[0]?.lists.map(({ buckets }) => buckets)).toEqual([1, 0]);
});

test('encap source and hop limit are those of the moment a list was created', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await client.call('sr_set_encap_source_d3bad5e1', 26, [10, ip6(0xe, 1)]);
  await client.call('sr_set_encap_hop_limit_aa75d7d0', 11, [10, '20']);
  await addList(client, BSID_A, 1, sid(2));
  expect(vpp.policies[0]?.lists.map(({ encapSource, hopLimit }) => [encapSource, hopLimit])).toEqual([
    ['::', 64],
    ['2001:db8:e::1', 32],
  ]);
  // The dump shows one source for the policy: that of the list created last.
  const [details] = await client.dump('sr_policies_v2_dump_51077d14');
  expect(details?.toString('hex', 22, 38)).toBe(ip6(0xe, 1).replaceAll(' ', ''));
});

test('more than 16 SIDs are taken from what follows in memory, and run over in the dump', async () => {
  const { vpp, client } = await connected();
  const sids = Array.from({ length: 16 }, (_, n) => sid(n + 1));
  await client.call(
    'sr_policy_add_v2_f6297f36',
    313,
    [10, BSID_A],
    [30, '01'],
    ...list(36, 1, ...sids),
    [36, '12'],
    [297, ip6(0xe, 1)],
  );
  const segments = vpp.policies[0]?.lists[0]?.segments ?? [];
  expect(segments.length).toBe(18);
  expect(segments.slice(15)).toEqual(['2001:db8:5::10', '2001:db8:e::1', 'a5a5:a5a5:a5a5:a5a5:a5a5:a5a5:a5a5:a5a5']);

  await addList(client, BSID_A, 7, sid(0x77));
  const [details] = await client.dump('sr_policies_dump_51077d14');
  expect(details?.length).toBe(29 + 2 * 261);
  expect(details?.readUInt8(29)).toBe(18);
  // The second list was written over what ran over from the first.
  expect(details?.toString('hex', 290, 311)).toBe(`0100000007${sid(0x77).replaceAll(' ', '')}`);
  expect(details?.toString('hex', 311, 315)).toBe('a5a5a5a5');
});

test('the number of lists wraps beyond 255', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  for (let n = 2; n <= 257; n += 1)
    client.send(client.request('sr_policy_mod_b97bb56e', 304, [10, BSID_A], [34, '01'], ...list(43, 1, sid(n))));
  expect(await client.untilPing()).toHaveLength(256);
  const [details] = await client.dump('sr_policies_with_sl_index_dump_51077d14');
  expect(details?.readUInt8(28)).toBe(1);
  expect(details?.length).toBe(29 + 257 * 265);
});

test('SR shows two tables of its own while it is used', async () => {
  const { vpp, client } = await connected();
  const hidden = (): number => vpp.tables.filter(({ id }) => id === 0xffffffff).length;
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, { address: ip6(0x77, 0), length: 48 });
  await deletePolicy(client, BSID_A);
  expect(hidden()).toBe(2);
  await steer(client, BSID_A, { address: ip6(0x77, 0), length: 48, isDelete: true });
  expect(hidden()).toBe(0);
  await addPolicy(client, BSID_A, 1, sid(1));
  expect(hidden()).toBe(2);
  const details = await client.dump('ip_table_dump_51077d14');
  expect(details.map((message) => [message.readUInt32BE(6), message.readUInt8(10)])).toEqual([
    [0, 0],
    [0, 1],
    [0xffffffff, 1],
    [0xffffffff, 1],
  ]);
  expect(details.at(-1)?.toString('latin1', 11, 25)).toBe('SRv6 steering ');
});

test('a policy that inserts has no encap source', async () => {
  const { vpp, client } = await connected();
  await client.call('sr_set_encap_source_d3bad5e1', 26, [10, ip6(0xe, 1)]);
  await client.call('sr_policy_add_44ac92e8', 297, [10, BSID_A], ...list(36, 1, sid(1)));
  expect(vpp.policies[0]).toMatchObject({ isEncap: false, lists: [{ encapSource: '::' }] });
  expect(vpp.route(0, '2001:db8:b::1')).toMatchObject({ encapsulates: false });
});
