import { expect, test } from 'vitest';
import type { Field, RawClient } from './testing/raw-client.js';
import { connected, ip6, lay, u32 } from './testing/raw-client.js';
import { addPolicy, BSID_A, sid, steer, table } from './testing/sr-requests.js';

/** A path at `offset` that looks the packet up again in another table. */
const viaTable = (offset: number, id: number, proto: 0 | 1): readonly Field[] => [
  [offset, 'ffffffff'],
  [offset + 4, u32(id)],
  [offset + 12, '01'],
  [offset + 22, u32(proto)],
];

interface RouteAsk {
  readonly isAdd?: boolean;
  readonly isMultipath?: boolean;
  readonly table: number;
  readonly address: string;
  readonly length: number;
  readonly paths: readonly (readonly Field[])[];
}

/** ip_route_add_del of an IPv4 prefix; the paths are laid out from 0. */
function route(client: RawClient, ask: RouteAsk): Promise<Buffer> {
  const { isAdd = true, isMultipath = false, paths } = ask;
  const moved = paths.flatMap((path, index) => path.map(([at, hex]): Field => [39 + index * 167 + at, hex]));
  return client.call(
    'ip_route_add_del_b8ecfe0d',
    39 + paths.length * 167,
    [10, isAdd ? '01' : '00'],
    [11, isMultipath ? '01' : '00'],
    [12, u32(ask.table)],
    [20, '00'],
    [21, ask.address],
    [37, ask.length.toString(16).padStart(2, '0')],
    [38, paths.length.toString(16).padStart(2, '0')],
    ...moved,
  );
}

test('tables: added twice, deleted once, table 0 left alone, both families and both versions of the message', async () => {
  const { vpp, client } = await connected();
  const known = (): readonly string[] => vpp.tables.map(({ id, family, name }) => `${family} ${String(id)} ${name}`);
  const name = Buffer.from('pods').toString('hex');
  const add = await client.call('ip_table_add_del_v2_14e5081f', 81, [10, u32(2)], [14, '01'], [15, name], [80, '01']);
  expect(add.toString('hex')).toBe(`${client.id('ip_table_add_del_v2_reply_e8d4e804')}0102030400000000`);
  await table(client, 2, true);
  const old = await client.call('ip_table_add_del_0ffdaec0', 80, [10, '01'], [11, u32(5)], [15, '00']);
  expect(old.toString('hex')).toBe(`${client.id('ip_table_add_del_reply_e8d4e804')}0102030400000000`);
  expect(known()).toEqual(['ipv4 0 ipv4-VRF:0', 'ipv4 5 ipv4-VRF:5', 'ipv6 0 ipv6-VRF:0', 'ipv6 2 pods']);

  const details = await client.dump('ip_table_dump_51077d14');
  expect(details[3]?.toString('hex')).toBe(
    lay(75, [0, client.id('ip_table_details_c79fca0f')], [2, '01020304'], [6, u32(2)], [10, '01'], [11, name]).toString(
      'hex',
    ),
  );
  await table(client, 2, true, false);
  await table(client, 0, true, false);
  await table(client, 77, true, false);
  expect(known()).toEqual(['ipv4 0 ipv4-VRF:0', 'ipv4 5 ipv4-VRF:5', 'ipv6 0 ipv6-VRF:0']);
});

test('an exception via another table goes around steering', async () => {
  const { vpp, client } = await connected({ tables: [{ id: 2, family: 'ipv4' }] });
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, { address: '0a010000', family: 4, length: 16, table: 2 });
  await route(client, {
    table: 0,
    address: '0a010205',
    length: 32,
    paths: [
      [
        [0, '00000001'],
        [26, '0a010205'],
      ],
    ],
  });
  expect(vpp.route(2, '10.1.2.5')).toMatchObject({ kind: 'policy' });

  const reply = await route(client, { table: 2, address: '0a010205', length: 32, paths: [viaTable(0, 0, 0)] });
  expect(reply.toString('hex')).toBe(`${client.id('ip_route_add_del_reply_1992deab')}0102030400000000ffffffff`);
  expect(vpp.route(2, '10.1.2.5')).toEqual({
    kind: 'route',
    nextHops: ['10.1.2.5 interface 1'],
    via: '10.1.2.5/32 in table 0',
  });
  expect(vpp.route(2, '10.1.2.6')).toMatchObject({ kind: 'policy', via: '10.1.0.0/16 in table 2' });

  await route(client, { isAdd: false, table: 2, address: '0a010205', length: 32, paths: [] });
  expect(vpp.route(2, '10.1.2.5')).toMatchObject({ kind: 'policy' });
});

