import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalLists, srhEntries } from './segment-lists.js';

const list = fc.record({
  weight: fc.integer({ min: 1, max: 1_000 }),
  sids: fc.array(fc.constantFrom('fc00::1', 'fc00::2', 'fc00::3'), { minLength: 1, maxLength: 2 }),
});
const lists = fc.array(list, { minLength: 1, maxLength: 6 });

/** Share of the traffic that each way gets: what the lists mean. */
function shares(of: readonly { readonly weight: number; readonly sids: readonly string[] }[]): Map<string, number> {
  const total = of.reduce((sum, { weight }) => sum + weight, 0);
  const result = new Map<string, number>();
  for (const { weight, sids } of of) result.set(sids.join(), (result.get(sids.join()) ?? 0) + weight / total);
  return new Map([...result].sort());
}

describe('canonical segment lists', () => {
  it('split traffic as the lists they come from', () => {
    fc.assert(
      fc.property(lists, (some) => {
        const before = shares(some);
        const after = shares(canonicalLists(some));
        expect([...after.keys()]).toEqual([...before.keys()]);
        for (const [way, share] of before) expect(after.get(way)).toBeCloseTo(share, 12);
      }),
    );
  });

  it('are equal whenever the split is', () => {
    const orders = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 9 }), orders, (some, factor, order) => {
        const shuffled = some
          .map((entry, index) => ({ entry: { ...entry, weight: entry.weight * factor }, place: order[index] ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ entry }) => entry);
        expect(canonicalLists(shuffled)).toEqual(canonicalLists(some));
      }),
    );
  });
});

describe('SRH entries', () => {
  it('are one less in reduced encapsulation', () => {
    expect([1, 2, 5].map((sids) => srhEntries(sids, 'full'))).toEqual([1, 2, 5]);
    expect([1, 2, 5].map((sids) => srhEntries(sids, 'reduced'))).toEqual([0, 1, 4]);
  });
});
