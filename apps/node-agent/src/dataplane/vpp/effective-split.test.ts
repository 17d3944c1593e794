import { effectiveBuckets } from '@waymark/vpp-stand-in';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { effectiveSplit, isExactSplit, starves } from './effective-split.js';

// Buckets that `show ip fib` of VPP 26.06 showed for steering into such lists.
test.each([
  [[1], [1]],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [1, 3],
    [1, 3],
  ],
  [
    [1, 2],
    [3, 5],
  ],
  [
    [2, 3],
    [3, 5],
  ],
  [
    [7, 3],
    [3, 1],
  ],
  [
    [70, 30],
    [3, 1],
  ],
  [
    [1, 9],
    [1, 7],
  ],
  [
    [1, 99],
    [1, 63],
  ],
  [
    [1, 8192],
    [1, 8191],
  ],
  [
    [1, 1, 1],
    [6, 5, 5],
  ],
  [
    [3, 3, 2],
    [3, 3, 2],
  ],
])('weights %j become %j', (weights, split) => {
  expect(effectiveSplit(weights)).toEqual(split);
  expect(starves(weights)).toBe(false);
});

test('a split is exact when the flows are in the proportion of the weights', () => {
  expect([[5], [2, 2], [1, 3], [3, 3, 2]].map(isExactSplit)).toEqual([true, true, true, true]);
  expect(
    [
      [1, 2],
      [30, 70],
    ].map(isExactSplit),
  ).toEqual([false, false]);
});

test('the split is that of an independent reading of VPP, whatever the weights', () => {
  const weight = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 }));
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 6 }), (weights) => {
      const expected = effectiveBuckets(weights);
      expect(starves(weights)).toBe(expected.includes(0));
      if (!expected.includes(0)) expect(effectiveSplit(weights)).toEqual(expected);
    }),
    { numRuns: 2_000 },
  );
});
