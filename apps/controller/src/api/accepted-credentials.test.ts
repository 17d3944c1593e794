import { expect, it } from 'vitest';
import { AcceptedCredentials } from './accepted-credentials.js';

it('remembers the ten thousand credentials that were used last', () => {
  const known = new AcceptedCredentials();
  const use = (i: number) => known.note('192.0.2.1', `Bearer ${i}`, { credential: 'api-key:wmk_0000000000000000' });
  for (let i = 0; i < 10_000; i++) use(i);
  use(0);
  use(10_000);
  const isKnown = (i: number) => known.has('192.0.2.1', `Bearer ${i}`);
  expect([isKnown(0), isKnown(1), isKnown(2), isKnown(10_000)]).toEqual([true, false, true, true]);
  known.forget('192.0.2.1', 'Bearer 2');
  expect(isKnown(2)).toBe(false);
});
