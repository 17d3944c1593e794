import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, mask, parseAddress } from './address.js';

const words = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});

test('IPv6 text is what the URL standard writes (RFC 5952), and reads back', () => {
  fc.assert(
    fc.property(words, (groups) => {
      const bytes = Buffer.alloc(16);
      for (const [index, group] of groups.entries()) bytes.writeUInt16BE(group, index * 2);
      const text = formatAddress(bytes);
      expect(`[${text}]`).toBe(new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname);
      expect(parseAddress(text)).toEqual({ family: 'ipv6', bytes });
    }),
    { seed: 1 },
  );
});

test('IPv4, mapped IPv4 and what is no address', () => {
  expect(parseAddress('192.0.2.9')).toEqual({ family: 'ipv4', bytes: Buffer.from([192, 0, 2, 9]) });
  expect(formatAddress(Buffer.from([192, 0, 2, 9]))).toBe('192.0.2.9');
  expect(formatAddress(parseAddress('::ffff:192.0.2.9').bytes)).toBe('::ffff:c000:209');
  for (const text of ['', '1.2.3', 'fe80::1%eth0', '2001:db8::/32'])
    expect(() => parseAddress(text)).toThrow(RangeError);
});

test('mask clears host bits', () => {
  expect(formatAddress(mask(parseAddress('2001:db8:ffff::1').bytes, 35))).toBe('2001:db8:e000::');
  expect(formatAddress(mask(parseAddress('10.255.1.1').bytes, 0))).toBe('0.0.0.0');
  expect(formatAddress(mask(parseAddress('10.255.1.1').bytes, 32))).toBe('10.255.1.1');
});
