import { describe, expect, it } from 'vitest';
import { otherOrders } from './other-orders.js';

describe('other orders', () => {
  it('are all there are of a few elements, each once', () => {
    const next = otherOrders([5, 1, 3]);
    const orders = Array.from({ length: 6 }, () => next([])?.join(' '));
    expect(orders).toEqual(['5 3 1', '1 5 3', '1 3 5', '3 5 1', '3 1 5', undefined]);
  });

  it('begin with what failed, where there are many elements', () => {
    const next = otherOrders([1, 2, 3, 4, 5]);
    expect(next([3, 5])).toEqual([3, 5, 1, 2, 4]);
    expect(next([4])).toEqual([4, 3, 5, 1, 2]);
  });

  it('end when one comes back', () => {
    const next = otherOrders([1, 2, 3, 4, 5]);
    next([5]);
    expect(next([5])).toBeUndefined();
  });

  it('end after eight of many elements', () => {
    const next = otherOrders([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let last: readonly number[] | undefined = [];
    let tried = -1;
    for (; last !== undefined; tried++) last = next([10 - tried - 1]);
    expect(tried).toBe(8);
  });
});
