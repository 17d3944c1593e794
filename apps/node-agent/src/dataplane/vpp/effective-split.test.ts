import { effectiveBuckets } from '@waymark/vpp-stand-in';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveSplit, isExactSplit, starves } from './effective-split.js';

/** Small ones are usual; the others are those where rounding, starving and signed comparison show. */
const weight = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 20 }).map((twentieths) => twentieths * 5),
  fc.integer({ min: 1, max: 1_000 }),
  fc.integer({ min: 1, max: 0xffff_fffe }),
);
const weights = fc.array(weight, { minLength: 1, maxLength: 40 });

describe('how VPP splits flows', () => {
  it('is foretold for any weights', () => {
    fc.assert(
      fc.property(weights, (given) => {
        // Where a list starves, only which ones do counts.
        const [split, truth] = [effectiveSplit(given), effectiveBuckets(given)];
        if (starves(given))
          expect(split.map((buckets) => buckets === 0)).toEqual(truth.map((buckets) => buckets === 0));
        else expect(split).toEqual(truth);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    { given: [1], split: [1], exact: true },
    { given: [7, 7], split: [1, 1], exact: true },
    { given: [1, 3], split: [1, 3], exact: true },
    { given: [1, 2], split: [3, 5], exact: false },
    { given: [30, 70], split: [1, 3], exact: false },
    { given: [0, 0, 0], split: [6, 5, 5], exact: true },
  ])('$given becomes $split', ({ given, split, exact }) => {
    expect(effectiveSplit(given)).toEqual(split);
    expect(isExactSplit(given)).toBe(exact);
    expect(starves(given)).toBe(false);
  });

  it('is foretold for all pairs of percentages, some of which miss the tolerance by a bit', () => {
    for (let share = 1; share < 100; share += 1) {
      const given = [share, 100 - share];
      expect([given, effectiveSplit(given)]).toEqual([given, effectiveBuckets(given)]);
    }
  });

  it.each([[[1, 100_000]], [[0, 1]], [[1, 1, 50_000]], [[1, 0, 1]]])('leaves a list without flows with %j', (given) => {
    expect(starves(given)).toBe(true);
    expect(effectiveBuckets(given)).toContain(0);
  });

  it('leaves the policy of one list alone, whatever its weight', () => {
    expect(starves([0])).toBe(false);
    expect(effectiveBuckets([0])).toEqual([1]);
  });
});
