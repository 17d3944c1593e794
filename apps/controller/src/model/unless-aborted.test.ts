import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unlessAborted } from './unless-aborted.js';

const never = new Promise<never>(() => undefined);

describe('work that ends when a signal aborts', () => {
  it('settles as it does by itself', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(unlessAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  it('is left with the reason of the signal, then or before', async () => {
    const controller = new AbortController();
    const left = unlessAborted(never, controller.signal);
    controller.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect(unlessAborted(never, controller.signal)).rejects.toThrow('gone');
    await expect(unlessAborted(Promise.reject(new Error('broken')), controller.signal)).rejects.toThrow('gone');
  });

  it('leaves nothing behind on a signal that lives on', async () => {
    const { signal } = new AbortController();
    for (let n = 0; n < 10; n++) await unlessAborted(Promise.resolve(n), signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
