import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinaryHeap } from './binary-heap.js';

describe('a binary heap', () => {
  it('gives back what a sorted list would, however pushes and pops are mixed', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 3 })), (steps) => {
        const heap = new BinaryHeap<number>((a, b) => a < b);
        const list: number[] = [];
        for (const value of steps) {
          if (value === null) {
            list.sort((a, b) => a - b);
            expect(heap.pop()).toBe(list.shift());
            continue;
          }
          heap.push(value);
          list.push(value);
          expect(heap.items).toHaveLength(list.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
