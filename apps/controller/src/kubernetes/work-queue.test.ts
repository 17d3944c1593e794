import { describe, expect, it } from 'vitest';
import { WorkQueue } from './work-queue.js';

describe('WorkQueue', () => {
  it('gives each key its turn once, at the earliest time that was asked for', () => {
    const queue = new WorkQueue(10, 100);
    queue.add('a', 50);
    queue.add('b', 20);
    queue.add('a', 30);
    queue.add('b', 90);
    expect(queue.next).toBe(20);
    expect(queue.take(19)).toEqual([]);
    expect(queue.take(30).toSorted()).toEqual(['a', 'b']);
    expect(queue.next).toBeUndefined();
    expect(queue.take(1_000)).toEqual([]);
  });

  it('waits longer after each failure, up to a limit, until the key succeeds', () => {
    const queue = new WorkQueue(10, 35);
    const nextAfterFailure = (): number | undefined => {
      queue.retry('a', 0);
      const { next } = queue;
      queue.take(1_000);
      return next;
    };
    expect([nextAfterFailure(), nextAfterFailure(), nextAfterFailure(), nextAfterFailure()]).toEqual([10, 20, 35, 35]);
    queue.succeeded('a');
    expect(nextAfterFailure()).toBe(10);
  });
});
