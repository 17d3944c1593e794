import type { Random } from './random.js';
import { RawJson } from './raw-json.js';

const raw = (text: string): RawJson => new RawJson(text);

/** JSON numbers at and beyond every limit, and what is no JSON number at all. */
export const hostileNumbers: readonly unknown[] = [
  ...[0, -1, 1, 0.5, 1.5, 255, 256, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, -1e308, 5e-324],
  ...['-0', '9007199254740993', '1e400', '-1e400', '1e-400', '1E+2', '1.0', '100e-2', '123456789012345678901234567890'],
  ...['NaN', 'Infinity', '-Infinity', '01', '+1', '0x10', '1_000', '.5', '1.', '1e', '--1', '1n'],
].map((value) => (typeof value === 'string' ? raw(value) : value));

/** Addresses and prefixes, right and wrong in every way that an operator's tool may write them. */
export const hostileAddresses: readonly string[] = [
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'ff02::1', '::ffff:1.2.3.4', '::ffff:0:0', '64:ff9b::1.2.3.4'],
  ...['FCBB:BB00:1::', 'fcbb:bb00:0001:0000:0000:0000:0000:0000', 'fcbb:bb00:1:0:0:0:0:0', 'fcbb:bb00:1:::', '1::2::3'],
  ...[
    '1.2.3.4',
    '01.2.3.4',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '0x7f.1',
    '2130706433',
    'localhost',
    ':',
    '',
    ' ::1',
    '::1 ',
  ],
  ...['::/0', '::/129', '::/-1', '::/064', '::1/64', '::1/128', 'fe80::%eth0/64', 'fcbb:bb00:1::/48/48', '::/', '/64'],
  ...['10.0.0.0/8', '10.0.0.1/8', '10.0.0.0/33', '010.0.0.0/8', '10/8', '0.0.0.0/0', '::ffff:10.0.0.0/104', '::/1e1'],
  ...['fdbb:b51d::/32', 'fdbb:b51d::1', 'FDBB:B51D:0::/48', '10.0.0.0/08', '224.0.0.0/4', '127.0.0.1/32', 'ff00::/8'],
];

/** Texts that break what shows, stores or looks them up. */
export const hostileTexts: readonly string[] = [
  ...[
    '',
    ' ',
    '.',
    '..',
    '/',
    '\\',
    ':',
    'a:b',
    'a:1:b',
    'a:0:b',
    'a:4294967296:b',
    'dc-london:100:dc-london',
    '*',
    '%',
    '%00',
  ],
  ...[
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfff\ud800',
    '\u202eabc',
    '\u200f',
    'e\u0301',
    '\u00e9',
    '\u{1f4a9}',
    '\u{e0001}',
  ],
  ...[
    'dc\u2010london',
    '\u0501c-london',
    'DC-LONDON',
    'dc-london ',
    'dc-london\n',
    '\ufeffdc-london',
    'dc-l\u043endon',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'length',
    'then',
    'kind',
    'null',
  ],
  ...[
    "'; drop table head; --",
    '$1',
    '\\u0000',
    '{{7*7}}',
    '${7*7}',
    '<script>alert(1)</script>',
    '../../etc/passwd',
    'CON',
  ],
  ...[
    'a'.repeat(63),
    'a'.repeat(64),
    'a'.repeat(191),
    'a'.repeat(192),
    'a'.repeat(10_000),
    '\u0130'.repeat(300),
    '\u{1f4a9}'.repeat(200),
  ],
  ...[
    '1',
    '-1',
    '1e3',
    '01',
    '0x1',
    'true',
    'undefined',
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:60Z',
    '0000-00-00T00:00:00Z',
  ],
];

const otherTypes: readonly unknown[] = [
  null,
  true,
  false,
  [],
  {},
  [[]],
  [null],
  { kind: 'none' },
  { kind: null },
  { length: -1 },
];

/** Members that must never reach a prototype, nor be taken for what every object has. */
export const hostileNames: readonly string[] = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'then',
    'toJSON',
    '',
    'a/b~c',
    '\u0000',
    '\ud800',
  ],
  ...['$ref', '$schema', 'length', '0', '-1', 'kind', 'id', '\u202e', 'x'.repeat(5_000)],
];

/** A value that does not belong where it stands, mostly of the type that does. */
export function hostileValue(random: Random, instead: unknown): unknown {
  const family =
    typeof instead === 'number'
      ? random.weighted({ number: 8, text: 2, other: 2 })
      : typeof instead === 'string'
        ? random.weighted({ number: 2, text: 5, address: isAddress(instead) ? 14 : 1, other: 2 })
        : random.weighted({ number: 2, text: 2, other: 5, nested: 1 });
  switch (family) {
    case 'number':
      return random.pick(hostileNumbers);
    case 'address':
      return random.pick(hostileAddresses);
    case 'text':
      return random.pick(hostileTexts);
    case 'nested':
      return raw(nested(random));
    case 'other':
      return random.pick(otherTypes);
  }
}

/** Containers within containers, from a few to far more than any stack holds. */
export function nested(random: Random): string {
  const depth = random.pick([10, 100, 1_000, 10_000, 100_000]);
  return random.pick([
    () => `${'['.repeat(depth)}${']'.repeat(depth)}`,
    () => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
    () => '['.repeat(depth),
    () => `${'[{"kind":'.repeat(depth)}0`,
  ])();
}

function isAddress(text: string): boolean {
  return /^[0-9a-f:.]+(\/\d+)?$/i.test(text) && /[:.]/.test(text);
}
