import { afterEach, expect, it, vi } from 'vitest';
import { WorkLoop } from './work-loop.js';

const HOUR = 3_600_000;

afterEach(() => vi.restoreAllMocks());

it.each([HOUR, -HOUR])('goes on with its work when the clock jumps by %i ms', async (aheadMs) => {
  const done: string[] = [];
  let failures = 0;
  const loop = new WorkLoop({
    work: (key) => {
      if (key === 'fails' && failures++ === 0) return Promise.reject(new Error('once'));
      done.push(key);
      return Promise.resolve();
    },
    isReady: () => true,
    onFailure: () => undefined,
  });
  const end = new AbortController();
  const running = loop.run(end.signal);
  loop.add('fails');
  loop.add('later', 500);
  await vi.waitFor(() => expect(failures).toBe(1));
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
  loop.add('at once');
  await vi.waitFor(() => expect(done).toEqual(['at once', 'later', 'fails']), { timeout: 20_000 });
  end.abort();
  await running;
});

it('takes in nothing while it does not run: a controller that follows hears of all that comes and goes', async () => {
  const done: string[] = [];
  const loop = new WorkLoop({
    work: (key) => {
      done.push(key);
      return Promise.resolve();
    },
    isReady: () => true,
    onFailure: () => undefined,
  });
  const run = async (key: string) => {
    const end = new AbortController();
    const running = loop.run(end.signal);
    loop.add(key);
    await vi.waitFor(() => expect(done).toContain(key), { timeout: 20_000 });
    end.abort();
    await running;
  };
  loop.add('before');
  await run('first');
  loop.add('in between');
  await run('second');
  expect(done).toEqual(['first', 'second']);
});
