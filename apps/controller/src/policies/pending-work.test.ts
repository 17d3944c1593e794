import { describe, expect, it } from 'vitest';
import { PendingWork, type PendingPolicy } from './pending-work.js';

function waiting(revision: number, reoptimise = false): PendingPolicy {
  const event = { kind: 'test', revision, by: 'test', at: new Date(0), summary: `event ${revision}` };
  return { revision, reoptimise, event };
}

function order(work: PendingWork): string[] {
  return [...work.next(10).keys()];
}

describe('work that waits', () => {
  it('goes by what is at stake: a failure passes a mesh that came before it', () => {
    const work = new PendingWork();
    work.add('better', waiting(1), 'improvable');
    for (const id of ['new-1', 'new-2']) work.add(id, waiting(2), 'intent');
    work.add('broken', waiting(3), 'touched');
    expect(order(work)).toEqual(['broken', 'new-1', 'new-2', 'better']);
    expect([...work.next(2).keys()]).toEqual(['broken', 'new-1']);
  });

  it('becomes more urgent, never less, and waits for the oldest revision', () => {
    const work = new PendingWork();
    work.add('p', waiting(1, true), 'improvable');
    work.add('q', waiting(2), 'touched');
    work.add('p', waiting(3), 'touched');
    work.add('q', waiting(4, true), 'improvable');
    expect(order(work)).toEqual(['q', 'p']);
    expect([...work.next(10).values()].map(({ revision, reoptimise }) => [revision, reoptimise])).toEqual([
      [2, true],
      [1, true],
    ]);
    // What happened to it is the failure, not the promise that came first.
    expect(work.next(10).get('p')?.event.revision).toBe(3);
    expect(work.next(10).get('q')?.event.revision).toBe(2);
  });

  it('assigns steering with the policies of its headend, with the next when it is urgent, and at last some at once', () => {
    const work = new PendingWork();
    const add = (headend: string, isUrgent: boolean) => {
      work.addSteering(headend, { revision: 1, event: waiting(1).event, isUrgent });
    };
    for (const headend of ['h1', 'h2', 'h3', 'h4']) add(headend, false);
    add('h3', true);
    expect([...work.steeringWith(new Set(['h2']), false).keys()]).toEqual(['h2', 'h3']);
    for (let i = 0; i < 200; i++) add(`x${i}`, i === 199);
    const last = [...work.steeringWith(new Set(['h2']), true).keys()];
    expect(last).toHaveLength(26);
    expect(last).toEqual(expect.arrayContaining(['h2', 'h3', 'x199']));
    work.done([], last);
    expect(work.steeringWith(new Set(), true).size).toBe(25);
  });

  it('holds back the revision that is complete until it is done', () => {
    const work = new PendingWork();
    work.add('p', waiting(5), 'touched');
    work.add('q', waiting(3), 'intent');
    work.addSteering('h1', { revision: 7, event: waiting(7).event, isUrgent: false });
    expect(work.completeThrough(9, new Set(), new Map())).toBe(2);
    expect(work.completeThrough(9, new Set(['q']), new Map())).toBe(4);
    expect(work.completeThrough(9, new Set(['q', 'p']), new Map())).toBe(6);
    work.done(['p', 'q'], ['h1']);
    expect(work.isEmpty).toBe(true);
    expect(work.completeThrough(9, new Set(), new Map())).toBe(9);
  });
});
