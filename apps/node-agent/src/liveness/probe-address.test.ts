import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inPrefix } from '../dataplane/address.js';
import { probeRoutesOf } from './probe-address.js';

const list = fc.array(fc.constantFrom('fc00:1::1', 'fc00:2::1', 'fc00:3::d6'), { minLength: 1, maxLength: 4 });

describe('the addresses of probe routes', () => {
  it('are distinct, inside the prefix, one a list, and the same whatever the order', () => {
    fc.assert(
      fc.property(fc.array(list, { maxLength: 30 }), fc.integer({ min: 0, max: 30 }), (lists, turn) => {
        const routes = probeRoutesOf(lists, 'fc00:9::/64');
        expect(new Set(routes.map(({ address }) => address)).size).toBe(routes.length);
        expect(new Set(routes.map(({ sids }) => sids.join()))).toEqual(new Set(lists.map((sids) => sids.join())));
        for (const { address } of routes) {
          // The lower half: bit 31 stays clear.
          expect(inPrefix('fc00:9::/97')(address)).toBe(true);
          expect(address).not.toBe('fc00:9::');
        }
        expect(probeRoutesOf([...lists.slice(turn), ...lists.slice(0, turn)], 'fc00:9::/64')).toEqual(routes);
      }),
    );
  });

  it('stay when other lists come and go', () => {
    const [one] = probeRoutesOf([['fc00:1::1', 'fc00:2::d6']], 'fc00:9::/96');
    const many = Array.from({ length: 2_000 }, (_, index) => [`fc00:${index.toString(16)}::1`, 'fc00:2::d6']);
    expect(probeRoutesOf(many, 'fc00:9::/96')).toContainEqual(one);
  });

  it('keep the bits of a prefix of any length', () => {
    const [route] = probeRoutesOf([['fc00:2::d6']], 'fc00:9:1:2:3:4::/96');
    expect(route?.address).toMatch(/^fc00:9:1:2:3:4:/);
  });
});
