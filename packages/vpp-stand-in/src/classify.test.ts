import { expect, test } from 'vitest';
import type { Field, RawClient } from './testing/raw-client.js';
import { connected, lay, u32 } from './testing/raw-client.js';

const NONE = 'ffffffff';
/** Byte 6 of an IPv6 header: what follows it. */
const MASK = `${'00'.repeat(6)}ff${'00'.repeat(9)}`;
const ROUTING = `${'00'.repeat(6)}2b${'00'.repeat(9)}`;
const INTERFACES = [{ name: 'tap1', mac: '02:fe:00:00:00:01' }, { name: 'tun2' }];

interface TableFields {
  readonly isAdd?: boolean;
  readonly index?: string;
  readonly next?: string;
  readonly miss?: string;
  readonly flag?: string;
  readonly mask?: string;
}

function tableRequest(client: RawClient, fields: TableFields = {}): Buffer {
  const { isAdd = true, index = NONE, next = NONE, miss = NONE, flag = '01', mask = MASK } = fields;
  return client.request(
    'classify_add_del_table_6849e39e',
    47 + mask.length / 2,
    [10, isAdd ? '01' : '00'],
    [12, index],
    [16, '00000003'],
    [20, '00200000'],
    [28, u32(mask.length / 32)],
    [32, next],
    [36, miss],
    [40, flag],
    [43, u32(mask.length / 2)],
    [47, mask],
  );
}

async function answered(client: RawClient, request: Buffer): Promise<Buffer> {
  client.send(request);
  return (await client.next()) ?? Buffer.alloc(0);
}

/** Index of the new table. */
async function addTable(client: RawClient, fields: TableFields = {}): Promise<number> {
  const reply = await answered(client, tableRequest(client, fields));
  expect(reply.readInt32BE(6)).toBe(0);
  return reply.readUInt32BE(10);
}

function session(client: RawClient, table: number, match: string, ...fields: readonly Field[]): Promise<number> {
  const start: Field[] = [
    [10, '01'],
    [11, u32(table)],
    [19, NONE],
    [32, u32(match.length / 2)],
    [36, match],
  ];
  return client.retval('classify_add_del_session_f20879f0', 36 + match.length / 2, ...start, ...fields);
}

function inputAcl(client: RawClient, swIfIndex: number, table: string, isAdd = true): Promise<number> {
  const fields: Field[] = [
    [10, u32(swIfIndex)],
    [14, NONE],
    [18, table],
    [22, NONE],
    [26, isAdd ? '01' : '00'],
  ];
  return client.retval('input_acl_set_interface_de7ad708', 27, ...fields);
}

/** Classifier tables of an interface: layer 2, IPv4, IPv6. */
async function tablesOf(client: RawClient, swIfIndex: number): Promise<readonly number[]> {
  const reply = await client.call('classify_table_by_interface_f9e6675e', 14, [10, u32(swIfIndex)]);
  return [14, 18, 22].map((at) => reply.readInt32BE(at));
}

async function features(client: RawClient, name: string): Promise<string> {
  const cmd = Buffer.from(`show interface features ${name}`).toString('hex');
  const length = cmd.length / 2;
  const reply = await client.call('cli_inband_f8377302', 14 + length, [10, u32(length)], [14, cmd]);
  return reply.toString('utf8', 14);
}

function ipv6(nextHeader: number): Uint8Array {
  return lay(48, [0, '60'], [6, nextHeader.toString(16).padStart(2, '0')]);
}

