import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtinApi } from '../builtin/definitions.js';
import { bytes } from '../testing/raw-server.js';
import { ApiDefinitions } from './api-definitions.js';
import { readApiFile } from './api-file.js';

const HEADER = { id: 1, clientIndex: 2, context: 3 };
const CRC = { crc: '0x00000001' };

function definitionsOf(file: object): ApiDefinitions {
  return new ApiDefinitions([readApiFile(file, 'test.api.json')]);
}

/** Body of a message with these fields. */
function encoded(fields: readonly unknown[], values: object, rest: object = {}): string {
  const definitions = definitionsOf({ messages: [['m', ['u16', '_vl_msg_id'], ...fields, CRC]], ...rest });
  const message = definitions.message('m').encode(HEADER, values);
  expect(definitions.message('m').decode(message)).toMatchObject(values);
  return message.subarray(2).toString('hex');
}

describe('a field', () => {
  it.each([
    ['u8', 0xab, 'ab'],
    ['u16', 0xabcd, 'abcd'],
    ['u32', 0xfedcba98, 'fedcba98'],
    ['u64', 0xfedcba9876543210n, 'fedcba9876543210'],
    ['i8', -2, 'fe'],
    ['i16', -2, 'fffe'],
    ['i32', -2, 'fffffffe'],
    ['i64', -2n, 'fffffffffffffffe'],
    ['f64', 1, '000000000000f03f'],
    ['bool', true, '01'],
  ])('of type %s travels big endian, floating point little endian', (type, value, hex) => {
    expect(encoded([[type, 'x']], { x: value })).toBe(hex);
  });

  it('of text is padded when its length is fixed, and takes its length along otherwise', () => {
    expect(encoded([['string', 'x', 6]], { x: 'vpp' })).toBe('767070000000');
    expect(encoded([['string', 'x', 0]], { x: 'vpp' })).toBe('00000003767070');
    expect(() => encoded([['string', 'x', 3]], { x: 'vpp' })).toThrow('m.x: expected a text of at most 2 bytes');
    expect(() => encoded([['string', 'x', 9]], { x: 'a\0b' })).toThrow('without NUL');
  });

  it('of many has its count in another field, which need not be given', () => {
    const fields = [
      ['u8', 'n'],
      ['u16', 'x', 0, 'n'],
    ];
    expect(encoded(fields, { x: [1, 2] })).toBe('0200010002');
    expect(encoded(fields, { n: 2, x: [1, 2] })).toBe('0200010002');
    expect(() => encoded(fields, { n: 3, x: [1, 2] })).toThrow('m.n: 3 is not the 2 elements it counts; leave it out');
    expect(
      encoded(
        [
          ['u32', 'n'],
          ['u8', 'x', 0, 'n'],
        ],
        { x: Uint8Array.of(7, 8) },
      ),
    ).toBe('000000020708');
  });

  it('of many of a fixed number is padded', () => {
    expect(
      definitionsOf({ messages: [['m', ['u16', 'x', 3], CRC]] })
        .message('m')
        .encode(HEADER, { x: [5] }),
    ).toEqual(bytes('0005 0000 0000'));
    expect(() => encoded([['u16', 'x', 1]], { x: [1, 2] })).toThrow('m.x: expected at most 1 elements, not 2');
  });

  it('that has a default may be left out, any other not', () => {
    const definitions = definitionsOf({
      messages: [
        ['m', ['u16', '_vl_msg_id'], ['u8', 'x', { default: 9 }], ['bool', 'y', { default: 'true' }], ['u8', 'z'], CRC],
      ],
    });
    expect(definitions.message('m').encode(HEADER, { z: 1 })).toEqual(bytes('0001 09 01 01'));
    expect(() => definitions.message('m').encode(HEADER, {})).toThrow('m.z is missing');
    expect(() => definitions.message('m').encode(HEADER, { z: 1, w: 2 })).toThrow(
      'm.w is not a field; there are x, y, z',
    );
  });

  it.each([
    ['u8', 256],
    ['u8', -1],
    ['u8', 1.5],
    ['u8', '1'],
    ['u8', null],
    ['u64', -1n],
    ['bool', 1],
    ['vl_api_ip4_address_t', 'fc00::1'],
    ['vl_api_ip6_address_t', '10.0.0.1'],
    ['vl_api_prefix_t', '10.0.0.0/33'],
    ['vl_api_mac_address_t', '02:fe'],
  ])('of type %s does not take %s', (type, value) => {
    expect(() => encoded([[type, 'x']], { x: value })).toThrow(/^m\.x: /);
  });
});

