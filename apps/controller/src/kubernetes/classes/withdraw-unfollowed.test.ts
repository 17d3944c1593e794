import { pino } from 'pino';
import { expect, it } from 'vitest';
import { eventually } from '../../testing/eventually.js';
import { withdrawUnfollowed } from './withdraw-unfollowed.js';

it('withdraws classes of clusters that are not followed until it has succeeded once, or the term ends', async () => {
  const tried: string[] = [];
  const term = new AbortController();
  const classes = {
    withdrawOtherClusters: (epoch: number, clusters: readonly string[]) => {
      tried.push(`${epoch} ${clusters.join()}`);
      return tried.length === 1 ? Promise.reject(new Error('the database is away')) : Promise.resolve();
    },
  };
  const unfollowed = { classes, followed: ['paris', 'rome'], log: pino({ level: 'silent' }) };
  const done = withdrawUnfollowed(unfollowed, term.signal, 7);
  await eventually(() => {
    expect(tried).toEqual(['7 paris,rome', '7 paris,rome']);
  });
  term.abort();
  await done;
  await withdrawUnfollowed(unfollowed, term.signal, 8);
  expect(tried).toHaveLength(2);
});
