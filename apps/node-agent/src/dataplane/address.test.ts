import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, canonicalPrefix, formatAddress, parseAddress } from './address.js';

/** Groups that are often zero, so that runs of zeros of every length and place come up. */
const ipv6Bytes = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

const ipv4Bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });

describe('addresses', () => {
  it('write IPv6 as every URL parser does', () => {
    fc.assert(
      fc.property(ipv6Bytes, (bytes) => {
        const long = Buffer.from(bytes).toString('hex').match(/..../g)?.join(':') ?? '';
        expect(formatAddress(bytes)).toBe(new URL(`http://[${long}]/`).hostname.slice(1, -1));
      }),
    );
  });

  it('read back what they write', () => {
    fc.assert(
      fc.property(fc.oneof(ipv6Bytes, ipv4Bytes), (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
      }),
    );
  });

  it('read the spellings of people and of the C library', () => {
    expect(canonicalAddress('FC00:0:0::0001')).toBe('fc00::1');
    expect(canonicalAddress('::ffff:10.2.0.1')).toBe('::ffff:a02:1');
    expect(canonicalPrefix('fd02::/64')).toBe('fd02::/64');
    expect(canonicalPrefix('10.2.0.1')).toBe('10.2.0.1/32');
    expect(canonicalPrefix('fc00:2::d6')).toBe('fc00:2::d6/128');
  });

  it.each(['', '10.0.0', '10.0.0.256', 'fe80::1%eth0', '1::2::3', 'x'])('refuse %j', (text) => {
    expect(() => parseAddress(text)).toThrow(RangeError);
  });
});
