import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, inPrefix, maskedPrefix } from './address.js';
import { neededExceptions } from './needed-exceptions.js';

const byte = fc.constantFrom(0, 1, 128, 255);
const prefixOf = (bytes: 4 | 16) =>
  fc
    .tuple(
      fc.array(byte, { minLength: bytes, maxLength: bytes }),
      fc.constantFrom(0, 8, 9, 16, bytes * 8 - 1, bytes * 8),
    )
    .map(([address, length]) => `${formatAddress(Uint8Array.from(address))}/${length}`);

test('what is routed inside a steered prefix is an exception, unless it is steered itself, by us or by Calico', () => {
  const routes = ['10.2.0.0/24', '10.2.0.7/32', '10.2.1.7/32', '10.2.0.64/26', '0.0.0.0/0', '10.2.0.9/32'];
  const needed = neededExceptions(['10.2.0.0/24', '10.2.0.9/32'], routes, new Set(['10.2.0.64/26']), []);
  expect([...needed]).toEqual(['10.2.0.7/32']);
});

test.each([4, 16] as const)('the exceptions are those that a comparison of all pairs finds (%i bytes)', (bytes) => {
  const prefixes = fc.array(prefixOf(bytes), { maxLength: 12 });
  fc.assert(
    fc.property(prefixes, prefixes, prefixes, (steered, found, calicos) => {
      const routes = found.map(maskedPrefix);
      const expected = routes.filter(
        (route) =>
          !steered.includes(route) && !calicos.includes(route) && steered.some((prefix) => inPrefix(prefix)(route)),
      );
      expect(neededExceptions(steered, routes, new Set(calicos), [])).toEqual(new Set(expected));
    }),
  );
});
