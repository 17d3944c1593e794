import { expect, it } from 'vitest';
import { ServedObjects } from './served-objects.js';

it('knows who asks for something, and of each object only what it asks for now', () => {
  const served = new ServedObjects();
  served.asks('PolicyMesh/a', 'color 1');
  served.asks('PolicyMesh/a', 'color 2');
  expect(served.whoAsksFor('color 1')).toBeUndefined();
  expect(served.whoAsksFor('color 2')).toBe('PolicyMesh/a');
  served.asks('PolicyMesh/a', undefined);
  expect(served.whoAsksFor('color 2')).toBeUndefined();
});

it('does not take from an object what another one asks for by now', () => {
  const served = new ServedObjects();
  served.asks('PolicyMesh/a', 'color 1');
  served.asks('PolicyMesh/b', 'color 1');
  served.forget('PolicyMesh/a');
  expect(served.whoAsksFor('color 1')).toBe('PolicyMesh/b');
});

it('forgets all of an object with it, whether it was seen to go or not', () => {
  const served = new ServedObjects();
  for (const name of ['a', 'b', 'c']) {
    const key = `PolicyMesh/${name}`;
    served.asks(key, `color of ${name}`);
    Object.assign(served.of(key), { seen: 'seen', done: 'done', isRefused: true, countingMs: 1 });
  }
  served.forget('PolicyMesh/a');
  served.keepOnly((key) => key === 'PolicyMesh/c');
  expect(served.refused).toEqual(['PolicyMesh/c']);
  expect(served.whoAsksFor('color of a')).toBeUndefined();
  expect(served.whoAsksFor('color of b')).toBeUndefined();
  expect(served.of('PolicyMesh/a')).toEqual({});
  expect(served.of('PolicyMesh/b')).toEqual({});
  served.forgetWhatWasDone();
  expect(served.of('PolicyMesh/c')).toMatchObject({ seen: 'seen', countingMs: 1 });
  expect(served.of('PolicyMesh/c').done).toBeUndefined();
});
