import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastToPart } from './choose-conflict.js';

/** Of all choices who makes way where, each paying for the dearest of its own. */
function byTrying(rises: readonly (readonly [number, number])[]): number {
  const choices = Array.from({ length: 2 ** rises.length }, (_, choice) => {
    const costs = [0, 0] as [number, number];
    rises.forEach((rise, i) => {
      const who = (choice >> i) & 1;
      costs[who as 0 | 1] = Math.max(costs[who as 0 | 1], rise[who as 0 | 1]);
    });
    return costs[0] + costs[1];
  });
  return Math.min(...choices);
}

describe('what it costs two members to part', () => {
  const rise = fc.oneof(fc.nat(9), fc.constant(Infinity));

  it('is the least of all choices who makes way', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(rise, rise), { maxLength: 7 }), (rises) => {
        expect(leastToPart(rises)).toBe(byTrying(rises));
      }),
    );
  });
});
