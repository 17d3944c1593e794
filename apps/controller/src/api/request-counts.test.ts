import { queryObjects } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestCounts, RequestWindow } from './request-counts.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('counts of requests', () => {
  const windowMs = 60_000;

  it('are those of a window, which then begins anew', () => {
    const counts = new RequestCounts();
    const seen: number[] = [];
    const count = () => counts.incr('client', (_, { current }) => seen.push(current), windowMs);
    count();
    vi.advanceTimersByTime(windowMs - 1);
    count();
    vi.advanceTimersByTime(1);
    count();
    expect(seen).toEqual([1, 2, 1]);
  });

  it('are kept no longer than their windows, as long as anybody comes', () => {
    const counts = new RequestCounts();
    const count = (key: string) => counts.incr(key, () => undefined, windowMs);
    const before = queryObjects(RequestWindow, { format: 'count' });
    for (let n = 0; n < 1_000; n++) count(`client ${n}`);
    expect(queryObjects(RequestWindow, { format: 'count' }) - before).toBe(1_000);
    vi.advanceTimersByTime(windowMs);
    count('another');
    expect(queryObjects(RequestWindow, { format: 'count' }) - before).toBe(1);
  });

  it('are of the 10,000 clients that came last', () => {
    const counts = new RequestCounts();
    const seen = new Map<string, number>();
    const count = (key: string) => counts.incr(key, (_, { current }) => seen.set(key, current), windowMs);
    for (let n = 0; n < 10_001; n++) count(`client ${n}`);
    count('client 1');
    count('client 0');
    expect([seen.get('client 1'), seen.get('client 0')]).toEqual([2, 1]);
  });
});
