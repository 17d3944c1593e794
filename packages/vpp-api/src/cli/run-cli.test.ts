import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, type BytePart, padded, RawServer } from '../testing/raw-server.js';
import { runCli } from './run-cli.js';

const JSON_REQUEST = 20;
const table = [
  [10, 'show_version_51077d14'],
  [11, 'show_version_reply_c919bde1'],
  [12, 'control_ping_51077d14'],
  [13, 'control_ping_reply_f6b0b8ca'],
  [14, 'sr_policies_v2_dump_51077d14'],
  [15, 'sr_policies_v2_details_96dcb699'],
  [JSON_REQUEST, 'get_api_json_51077d14'],
  [21, 'get_api_json_reply_ea715b59'],
  [30, 'acl_count_0000abcd'],
  [31, 'acl_count_reply_0000abce'],
] as const;

/** A message of a plugin, as VPP describes it. */
const pluginApi = JSON.stringify([
  {
    messages: [
      [
        'acl_count',
        ['u16', '_vl_msg_id'],
        ['u32', 'client_index'],
        ['u32', 'context'],
        ['u8', 'kind'],
        { crc: '0x0000abcd' },
      ],
      [
        'acl_count_reply',
        ['u16', '_vl_msg_id'],
        ['u32', 'context'],
        ['i32', 'retval'],
        ['u64', 'n'],
        { crc: '0x0000abce' },
      ],
    ],
  },
]);

let server: RawServer;
let out: string;
let err: string;

async function run(...args: string[]): Promise<number> {
  out = '';
  err = '';
  return runCli(['--socket', server.path, '--timeout', '2000', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
}

beforeEach(async () => {
  server = await RawServer.start(table);
  server.answer = (request) => {
    const id = request.readUInt16BE(0);
    const reply = (...rest: BytePart[]): Buffer => bytes([id + 1, 2], request.subarray(6, 10), ...rest);
    if (id === 10) return [reply([0, 4], padded('vpe', 32), padded('26.06-rc', 32), padded('', 32), padded('', 256))];
    if (id === 12) return [reply([0, 4], [0, 4], [1, 4])];
    if (id === JSON_REQUEST) return [reply([0, 4], [pluginApi.length + 1, 4], padded(pluginApi, pluginApi.length + 1))];
    if (id === 30) return [request[10] === 3 ? reply([0, 4], 'ffffffffffffffff') : reply([-7, 4], [0, 8])];
    const list = bytes('01', [1, 4], 'fcdd0000000000000000000000000004', '00'.repeat(240));
    return [reply('cafe0000000000000000000000000001', '00'.repeat(16), '00', '01', [0, 4], '01', list)];
  };
});

afterEach(() => server.stop());

describe('vpp-api', () => {
  it('prints a reply, a field a line, or as JSON', async () => {
    expect(await run('call', 'show_version')).toBe(0);
    expect(out.split('\n').slice(0, 3)).toEqual(['retval: 0', 'program: vpe', 'version: 26.06-rc']);
    expect(await run('--json', 'call', 'show_version')).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ program: 'vpe', version: '26.06-rc' });
    expect(await run('call', '--json', 'show_version')).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ program: 'vpe' });
  });

  it('prints all details of a dump', async () => {
    expect(await run('--json', 'dump', 'sr_policies_v2_dump')).toBe(0);
    expect(JSON.parse(out)).toMatchObject([{ bsid: 'cafe::1', sid_lists: [{ num_sids: 1, weight: 1 }] }]);
    expect(await run('dump', 'sr_policies_v2_dump')).toBe(0);
    expect(out).toContain('sid_lists[0]:\n  num_sids: 1\n  weight: 1\n  sids: fcdd::4 :: ::');
  });

  it('asks VPP itself how a message looks that is not built in', async () => {
    expect(await run('call', 'acl_count', 'kind=3')).toBe(0);
    expect(out).toBe('retval: 0\nn: 18446744073709551615\n');
  });

  it('reads definitions from a folder when told so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vpp-api-'));
    await writeFile(join(folder, 'acl.api.json'), JSON.stringify((JSON.parse(pluginApi) as unknown[])[0]));
    expect(await run('--api-dir', folder, 'call', 'acl_count', 'kind=3')).toBe(0);
    expect(server.received.some((message) => message.readUInt16BE(0) === JSON_REQUEST)).toBe(false);
    await rm(folder, { recursive: true });
    expect(await run('--api-dir', folder, 'call', 'acl_count', 'kind=3')).toBe(1);
    expect(err).toContain('cannot be read');
  });

  it('lists the messages that this VPP has', async () => {
    expect(await run('messages', 'acl')).toBe(0);
    expect(out).toBe('acl_count_0000abcd\nacl_count_reply_0000abce\n');
  });

  it.each([
    [['call', 'acl_count', 'kind=9'], 1, 'acl_count: refused with retval -7'],
    [['call', 'acl_count', 'kind=x'], 1, 'acl_count.kind: expected a whole number from 0 to 255, not "x"'],
    [['call', 'acl_count'], 1, 'acl_count.kind is missing'],
    [['call', 'acl_count', 'kind'], 1, '"kind" is not of the form field=value'],
    [['call', 'acl_count', 'kind=1', 'kind=2'], 1, 'kind is given twice'],
    [['call', 'no_such'], 1, 'no definition has a message no_such'],
    [['call', 'sr_policies_v2_dump'], 1, 'dump it'],
    [['call'], 2, "missing required argument 'request'"],
    [['--timeout', '0', 'call', 'show_version'], 2, 'expected milliseconds'],
    [['jump'], 2, "unknown command 'jump'"],
  ])('%j is an error that says what to do', async (args, status, message) => {
    expect(await run(...args)).toBe(status);
    expect(err).toContain(message);
    expect(out).toBe('');
  });

  it('says that there is no VPP', async () => {
    expect(await run('--socket', '/nonexistent/api.sock', 'call', 'show_version')).toBe(1);
    expect(err).toBe('vpp-api: the connection to VPP broke: connect ENOENT /nonexistent/api.sock\n');
  });
});