test('steering wins over a route of the API for the same prefix, loses a share of the flows, and gives it back', async () => {
  const { vpp, client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  const prefix = { address: '0a010000', length: 16 };
  await route(client, {
    ...prefix,
    table: 0,
    paths: [
      [
        [0, '00000001'],
        [26, 'c0000201'],
      ],
    ],
  });
  await steer(client, BSID_A, { ...prefix, family: 4 });
  expect(vpp.route(0, '10.1.2.5')).toMatchObject({ reason: 'steered-beside-a-drop' });
  await steer(client, BSID_A, { ...prefix, family: 4, isDelete: true });
  expect(vpp.route(0, '10.1.2.5')).toMatchObject({ kind: 'route', nextHops: ['192.0.2.1 interface 1'] });
});

test('routes are refused: -3 no table, -52 no paths, -54 no interface, -171 prefix length', async () => {
  const { client } = await connected();
  const code = async (ask: RouteAsk): Promise<number> => (await route(client, ask)).readInt32BE(6);
  const good = { table: 0, address: '0a', length: 8, paths: [viaTable(0, 0, 0)] };
  expect(await code({ ...good, table: 9 })).toBe(-3);
  expect(await code({ ...good, paths: [viaTable(0, 9, 0)] })).toBe(-3);
  expect(await code({ ...good, paths: [] })).toBe(-52);
  expect(await code({ ...good, paths: [[[0, '00000063']]] })).toBe(-54);
  expect(await code({ ...good, length: 33 })).toBe(-171);
  expect(await code(good)).toBe(0);
});

test('multipath adds and removes single paths, otherwise the set is replaced', async () => {
  const { vpp, client } = await connected();
  const hop = (last: string): readonly Field[] => [
    [0, '00000001'],
    [26, `c00002${last}`],
  ];
  const prefix = { table: 0, address: '0a', length: 8 };
  const hops = (): unknown => vpp.route(0, '10.0.0.1');
  await route(client, { ...prefix, paths: [hop('01'), hop('02')] });
  await route(client, { ...prefix, isMultipath: true, paths: [hop('03')] });
  await route(client, { ...prefix, isMultipath: true, isAdd: false, paths: [hop('01')] });
  expect(hops()).toMatchObject({ nextHops: ['192.0.2.2 interface 1', '192.0.2.3 interface 1'] });
  await route(client, { ...prefix, paths: [hop('09')] });
  expect(hops()).toMatchObject({ nextHops: ['192.0.2.9 interface 1'] });
  await route(client, { ...prefix, isMultipath: true, isAdd: false, paths: [hop('09')] });
  expect(hops()).toMatchObject({ kind: 'drop', reason: 'no-route' });
});

test('a drop path drops, and tables that look into each other drop too', async () => {
  const { vpp, client } = await connected({ tables: [{ id: 2, family: 'ipv4' }] });
  await route(client, { table: 0, address: '0a', length: 8, paths: [[[14, u32(2)]]] });
  expect(vpp.route(0, '10.0.0.1')).toMatchObject({ kind: 'drop', reason: 'drop-route' });
  await route(client, { table: 0, address: '0b', length: 8, paths: [viaTable(0, 2, 0)] });
  await route(client, { table: 2, address: '0b', length: 8, paths: [viaTable(0, 0, 0)] });
  expect(vpp.route(0, '11.0.0.1')).toMatchObject({ kind: 'drop', reason: 'lookup-loop' });
});

test('ip_route_add_del_v2, and the dump of its route with what every table has', async () => {
  const { client } = await connected({ tables: [{ id: 2, family: 'ipv6' }] });
  const reply = await client.call(
    'ip_route_add_del_v2_521ef330',
    40 + 167,
    [10, '01'],
    [12, u32(2)],
    [20, '01'],
    [21, ip6(0x77, 0)],
    [37, '30'],
    [38, '01'],
    ...viaTable(40, 0, 1),
  );
  expect(reply.toString('hex')).toBe(`${client.id('ip_route_add_del_v2_reply_1992deab')}0102030400000000ffffffff`);

  const all = await client.dump('ip_route_v2_dump_d16f72e6', 80, [11, u32(2)], [15, '01']);
  expect(all.map((message) => [message.readUInt8(31), message.readUInt8(33)])).toEqual([
    [0, 20],
    [10, 1],
    [48, 8],
  ]);
  const fromApi = await client.dump('ip_route_v2_dump_d16f72e6', 80, [10, '08'], [11, u32(2)], [15, '01']);
  expect(fromApi.map((message) => message.toString('hex'))).toEqual([
    lay(
      34 + 167,
      [0, client.id('ip_route_v2_details_b09aa6c0')],
      [2, '01020304'],
      [6, u32(2)],
      [10, 'ffffffff'],
      [14, '01'],
      [15, ip6(0x77, 0)],
      [31, '30'],
      [32, '01'],
      [33, '08'],
      ...viaTable(34, 0, 1),
    ).toString('hex'),
  ]);
});

test('ip_route_dump, with steering as a path through the BSID', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1));
  await steer(client, BSID_A, { address: '0a010000', family: 4, length: 16 });
  const routes = await client.dump('ip_route_dump_b9d2e09e', 79);
  expect(routes.map((message) => message.readUInt8(31))).toEqual([0, 32, 4, 4, 32, 16]);
  expect(routes[5]?.toString('hex')).toBe(
    lay(
      33 + 167,
      [0, client.id('ip_route_details_bda8f315')],
      [2, '01020304'],
      [10, 'ffffffff'],
      [15, '0a010000'],
      [31, '10'],
      [32, '01'],
      [33, 'ffffffff'],
      [37, 'ffffffff'],
      [45, '01'],
      [55, u32(1)],
      [59, BSID_A],
    ).toString('hex'),
  );
  expect(await client.dump('ip_route_dump_b9d2e09e', 79, [10, u32(9)])).toEqual([]);
});

