import { once } from 'node:events';
import { queryObjects } from 'node:v8';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { DirectSession } from './direct-session.js';

describe('a session of its own', () => {
  let database: TestDatabase;
  let session: DirectSession;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    session = await DirectSession.open(database.url);
  });
  afterEach(() => session.close());

  const ask = (text: string, timeoutMs = 60_000) => session.ask<{ one: number }>(timeoutMs, text);

  it('answers, and refuses what the server refuses', async () => {
    expect(await ask('select 1 as one')).toEqual({ one: 1 });
    await expect(ask('select 1 from nowhere')).rejects.toThrow('nowhere');
    await expect(ask('select pg_sleep(30)', 100)).rejects.toThrow('the database does not answer');
  });

  it('says when it is lost, also to who waits for an answer', async () => {
    const row = await session.ask<{ pid: number }>(60_000, 'select pg_backend_pid() as pid');
    const waiting = expect(ask('select pg_sleep(60)')).rejects.toThrow();
    const lost = once(session.lost, 'abort');
    await sql`select pg_terminate_backend(${row?.pid})`.execute(database.db);
    await lost;
    await waiting;
    await expect(ask('select 1')).rejects.toThrow();
  });

  it('holds on to nothing of what it was asked, however long it lives', async () => {
    await ask('select 1 as one');
    const before = queryObjects(Promise, { format: 'count' });
    for (let n = 0; n < 100; n++) await ask('select 1 as one');
    // each question made several
    expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(100);
  });
});
