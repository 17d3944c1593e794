import { effectiveBuckets } from '@waymark/vpp-stand-in';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SegmentList } from '../port.js';
import { MOST_LISTS, planLists, type ListPlan } from './plan-lists.js';
import type { NumberedList } from './vpp-state.js';

const list = (weight: number, ...sids: string[]): SegmentList => ({ weight, sids });
const numbered = (lists: readonly SegmentList[]): NumberedList[] =>
  lists.map((one, index) => ({ ...one, slIndex: 100 + index }));

/** Lists after each request of the plan, as VPP would have them. */
function states(found: readonly NumberedList[], { additions, reweighings, obsolete }: ListPlan): SegmentList[][] {
  let now: (SegmentList & { slIndex?: number })[] = [...found];
  const all: SegmentList[][] = [];
  for (const one of additions) all.push((now = [...now, one]));
  for (const { slIndex, weight } of reweighings) {
    all.push((now = now.map((one) => (one.slIndex === slIndex ? { ...one, weight } : one))));
  }
  for (const { slIndex } of obsolete) all.push((now = now.filter((one) => one.slIndex !== slIndex)));
  return all;
}

const lists = (minLength: number) =>
  fc.uniqueArray(
    fc.record({
      weight: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100_000 })),
      sids: fc.array(fc.constantFrom('fc00:1::', 'fc00:2::', 'fc00:3::'), { minLength: 1, maxLength: 2 }),
    }),
    { minLength, maxLength: 5, selector: ({ sids }) => sids.join() },
  );
const key = ({ weight, sids }: SegmentList): string => `${weight} ${sids.join()}`;

describe('the plan of the lists of an SR policy', () => {
  it('ends with the wanted lists, never without a list that stays, never with one that starves', () => {
    let planned = 0;
    fc.assert(
      fc.property(lists(1), lists(1), (before, wanted) => {
        const found = numbered(before);
        const plan = planLists(found, wanted);
        if (plan === null) return;
        planned += 1;
        const seen = states(found, plan);
        for (const state of seen) expect(effectiveBuckets(state.map(({ weight }) => weight))).not.toContain(0);
        expect(new Set((seen.at(-1) ?? found).map(key))).toEqual(new Set(wanted.map(key)));
      }),
      { numRuns: 1_000 },
    );
    expect(planned).toBeGreaterThan(0);
  });

  it('does nothing when all is right', () => {
    const found = numbered([list(1, 'fc00:1::'), list(3, 'fc00:2::')]);
    expect(planLists(found, found)).toEqual({ additions: [], reweighings: [], obsolete: [] });
  });

  it('keeps a list whose weight alone changes', () => {
    const found = numbered([list(1, 'fc00:1::'), list(3, 'fc00:2::')]);
    const plan = planLists(found, [list(1, 'fc00:1::'), list(1, 'fc00:2::')]);
    expect(plan).toEqual({ additions: [], reweighings: [{ slIndex: 101, weight: 1 }], obsolete: [] });
  });

  it('keeps the first of two equal lists and gives up the other', () => {
    const found = numbered([list(2, 'fc00:1::'), list(5, 'fc00:1::')]);
    expect(planLists(found, [list(2, 'fc00:1::')])).toMatchObject({ additions: [], obsolete: [{ slIndex: 101 }] });
  });

  it('declines when flows would meet a mix that starves a list', () => {
    const found = numbered([list(100_000, 'fc00:1::')]);
    expect(planLists(found, [list(1, 'fc00:2::')])).toBeNull();
  });

  it('declines when VPP would have to hold more lists than it can show', () => {
    const some = Array.from({ length: MOST_LISTS }, (_, index) => list(1, `fc00:1::${index.toString(16)}`));
    expect(planLists(numbered(some), some.slice(1))).not.toBeNull();
    expect(planLists(numbered(some), [...some.slice(1), list(1, 'fc00:2::')])).toBeNull();
  });

  it('declines when VPP has the same list twice by number, which deleting one would free for both', () => {
    const [one] = numbered([list(1, 'fc00:1::')]);
    if (one === undefined) throw new Error('there is no list');
    expect(planLists([one, one], [list(1, 'fc00:1::')])).toBeNull();
  });
});