test('a lookup finds the exact prefix or the longest match, and says -6 no route, -3 no table', async () => {
  const { client } = await connected();
  const lookUp = (id: number, exact: boolean, address: string, length: number): Promise<Buffer> =>
    client.call(
      'ip_route_lookup_710d6471',
      33,
      [10, u32(id)],
      [14, exact ? '01' : '00'],
      [15, '00'],
      [16, address],
      [32, length.toString(16).padStart(2, '0')],
    );
  const path: readonly Field[] = [
    [0, '00000001'],
    [26, 'c0000201'],
  ];
  await route(client, { table: 0, address: '0a010000', length: 16, paths: [path] });
  const found = await lookUp(0, true, '0a010000', 16);
  expect(found.toString('hex')).toBe(
    lay(
      37 + 167,
      [0, client.id('ip_route_lookup_reply_5d8febcb')],
      [2, '01020304'],
      [14, 'ffffffff'],
      [19, '0a010000'],
      [35, '10'],
      [36, '01'],
      [37, '00000001'],
      [49, '01'],
      [63, 'c0000201'],
    ).toString('hex'),
  );
  expect((await lookUp(0, true, '0a010000', 17)).readInt32BE(6)).toBe(-6);
  expect((await lookUp(0, false, '0a010203', 32)).subarray(19, 37).toString('hex')).toMatch(/^0a010000.*1001$/);
  expect((await lookUp(9, true, '0a010000', 16)).readInt32BE(6)).toBe(-3);
});