test('tables and sessions are laid out as in classify.api', async () => {
  const { client } = await connected({ interfaces: INTERFACES });
  const head = (name: string): [number, string][] => [
    [0, client.id(name)],
    [2, '01020304'],
  ];
  const added = await answered(client, tableRequest(client, { miss: '12345678', next: '00000007' }));
  expect(added.toString('hex')).toBe(
    lay(22, ...head('classify_add_del_table_reply_05486349'), [18, '00000001']).toString('hex'),
  );
  expect(await session(client, 0, ROUTING, [15, '00010002'], [19, '0000002a'], [23, 'fffffffe'])).toBe(0);

  const ids = await client.call('classify_table_ids_51077d14', 10);
  expect(ids.toString('hex')).toBe(
    lay(18, ...head('classify_table_ids_reply_d1d20e1d'), [10, '00000001']).toString('hex'),
  );
  const info = await client.call('classify_table_info_0cca2cd9', 14, [10, u32(0)]);
  expect(info.toString('hex')).toBe(
    lay(
      58,
      ...head('classify_table_info_reply_4a573c0e'),
      // The number of buckets becomes a power of two.
      [14, '00000004'],
      [18, '00000001'],
      [26, '00000001'],
      [30, '00000007'],
      [34, '12345678'],
      [38, '00000010'],
      [42, MASK],
    ).toString('hex'),
  );
  const [details] = await client.dump('classify_session_dump_0cca2cd9', 14, [10, u32(0)]);
  expect(details?.toString('hex')).toBe(
    lay(
      46,
      ...head('classify_session_details_60e3ef94'),
      // Of the next index 16 bits are kept.
      [14, '00000002'],
      [18, 'fffffffe'],
      [22, '0000002a'],
      [26, '00000010'],
      [30, ROUTING],
    ).toString('hex'),
  );
});

test('an interface tells its input ACL, and its features on the arc', async () => {
  const { client } = await connected({ interfaces: INTERFACES });
  const table = await addTable(client);
  expect(await tablesOf(client, 1)).toEqual([-1, -1, -1]);
  expect(await features(client, 'tap1')).toContain('ip6-unicast:\n  ip6-not-enabled\n\n');
  expect(await inputAcl(client, 1, u32(table))).toBe(0);
  const reply = await client.call('classify_table_by_interface_f9e6675e', 14, [10, u32(1)]);
  expect(reply.toString('hex', 6)).toBe(`00000000${u32(1)}${NONE}${NONE}${u32(table)}`);
  expect(await features(client, 'tap1')).toContain('ip6-unicast:\n  ip6-not-enabled\n  ip6-inacl\n\n');
  expect(await inputAcl(client, 1, u32(table), false)).toBe(0);
  expect(await tablesOf(client, 1)).toEqual([-1, -1, -1]);
  expect(await features(client, 'nonsense')).toContain('unknown input');
});

test('refusals are those of VPP', async () => {
  const { client } = await connected({ interfaces: INTERFACES });
  const retval = async (request: Buffer) => (await answered(client, request)).readInt32BE(6);
  const table = await addTable(client);
  const wrongLength = tableRequest(client);
  wrongLength.writeUInt32BE(2, 28);
  expect(await retval(wrongLength)).toBe(-7);
  const noMemory = tableRequest(client);
  noMemory.writeUInt32BE(0, 20);
  expect(await retval(noMemory)).toBe(-70);
  const noBuckets = tableRequest(client);
  noBuckets.writeUInt32BE(0, 16);
  expect(await retval(noBuckets)).toBe(-7);
  expect(await retval(tableRequest(client, { mask: '00'.repeat(96) }))).toBe(-7);
  expect(await retval(tableRequest(client, { isAdd: false, index: u32(9) }))).toBe(-65);
  const missing = await client.call('classify_table_info_0cca2cd9', 14, [10, u32(9)]);
  // What stands behind the return code is whatever the memory held.
  expect([missing.length, missing.readInt32BE(6), missing.readInt32BE(38)]).toEqual([42, -91, -1]);
  expect(await client.dump('classify_session_dump_0cca2cd9', 14, [10, u32(9)])).toEqual([]);
  expect(await session(client, 9, ROUTING)).toBe(-65);
  expect(await session(client, table, ROUTING.repeat(2))).toBe(-7);
  expect(await session(client, table, ROUTING, [10, '00'])).toBe(-6);
  expect(await inputAcl(client, 9, u32(table))).toBe(-2);
  expect(await inputAcl(client, 1, u32(9))).toBe(-65);
  expect(await inputAcl(client, 1, u32(table), false)).toBe(-65);
  expect(await client.retval('classify_table_by_interface_f9e6675e', 14, [10, u32(9)])).toBe(-2);
});

