import { expect, test } from 'vitest';
import type { VppStandIn } from './stand-in.js';
import type { Field, RawClient } from './testing/raw-client.js';
import { connected, lay, u32 } from './testing/raw-client.js';

const NONE = 'ffffffff';
const INTERFACES = [{ name: 'tap1', mac: '02:fe:00:00:00:01', ipv4Table: 7, ipv6Table: 7 }];
const TABLES = (['ipv4', 'ipv6'] as const).map((family) => ({ id: 7, family }));

/** Of one family: where the source address stands, and the action that chooses a FIB table. */
const FAMILIES = {
  ipv4: { mask: `${'00'.repeat(12)}ffffffff`, kind: 14, action: '01' },
  ipv6: { mask: `${'00'.repeat(8)}${'ff'.repeat(16)}${'00'.repeat(8)}`, kind: 18, action: '02' },
} as const;
type Family = keyof typeof FAMILIES;

const SOURCES: Readonly<Record<Family, string>> = {
  ipv4: `${'00'.repeat(12)}0a010005`,
  ipv6: `${'00'.repeat(8)}fd01${'00'.repeat(13)}05${'00'.repeat(8)}`,
};

/** From that source, to 10.2.0.1 or fd02::1. */
const PACKETS: Readonly<Record<Family, Buffer>> = {
  ipv4: lay(20, [0, '45'], [12, '0a010005'], [16, '0a020001']),
  ipv6: lay(40, [0, '60'], [8, `fd01${'00'.repeat(13)}05`], [24, `fd02${'00'.repeat(13)}01`]),
};

async function classifier(client: RawClient, family: Family, memory = '00200000'): Promise<number> {
  const { mask } = FAMILIES[family];
  const length = mask.length / 2;
  const reply = await client.call(
    'classify_add_del_table_6849e39e',
    47 + length,
    [10, '01'],
    [12, NONE],
    [16, u32(8)],
    [20, memory],
    [28, u32(length / 16)],
    [32, NONE],
    [36, NONE],
    [40, '01'],
    [43, u32(length)],
    [47, mask],
  );
  return reply.readUInt32BE(10);
}

function sessionFields(family: Family, index: number, table: number, isAdd = true): [number, ...Field[]] {
  const match = SOURCES[family];
  return [
    36 + match.length / 2,
    [10, isAdd ? '01' : '00'],
    [11, u32(index)],
    [15, NONE],
    [19, u32(table)],
    [27, FAMILIES[family].action],
    [28, u32(table)],
    [32, u32(match.length / 2)],
    [36, match],
  ];
}

function session(client: RawClient, ...parameters: Parameters<typeof sessionFields>): Promise<number> {
  const [size, ...fields] = sessionFields(...parameters);
  return client.retval('classify_add_del_session_f20879f0', size, ...fields);
}

async function inputAcl(client: RawClient, family: Family, index: number): Promise<void> {
  const fields: Field[] = [14, 18, 22].map((at) => [at, at === FAMILIES[family].kind ? u32(index) : NONE]);
  expect(await client.retval('input_acl_set_interface_de7ad708', 27, [10, u32(1)], ...fields, [26, '01'])).toBe(0);
}

function setTable(client: RawClient, family: Family, id: number, isAdd: boolean): Promise<number> {
  const flags: Field[] = [
    [10, isAdd ? '01' : '00'],
    [11, u32(id)],
    [15, family === 'ipv6' ? '01' : '00'],
  ];
  return client.retval('ip_table_add_del_0ffdaec0', 80, ...flags);
}

const via = (vpp: VppStandIn, family: Family): string => vpp.enter('tap1', PACKETS[family]).via;
const idsOf = (vpp: VppStandIn, family: Family): number[] =>
  vpp.tables.filter((table) => table.family === family).map(({ id }) => id);

test.each(['ipv4', 'ipv6'] as const)('a session looks %s packets up in the table that it names', async (family) => {
  const { vpp, client } = await connected({ interfaces: INTERFACES, tables: TABLES });
  await setTable(client, family, 8, true);
  const index = await classifier(client, family);
  await session(client, family, index, 8);
  expect(via(vpp, family)).toContain('table 7');
  await inputAcl(client, family, index);
  expect(via(vpp, family)).toContain('table 8');
  await session(client, family, index, 8, false);
  expect(via(vpp, family)).toContain('table 7');
});

test('a session makes the table when it is missing, under a name of VPP, and holds it', async () => {
  const { vpp, client } = await connected({ interfaces: INTERFACES, tables: TABLES });
  const index = await classifier(client, 'ipv4');
  await session(client, 'ipv4', index, 9);
  expect(vpp.tables.find(({ id }) => id === 9)?.name).toBe('ipv4-VRF:9');
  await setTable(client, 'ipv4', 9, true);
  await setTable(client, 'ipv4', 9, false);
  expect(idsOf(vpp, 'ipv4')).toEqual([0, 7, 9]);
  await session(client, 'ipv4', index, 9, false);
  expect(idsOf(vpp, 'ipv4')).toEqual([0, 7]);
});

test('what a replaced session held stays held for good, and what went with its classifier table', async () => {
  const { vpp, client } = await connected({ interfaces: INTERFACES, tables: TABLES });
  const index = await classifier(client, 'ipv4');
  await session(client, 'ipv4', index, 9);
  await session(client, 'ipv4', index, 10);
  await session(client, 'ipv4', index, 10, false);
  expect(idsOf(vpp, 'ipv4')).toEqual([0, 7, 9]);
  await session(client, 'ipv4', index, 11);
  await client.call('classify_add_del_table_6849e39e', 63, [12, u32(index)], [28, u32(1)], [43, u32(16)]);
  expect(idsOf(vpp, 'ipv4')).toEqual([0, 7, 9, 11]);
});

test('more sessions than the heap of their table holds kill VPP', async () => {
  const { vpp, client } = await connected({ interfaces: INTERFACES, tables: TABLES });
  const index = await classifier(client, 'ipv4', u32(16));
  const [size, ...fields] = sessionFields('ipv4', index, 7);
  client.send(client.request('classify_add_del_session_f20879f0', size, ...fields));
  await client.closed();
  expect(vpp.crashes).toMatchObject([{ reason: 'classifier-out-of-memory' }]);
});
