import fc from 'fast-check';
import { expect, test } from 'vitest';
import { effectiveBuckets } from './machine/load-balance.js';

test.each([
  [[5], [1]],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [40, 40],
    [1, 1],
  ],
  [
    [1, 2],
    [3, 5],
  ],
  [
    [2, 1],
    [5, 3],
  ],
  [
    [30, 70],
    [1, 3],
  ],
  [
    [1, 3],
    [1, 3],
  ],
  [
    [1, 1, 1],
    [6, 5, 5],
  ],
  [
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ],
  [
    [0, 0],
    [1, 1],
  ],
  [
    [0, 0, 0, 0],
    [1, 1, 1, 1],
  ],
  // Too small a share, or none: the list starves, at the price of 8,192 buckets.
  [
    [1, 0],
    [8192, 0],
  ],
  [
    [0, 1],
    [0, 8192],
  ],
  [
    [1, 100_000],
    [0, 8192],
  ],
])('weights %j become %j buckets', (weights, buckets) => {
  expect(effectiveBuckets(weights)).toEqual(buckets);
});

test('of three and more lists, one with too small a share starves all', () => {
  expect(effectiveBuckets([5, 0, 5])).toEqual([0, 0, 0]);
  expect(effectiveBuckets([100_000, 1, 5])).toEqual([0, 0, 0]);
});

test('no policy without lists', () => {
  expect(effectiveBuckets([])).toEqual([]);
});

test('the buckets are a power of two, and off by at most a tenth in all below 8,192', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 8 }), (weights) => {
      const buckets = effectiveBuckets(weights);
      const total = buckets.reduce((sum, each) => sum + each, 0);
      const sum = weights.reduce((all, each) => all + each, 0);
      const error = weights.reduce(
        (all, each, index) => all + Math.abs((each / sum) * total - (buckets[index] ?? 0)),
        0,
      );
      expect(total === 0 || Number.isInteger(Math.log2(total))).toBe(true);
      if (total > 0 && total < 8192) {
        expect(Math.min(...buckets)).toBeGreaterThan(0);
        // Left-over buckets go to one list after the error is summed up, at most once more.
        expect(error).toBeLessThanOrEqual(0.2 * total + 1e-9);
      }
    }),
    { seed: 1 },
  );
});