test('a second table for an interface is taken without a word, and nothing comes of it', async () => {
  const { client } = await connected({ interfaces: INTERFACES });
  const [first, second] = [await addTable(client), await addTable(client)];
  await inputAcl(client, 1, u32(first));
  expect(await inputAcl(client, 1, u32(second))).toBe(0);
  expect(await tablesOf(client, 1)).toEqual([-1, -1, first]);
});

test('an interface that takes the number of one that is gone shows its input ACL, which no packet meets', async () => {
  const { vpp, client } = await connected({ interfaces: INTERFACES });
  const table = await addTable(client);
  await session(client, table, ROUTING);
  await inputAcl(client, 2, u32(table));
  expect(vpp.inputVerdict('tun2', ipv6(43))).toBe('drop');
  vpp.removeInterface('tun2');
  vpp.addInterface({ name: 'tun3' });
  expect(await tablesOf(client, 2)).toEqual([-1, -1, table]);
  expect(await inputAcl(client, 2, u32(table))).toBe(0);
  expect(vpp.inputVerdict('tun3', ipv6(43))).toBe('accept');
  await inputAcl(client, 2, u32(table), false);
  await inputAcl(client, 2, u32(table));
  expect(vpp.inputVerdict('tun3', ipv6(43))).toBe('drop');
});

test('a packet goes through the chain of tables until a session fits', async () => {
  const { vpp, client } = await connected({ interfaces: INTERFACES });
  const behind = await addTable(client, { miss: u32(1_000) });
  const first = await addTable(client, { next: u32(behind), miss: u32(0) });
  await session(client, first, ROUTING, [15, NONE]);
  await session(client, behind, ROUTING);
  await session(client, behind, ROUTING.replace('2b', '3c'));
  await inputAcl(client, 1, u32(first));
  const verdicts = () => [43, 60, 17].map((next) => vpp.inputVerdict('tap1', ipv6(next)));
  expect(verdicts()).toEqual(['accept', 'drop', 'accept']);
  await answered(client, tableRequest(client, { index: u32(first), next: NONE }));
  expect(verdicts()).toEqual(['accept', 'drop', 'drop']);
});

test('without the flag a packet is held against the mask from its link header on', async () => {
  const { vpp, client } = await connected({ interfaces: INTERFACES });
  const table = await addTable(client, { flag: '00' });
  await session(client, table, ROUTING);
  await inputAcl(client, 1, u32(table));
  await inputAcl(client, 2, u32(table));
  expect([vpp.inputVerdict('tap1', ipv6(43)), vpp.inputVerdict('tun2', ipv6(43))]).toEqual(['accept', 'drop']);
});

test.each([
  { what: 'that packets of an interface are held against', isFirst: true },
  { what: 'behind that one', isFirst: false },
])('deleting a table $what kills VPP', async ({ isFirst }) => {
  const { vpp, client } = await connected({ interfaces: INTERFACES });
  const behind = await addTable(client);
  const first = await addTable(client, { next: u32(behind) });
  await inputAcl(client, 1, u32(first));
  client.send(tableRequest(client, { isAdd: false, index: u32(isFirst ? first : behind) }));
  await client.closed();
  expect(vpp.crashes).toMatchObject([{ reason: 'classifier-vanished-under-its-interface' }]);
});

test('tables that nothing is held against are deleted, one or the chain', async () => {
  const { client } = await connected({ interfaces: INTERFACES });
  const behind = await addTable(client);
  const first = await addTable(client, { next: u32(behind) });
  const chain = tableRequest(client, { isAdd: false, index: u32(first) });
  chain.writeUInt8(1, 11);
  const deleted = await answered(client, chain);
  expect(deleted.toString('hex', 6)).toBe(`00000000${NONE.repeat(3)}`);
  expect((await client.call('classify_table_ids_51077d14', 10)).readUInt32BE(10)).toBe(0);
  expect(await addTable(client)).toBe(behind);
});
