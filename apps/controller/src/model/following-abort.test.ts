import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { FollowingAbort } from './following-abort.js';

describe('an abort that follows another', () => {
  it('comes with that one, with its reason', () => {
    const first = new AbortController();
    const following = new FollowingAbort(first.signal);
    expect(following.signal.aborted).toBe(false);
    first.abort('why');
    expect(following.signal.reason).toBe('why');
    expect(new FollowingAbort(first.signal).signal.reason).toBe('why');
  });

  it('comes by itself, and not to that one', () => {
    const first = new AbortController();
    const following = new FollowingAbort(first.signal);
    following.abort();
    expect([following.signal.aborted, first.signal.aborted]).toEqual([true, false]);
  });

  it('may be one of many: a signal is followed by every stream of events', () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const first = new AbortController();
    const all = Array.from({ length: 100 }, () => new FollowingAbort(first.signal));
    first.abort();
    expect(all.every(({ signal }) => signal.aborted)).toBe(true);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('leaves nothing behind once it is let go', () => {
    const first = new AbortController();
    const following = new FollowingAbort(first.signal);
    following.letGo();
    expect(getEventListeners(first.signal, 'abort')).toEqual([]);
    first.abort();
    expect(following.signal.aborted).toBe(false);
  });
});
