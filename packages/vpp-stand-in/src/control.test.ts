import { expect, test } from 'vitest';
import { connect, connected, type RawClient } from './testing/raw-client.js';
import { addPolicy, BSID_A, sid } from './testing/sr-requests.js';

const textOf = (reply: Buffer, offset: number, width: number): string =>
  reply.toString('latin1', offset, offset + width).replaceAll('\0', '');

test('show_version', async () => {
  const { client } = await connected({ version: '26.06-rc1' });
  const reply = await client.call('show_version_51077d14', 10);
  expect(reply.length).toBe(362);
  expect(reply.toString('hex', 0, 10)).toBe(`${client.id('show_version_reply_c919bde1')}0102030400000000`);
  expect([textOf(reply, 10, 32), textOf(reply, 42, 32), textOf(reply, 74, 32)]).toEqual([
    'vpe',
    '26.06-rc1',
    '2026-06-24T12:00:00',
  ]);
});

test('show_vpe_system_time is a little-endian double', async () => {
  const { client } = await connected();
  const before = Date.now() / 1000;
  const reply = await client.call('show_vpe_system_time_51077d14', 10);
  expect(reply.length).toBe(18);
  expect(reply.readDoubleLE(10)).toBeGreaterThanOrEqual(before);
});

test('control_ping tells the process id, which changes with a restart, and leaves 4 bytes undefined', async () => {
  const { client } = await connected();
  const reply = await client.call('control_ping_51077d14', 10);
  expect(reply.toString('hex')).toBe(`${client.id('control_ping_reply_f6b0b8ca')}0102030400000000deadbeef000003e9`);
});

async function cli(client: RawClient, command: string): Promise<string> {
  const bytes = Buffer.from(command);
  const reply = await client.call(
    'cli_inband_f8377302',
    14 + bytes.length,
    [10, bytes.length.toString(16).padStart(8, '0')],
    [14, bytes.toString('hex')],
  );
  expect(reply.length).toBe(14 + reply.readUInt32BE(10));
  return reply.toString('utf8', 14);
}

test('cli_inband runs a few commands and echoes the others', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1), sid(2));
  const run = (command: string): Promise<string> => cli(client, command);
  expect(await run('show version')).toContain('vpp v26.06-release');
  expect(await run('show sr policies')).toContain('[0].- < 2001:db8:5::1, 2001:db8:5::2 > weight: 1');
  expect(await run('show sr steering-policies')).toContain('SR steering policies:');
  expect(await run('show sr localsids')).toContain('LocalSID');
  expect(await run('show sr encaps source addr')).toContain('= ::');
  expect(await run('anything else')).toBe('anything else\n');
});

test('show interface is what VPP 26.06 prints of the same interfaces, to the letter', async () => {
  const { vpp, client } = await connected({
    interfaces: [
      { name: 'pg0' },
      { name: 'pg1' },
      { name: 'loop0', isUp: false },
      { name: 'loop0.7', parent: 3, vlan: 7, isUp: false },
    ],
  });
  vpp.setInterfaceCounters('pg0', { rxPackets: 1251, rxBytes: 250_200, drops: 17, ip4: 1251 });
  vpp.setInterfaceCounters('pg1', { txPackets: 1234, txBytes: 264_076 });
  expect(() => vpp.setInterfaceCounters('pg9', {})).toThrow('no interface pg9');
  const below = ' '.repeat(68);
  expect(await cli(client, 'show interface')).toBe(
    [
      '              Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter          Count     ',
      'local0                            0     down          0/0/0/0       ',
      'loop0                             3     down         9000/0/0/0     ',
      'loop0.7                           4     down          0/0/0/0       ',
      'pg0                               1      up          9000/0/0/0     rx packets                  1251',
      `${below}rx bytes                  250200`,
      `${below}drops                         17`,
      `${below}ip4                         1251`,
      'pg1                               2      up          9000/0/0/0     tx packets                  1234',
      `${below}tx bytes                  264076`,
      '',
    ].join('\n'),
  );
  await vpp.restart();
  const again = connect(vpp);
  await again.handshake();
  expect(await cli(again, 'show interface')).not.toContain('packets');
});

test('a command longer than its message is dropped', async () => {
  const { vpp, client } = await connected();
  client.send(client.request('cli_inband_f8377302', 16, [10, '00000009'], [14, '7368']));
  client.send(client.request('cli_inband_f8377302', 12));
  expect(await client.untilPing()).toEqual([]);
  expect(vpp.log.slice(-3, -1).map(({ outcome }) => outcome)).toEqual(['truncated', 'truncated']);
});

test('get_api_json returns the given definitions, with a byte behind the string', async () => {
  const { client } = await connected({ apiJson: [{ module: 'one' }, { module: 'two' }] });
  const reply = await client.call('get_api_json_51077d14', 10);
  const length = reply.readUInt32BE(10);
  expect(JSON.parse(reply.toString('utf8', 14, 14 + length))).toEqual([{ module: 'one' }, { module: 'two' }]);
  expect(reply.length).toBe(14 + length + 1);
});

test('get_api_json has definitions of its own', async () => {
  const { client } = await connected();
  const reply = await client.call('get_api_json_51077d14', 10);
  const files: unknown = JSON.parse(reply.toString('utf8', 14, 14 + reply.readUInt32BE(10)));
  expect(files).toMatchObject([{ module: 'memclnt' }, { module: 'vpe' }]);
});
