import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

describe('a database', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  it('returns 64-bit integers as numbers', async () => {
    const result = await sql<{ value: number; list: number[] }>`
      select 9007199254740991::bigint as value, array[1, null, 9007199254740991]::bigint[] as list
    `.execute(database.db);
    expect(result.rows).toEqual([{ value: Number.MAX_SAFE_INTEGER, list: [1, null, Number.MAX_SAFE_INTEGER] }]);
  });

  it('refuses an integer that a number cannot hold, instead of rounding it', async () => {
    await expect(sql`select 9007199254740992::bigint`.execute(database.db)).rejects.toThrow(RangeError);
    await expect(sql`select array[-9007199254740992::bigint]`.execute(database.db)).rejects.toThrow(RangeError);
  });

  it('survives that the server ends all its sessions', async () => {
    await Promise.all([sql`select 1`.execute(database.db), sql`select 2`.execute(database.db)]);
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
    `.execute(database.db);
    await expect(sql`select pg_terminate_backend(pg_backend_pid())`.execute(database.db)).rejects.toThrow();
    // The pool may hand the broken session out once more before it hears of its end.
    await vi.waitFor(async () => {
      expect((await sql`select 1 as one`.execute(database.db)).rows).toEqual([{ one: 1 }]);
    });
  });
});
