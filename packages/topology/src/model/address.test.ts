import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { describe, expect, it } from 'vitest';
import {
  addressFamily,
  canonicalIpv6,
  formatIpv6,
  formatPrefix,
  hostPrefix,
  ipv6FromBytes,
  ipv6ToBytes,
  parseIpv6,
  parseIpv6Words,
  parsePrefix,
} from './address.js';

/** Mostly zeros in some places, as real addresses have them. */
const arbitraryGroups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff), fc.constantFrom(1, 0xfcbb, 0xffff)), {
  minLength: 8,
  maxLength: 8,
});
/** Texts that are addresses, or nearly. */
const arbitraryText = fc.oneof(
  fc
    .array(
      fc.constantFrom(':', '::', '0', '1', 'f', 'A', 'fcbb', '00001', '.', '1.2.3.4', '255', '01', 'g', '%', '/'),
      {
        maxLength: 18,
      },
    )
    .map((parts) => parts.join('')),
  arbitraryGroups.map((groups) => groups.map((group) => group.toString(16)).join(':')),
  fc
    .tuple(fc.ipV6(), fc.nat(45), fc.constantFrom('', ':', '0', '.'))
    .map(([text, at, part]) => text.slice(0, at) + part + text.slice(at)),
);

const valueOf = (groups: Iterable<number>): bigint =>
  [...groups].reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);

/** What the library takes for an address, but for the zones and lengths that it accepts as well. */
function oracle(text: string): bigint | undefined {
  return /^[0-9a-fA-F:.]+$/.test(text) && Address6.isValid(text) ? new Address6(text).bigInt() : undefined;
}

describe('IPv6 addresses', () => {
  it('are read as ip-address reads them, and nothing else is', () => {
    fc.assert(
      fc.property(arbitraryText, (text) => {
        const value = oracle(text);
        if (value === undefined) expect(() => parseIpv6(text)).toThrow(RangeError);
        else expect(parseIpv6(text)).toBe(value);
      }),
      { numRuns: 20_000 },
    );
  });

  it('are written as ip-address writes them, from numbers, bytes and other spellings', () => {
    fc.assert(
      fc.property(arbitraryGroups, (groups) => {
        const value = valueOf(groups);
        const text = Address6.fromBigInt(value).correctForm();
        expect(formatIpv6(value)).toBe(text);
        expect(canonicalIpv6(groups.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':'))).toBe(
          text,
        );
        expect(valueOf(parseIpv6Words(text))).toBe(value);
        expect(ipv6FromBytes(ipv6ToBytes(text))).toBe(text);
      }),
    );
  });

  it.each([
    '',
    ':',
    ':::',
    '1',
    '1::2::3',
    '1:2:3:4:5:6:7:8:',
    ':1:2:3:4:5:6:7:8',
    '::1%eth0',
    '::1/64',
    '12345::',
    '::1.2.3',
    '::01.2.3.4',
  ])('refuses %j', (text) => {
    expect(addressFamily(text)).toBeUndefined();
    expect(() => parseIpv6(text)).toThrow(RangeError);
  });
});

describe('prefixes', () => {
  it('of IPv4 are read and written as ip-address does', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(32), (address, length) => {
        const value = new Address4(address).bigInt();
        const network = (value >> BigInt(32 - length)) << BigInt(32 - length);
        const text = `${Address4.fromBigInt(network).correctForm()}/${length}`;
        expect(parsePrefix(text)).toEqual({ family: 'ipv4', network, length });
        expect(formatPrefix(parsePrefix(text))).toBe(text);
        expect(hostPrefix(address)).toEqual(parsePrefix(`${address}/32`));
      }),
    );
  });

  it.each([
    ['10.0.0.0', 'is not a prefix'],
    ['10.0.0.0/033', 'is not a prefix'],
    ['10.0.0.0/33', 'at most 32'],
    ['::/129', 'at most 128'],
    ['10.0.0.1/8', 'did you mean 10.0.0.0/8?'],
    ['fd00::1/64', 'did you mean fd00::/64?'],
  ])('refuse %s', (text, why) => {
    expect(() => parsePrefix(text)).toThrow(why);
  });
});
