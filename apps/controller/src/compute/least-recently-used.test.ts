import { expect, it } from 'vitest';
import { LeastRecentlyUsed } from './least-recently-used.js';

it('keeps what was used last and makes the rest again', () => {
  const made: string[] = [];
  const cache = new LeastRecentlyUsed<string, string>(2);
  const get = (key: string) =>
    cache.get(key, () => {
      made.push(key);
      return key;
    });
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect(get(key)).toBe(key);
  expect(made).toEqual(['a', 'b', 'c', 'b']);
  cache.delete('a');
  get('a');
  expect(made.at(-1)).toBe('a');
});
