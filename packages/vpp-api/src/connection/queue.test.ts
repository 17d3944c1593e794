import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from './queue.js';

test('what goes in first comes out first, whatever the order of pushes and shifts', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat())), (operations) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      for (const pushed of operations) {
        if (pushed === null) expect(queue.shift()).toBe(model.shift());
        else {
          queue.push(pushed);
          model.push(pushed);
        }
        expect(queue.length).toBe(model.length);
      }
    }),
  );
});
