import { expect, test } from 'vitest';
import { connected } from './testing/raw-client.js';
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

test('cli_inband runs a few commands and echoes the others', async () => {
  const { client } = await connected();
  await addPolicy(client, BSID_A, 1, sid(1), sid(2));
  const run = async (command: string): Promise<string> => {
    const bytes = Buffer.from(command);
    const reply = await client.call(
      'cli_inband_f8377302',
      14 + bytes.length,
      [10, bytes.length.toString(16).padStart(8, '0')],
      [14, bytes.toString('hex')],
    );
    expect(reply.length).toBe(14 + reply.readUInt32BE(10));
    return reply.toString('utf8', 14);
  };
  expect(await run('show version')).toContain('vpp v26.06-release');
  expect(await run('show sr policies')).toContain('[0].- < 2001:db8:5::1, 2001:db8:5::2 > weight: 1');
  expect(await run('show sr steering-policies')).toContain('SR steering policies:');
  expect(await run('show sr localsids')).toContain('LocalSID');
  expect(await run('show sr encaps source addr')).toContain('= ::');
  expect(await run('anything else')).toBe('anything else\n');
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
