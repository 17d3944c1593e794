import { once } from 'node:events';
import { queryObjects } from 'node:v8';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { LeaderSession } from './leader-session.js';

describe('the session of a leader', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('says when it is lost, also to who waits for an answer', async () => {
    const session = await LeaderSession.open(database.url);
    const row = await session.ask<{ pid: number }>(60_000, 'select pg_backend_pid() as pid');
    const waiting = expect(session.ask(60_000, 'select pg_sleep(60)')).rejects.toThrow();
    const lost = once(session.lost, 'abort');
    await sql`select pg_terminate_backend(${row?.pid})`.execute(database.db);
    await lost;
    await waiting;
    session.close();
  });

  it('holds on to nothing of what it was asked: a term may last for months', async () => {
    const session = await LeaderSession.open(database.url);
    await session.ask(60_000, 'select 1');
    const before = queryObjects(Promise, { format: 'count' });
    for (let n = 0; n < 100; n++) await session.ask(60_000, 'select 1');
    // each question made several
    expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(100);
    session.close();
  });
});
