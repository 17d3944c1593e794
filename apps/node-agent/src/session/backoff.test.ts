import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.js';

describe('backoff', () => {
  it('doubles from a quarter of a second to ten seconds', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((failures) => backoffMs(failures, () => 1));
    expect(longest).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it('spreads over the upper half', () => {
    expect(backoffMs(4, () => 0)).toBe(1_000);
    expect(backoffMs(4, () => 0.5)).toBe(1_500);
  });
});
