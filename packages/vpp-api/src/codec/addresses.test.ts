import { isIP, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from '../testing/raw-server.js';
import { addressBytes, addressText, prefixParts } from './addresses.js';

describe('an address', () => {
  // RFC 5952, sections 4 and 5
  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:DB8::AAAA', '2001:db8::aaaa'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['10.0.0.255', '10.0.0.255'],
  ])('%s reads %s', (given, canonical) => {
    expect(addressText(addressBytes(given))).toBe(canonical);
  });

  it('has its bytes in network order', () => {
    expect(Buffer.from(addressBytes('fcbb:bb00:1c:6::'))).toEqual(bytes('fcbbbb00001c00060000000000000000'));
    expect(Buffer.from(addressBytes('192.0.2.1'))).toEqual(bytes('c0000201'));
  });

  it('keeps all its bytes through its text', () => {
    const zeroish = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(zeroish, { minLength: 16, maxLength: 16 }), (given) => {
        const text = addressText(Uint8Array.from(given));
        expect(isIPv6(text)).toBe(true);
        expect([...addressBytes(text)]).toEqual(given);
      }),
    );
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    'fc00::1%eth0',
    'fc00:::1',
    'fc00::1::2',
    '::g',
    'fc00::1/64',
    ' ::1',
  ])('is not what %j says', (text) => {
    expect(() => addressBytes(text)).toThrow(RangeError);
  });
});

describe('an address of any text', () => {
  it('is read exactly when Node.js takes the text for an address', () => {
    const piece = fc.constantFrom(':', '::', '0', '1', 'ffff', 'F', '12345', 'g', '192.0.2.1', '.', '%', ' ');
    const groups = fc.array(fc.constantFrom('0', '1', 'abcd', '192.0.2.1', ''), { minLength: 1, maxLength: 9 });
    const text = fc.oneof(
      fc.array(piece, { maxLength: 18 }).map((pieces) => pieces.join('')),
      groups.map((parts) => parts.join(':')),
    );
    fc.assert(
      fc.property(text, (given) => {
        const isAddress = isIP(given) !== 0 && !given.includes('%');
        if (isAddress) expect(addressText(addressBytes(given))).not.toBe('');
        else expect(() => addressBytes(given)).toThrow(RangeError);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a prefix', () => {
  it('is an address and a length, host bits as they are', () => {
    expect(prefixParts('10.1.2.3/8')).toEqual({ address: Uint8Array.of(10, 1, 2, 3), length: 8 });
    expect(prefixParts('::/0').length).toBe(0);
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '/8', '10.0.0.0/-1'])(
    'is not what %j says',
    (text) => {
      expect(() => prefixParts(text)).toThrow(RangeError);
    },
  );
});
