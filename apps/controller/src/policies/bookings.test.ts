import { freezeSnapshot } from '@waymark/topology';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTed } from '../testing/sketched-network.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { unreservedBps } from './bookings.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('unreserved bandwidth', () => {
  it('is what bookings held at the priority or a higher one leave, each policy counted once', async () => {
    const snapshot = freezeSnapshot(buildTed(['a', 'b'], [{ between: 'a-b', bandwidthBps: 100 }]));
    const booking = (policy_id: string, generation: number, bandwidth_bps: number, hold_priority: number) => ({
      policy_id,
      link_id: 'a:b',
      generation,
      bandwidth_bps,
      setup_priority: 7,
      hold_priority,
      releasing_generation: null,
    });
    const bookings = [booking('p', 1, 30, 2), booking('p', 2, 20, 2), booking('q', 1, 50, 5), booking('r', 1, 40, 7)];
    await database.db.insertInto('booking').values(bookings).execute();
    const free = async (setupPriority?: number) =>
      (await unreservedBps(database.db, snapshot, setupPriority))[snapshot.arcOf('a:b')];
    expect([await free(0), await free(1)]).toEqual([100, 100]);
    expect([await free(2), await free(4)]).toEqual([70, 70]);
    expect([await free(5), await free(6)]).toEqual([20, 20]);
    // Booked beyond what there is: nothing is left.
    expect([await free(7), await free()]).toEqual([0, 0]);
  });
});