describe('a type', () => {
  const rest = {
    types: [['pair', ['u8', 'a'], ['vl_api_color_t', 'b']]],
    unions: [['either', ['u8', 'small'], ['u32', 'large']]],
    enums: [['color', ['RED', 1], ['BLUE', 2], { enumtype: 'u16' }]],
    enumflags: [['bits', ['ONE', 1], ['TWO', 2], { enumtype: 'u8' }]],
    aliases: { key: { type: 'u8', length: 4 }, name: { type: 'vl_api_color_t' } },
  };

  it('may be an enumeration, by name, or by number where it has no name', () => {
    expect(encoded([['vl_api_color_t', 'x']], { x: 'BLUE' }, rest)).toBe('0002');
    expect(encoded([['vl_api_color_t', 'x']], { x: 77 }, rest)).toBe('004d');
    expect(() => encoded([['vl_api_color_t', 'x']], { x: 'GREEN' }, rest)).toThrow(
      '"GREEN" is not one of color: RED, BLUE',
    );
  });

  it('may be flags, which are combined', () => {
    const definitions = definitionsOf({ messages: [['m', ['vl_api_bits_t', 'x'], CRC]], ...rest });
    expect(definitions.message('m').encode(HEADER, { x: ['ONE', 'TWO'] })).toEqual(bytes('03'));
    expect(definitions.message('m').decode(bytes('03'))).toEqual({ x: 3 });
  });

  it('may be a structure, an alias, or a union of the size of its largest member', () => {
    expect(encoded([['vl_api_pair_t', 'x']], { x: { a: 1, b: 'RED' } }, rest)).toBe('010001');
    expect(encoded([['vl_api_key_t', 'x']], { x: Uint8Array.of(1, 2, 3, 4) }, rest)).toBe('01020304');
    expect(encoded([['vl_api_name_t', 'x']], { x: 'RED' }, rest)).toBe('0001');
    const union = definitionsOf({ messages: [['m', ['vl_api_either_t', 'x'], CRC]], ...rest }).message('m');
    expect(union.encode(HEADER, { x: { small: 5 } })).toEqual(bytes('05000000'));
    expect(union.decode(bytes('05000000'))).toEqual({ x: { small: 5, large: 0x05000000 } });
    expect(() => union.encode(HEADER, { x: { small: 5, large: 6 } })).toThrow('m.x: expected one of small, large');
  });

  it('that nobody defines is named with the place that wants it', () => {
    const definitions = definitionsOf({ messages: [['m', ['vl_api_nothing_t', 'x'], CRC]] });
    expect(() => definitions.message('m')).toThrow('m.x: no definition has a type vl_api_nothing_t');
  });
});

describe('a file', () => {
  it('that is not one is refused with the place in it', () => {
    expect(() => readApiFile({ messages: [['m', ['u8'], CRC]] }, 'a.api.json')).toThrow(
      'a.api.json.messages[0][1]: expected a type and a name',
    );
    expect(() => readApiFile({ messages: [['m', ['u8', 'x']]] }, 'a.api.json')).toThrow('messages[0][1]');
    expect(() => readApiFile([], 'a.api.json')).toThrow('a.api.json: expected an object');
  });
});

// Definitions of a whole VPP are read where they are at hand; the built-in ones must say the same.
const folder = join(process.env['WAYMARK_DATASETS'] ?? '', 'vpp-api');
const isAtHand = process.env['WAYMARK_DATASETS'] !== undefined && existsSync(folder);

const isElsewhere = /^(show_version|classify_|input_acl_set_interface)/;

describe.skipIf(!isAtHand)('the built-in definitions (WAYMARK_DATASETS)', () => {
  it('are those of VPP 26.06', () => {
    const vpp = ['memclnt', 'vlib', 'interface', 'ip', 'sr'].map((name) => {
      const path = join(folder, `${name}.api.json`);
      return readApiFile(JSON.parse(readFileSync(path, 'utf8')), path);
    });
    const all = new Map(vpp.flatMap(({ messages }) => messages.map((message) => [message.name, message] as const)));
    // The files of vpe and classify are not among them.
    const own = readApiFile(builtinApi, 'built-in').messages.filter(({ name }) => !isElsewhere.test(name));
    expect(own.length).toBeGreaterThan(50);
    for (const message of own) expect(message).toEqual(all.get(message.name));
    const everything = new ApiDefinitions(vpp);
    for (const name of everything.messageNames()) expect(everything.message(name).name).toBe(name);
  });
});
