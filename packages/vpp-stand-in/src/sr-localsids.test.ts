import { expect, test } from 'vitest';
import { connected, ip6 } from './testing/raw-client.js';
import { addPolicy, localsid, sid, steer, table } from './testing/sr-requests.js';

const SID = ip6(0xd, 1);

test('return codes: -1 exists, -2 deletion of unknown or no such interface, -3 no table, -4 address already routed', async () => {
  const { client } = await connected();
  expect(await localsid(client, { address: SID, behavior: 1, isDelete: true })).toBe(-2);
  expect(await localsid(client, { address: SID, behavior: 2, interfaceOrTable: 77 })).toBe(-2);
  expect(await localsid(client, { address: SID, behavior: 1, fibTable: 9 })).toBe(-3);
  expect(await localsid(client, { address: SID, behavior: 1 })).toBe(0);
  expect(await localsid(client, { address: SID, behavior: 1 })).toBe(-1);
  await addPolicy(client, ip6(0xb, 1), 1, sid(1));
  expect(await localsid(client, { address: ip6(0xb, 1), behavior: 1 })).toBe(-4);
  await steer(client, ip6(0xb, 1), { address: ip6(0x77, 1), length: 128 });
  expect(await localsid(client, { address: ip6(0x77, 1), behavior: 1 })).toBe(-4);
});

test('DT4, DT6 and T show their inner table, End shows 0, cross-connects their interface', async () => {
  const { vpp, client } = await connected();
  await table(client, 4, false);
  await table(client, 6, true);
  const all: [behavior: number, given: number][] = [
    [1, 99],
    [3, 6],
    [8, 6],
    [9, 4],
    [2, 1],
    [5, 1],
    [12, 99],
  ];
  for (const [behavior, interfaceOrTable] of all)
    expect(await localsid(client, { address: ip6(0xd, behavior), behavior, interfaceOrTable })).toBe(0);
  expect(vpp.localsids.map((each) => [each.behavior, each.interfaceOrTable, each.prefixLength])).toEqual([
    [1, 0, 128],
    [3, 6, 128],
    [8, 6, 128],
    [9, 4, 128],
    [2, 1, 128],
    [5, 1, 128],
    [12, 0, 48],
  ]);
  expect(vpp.route(0, '2001:db8:d::9')).toMatchObject({ kind: 'localsid', localsid: '2001:db8:d::9' });
});

test('a deletion goes by the prefix length of its own behavior', async () => {
  const { client } = await connected();
  await localsid(client, { address: ip6(0xd, 0), behavior: 12 });
  expect(await localsid(client, { address: ip6(0xd, 0), behavior: 1, isDelete: true })).toBe(-2);
  expect(await localsid(client, { address: ip6(0xd, 0), behavior: 12, isDelete: true })).toBe(0);
});

test('a deletion takes the route out of the table it names, and leaves one in the table of the localsid', async () => {
  const { vpp, client } = await connected();
  await table(client, 2, true);
  await localsid(client, { address: SID, behavior: 1, fibTable: 2 });
  expect(await localsid(client, { address: SID, behavior: 1, isDelete: true })).toBe(0);
  expect(vpp.localsids).toEqual([]);
  expect(vpp.route(2, '2001:db8:d::1')).toMatchObject({ kind: 'localsid' });
  expect(await localsid(client, { address: SID, behavior: 1, fibTable: 2 })).toBe(-4);
});

test('a table deleted under DT4 is still shown by its id', async () => {
  const { client } = await connected();
  await table(client, 4, false);
  await localsid(client, { address: SID, behavior: 9, interfaceOrTable: 4 });
  await table(client, 4, false, false);
  const [details] = await client.dump('sr_localsids_dump_51077d14');
  expect(details?.readUInt32BE(49)).toBe(4);
});

test('counters belong to a localsid that is there', async () => {
  const { vpp } = await connected();
  const counters = { goodBytes: 0n, goodPackets: 0n, badBytes: 0n, badPackets: 0n };
  expect(() => vpp.setLocalsidCounters('2001:db8::1', counters)).toThrow(RangeError);
});
