import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { DatabaseClock } from './database-clock.js';

const DAY = 86_400_000;

let database: TestDatabase;
let clock: DatabaseClock;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  clock.stop();
  await database.drop();
});

async function databaseMs(): Promise<number> {
  const { rows } = await sql<{ ms: number }>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`.execute(
    database.db,
  );
  return rows[0]?.ms ?? NaN;
}

it("tells the database's time, whatever is the time here", async () => {
  const now = Date.now.bind(Date);
  const jump = vi.spyOn(Date, 'now');
  jump.mockImplementation(() => now() + DAY);
  clock = await DatabaseClock.start(database.db);
  for (const ahead of [DAY, -DAY, 0]) {
    jump.mockImplementation(() => now() + ahead);
    const before = await databaseMs();
    const read = clock.now();
    const after = await databaseMs();
    // As exact as the answer was quick.
    expect(read).toBeGreaterThan(before - 5_000);
    expect(read).toBeLessThan(after + 5_000);
    expect(Math.abs(clock.date().getTime() - read)).toBeLessThan(5_000);
  }
});

it('goes on while the database does not answer', async () => {
  clock = await DatabaseClock.start(database.db);
  const before = clock.now();
  await database.db.destroy();
  await vi.waitFor(() => expect(clock.now()).toBeGreaterThan(before));
});

it('does not take an answer that was long under way for another time', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  clock = await DatabaseClock.start(database.db);
  const now = performance.now.bind(performance);
  let asked = 0;
  const slow = vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000 * asked++);
  vi.advanceTimersByTime(60_000);
  await vi.waitFor(() => expect(slow).toHaveBeenCalledTimes(2), { timeout: 60_000 });
  slow.mockRestore();
  const before = await databaseMs();
  const read = clock.now();
  const after = await databaseMs();
  expect(read).toBeGreaterThan(before - 5_000);
  expect(read).toBeLessThan(after + 5_000);
});
