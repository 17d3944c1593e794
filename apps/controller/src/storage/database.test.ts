import { sql } from 'kysely';
import type { DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isOutage, OutcomeUnknown } from '../model/outage.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { relayPostgres } from '../testing/postgres-relay.js';
import { translateErrors } from '../testing/translated-errors.js';
import { createDatabase, type Database } from './database.js';

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

  describe('whose session breaks', () => {
    /** Runs the statement when the transaction is committed, by a deferred trigger. */
    const committingOn = (db: Database, statement: string) =>
      db.transaction().execute(async (tx) => {
        await sql
          .raw(
            `
          create temporary table at_commit (one int);
          create or replace function pg_temp.at_commit() returns trigger language plpgsql as
            $$ begin ${statement}; return null; end $$;
          create constraint trigger at_commit after insert on at_commit initially deferred
            for each row execute function pg_temp.at_commit()`,
          )
          .execute(tx);
        await sql`insert into at_commit values (1)`.execute(tx);
      });
    const committing = (statement: string) => committingOn(database.db, statement);

    it('during a commit, says that nobody knows whether it was', async () => {
      const broken = committing('perform pg_terminate_backend(pg_backend_pid())');
      await expect(broken).rejects.toThrow(OutcomeUnknown);
    });

    it('before the commit, tells what broke it', async () => {
      const broken = database.db
        .transaction()
        .execute((tx) => sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx));
      const error = await broken.catch((reason: unknown) => reason);
      expect(error).toSatisfy(isOutage);
      expect(error).not.toBeInstanceOf(OutcomeUnknown);
    });

    it('during the commit of what only read, tells what broke it: nothing can have changed', async () => {
      const broken = database.db
        .transaction()
        .setAccessMode('read only')
        .execute(async (tx) => {
          await sql`select 1`.execute(tx);
          const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
          await sql`select pg_terminate_backend(${rows[0]?.pid}, 10000)`.execute(database.db);
        });
      const error = await broken.catch((reason: unknown) => reason);
      expect(error).toSatisfy(isOutage);
      expect(error).not.toBeInstanceOf(OutcomeUnknown);
    });

    it('during the commit of a change, even when the session read before', async () => {
      const single = createDatabase(database.url, 1);
      await single
        .transaction()
        .setAccessMode('read only')
        .execute((tx) => sql`select 1`.execute(tx));
      const broken = single.transaction().execute(async (tx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        await sql`select pg_terminate_backend(${rows[0]?.pid}, 10000)`.execute(database.db);
      });
      await expect(broken).rejects.toThrow(OutcomeUnknown);
      await single.destroy();
    });

    it('in whatever language the server says so', async () => {
      const translated = await relayPostgres(database.url, translateErrors);
      const foreign = createDatabase(translated.url);
      const severity = await sql`select nonsense`
        .execute(foreign)
        .catch((error: unknown) => (error as DatabaseError).severity);
      expect(severity).toBe('FEHLER');
      const refused = committingOn(foreign, "raise 'not today'");
      await expect(refused).rejects.toThrow('not today');
      await expect(committingOn(foreign, 'perform pg_terminate_backend(pg_backend_pid())')).rejects.toThrow(
        OutcomeUnknown,
      );
      await foreign.destroy();
      await translated.close();
    });

    it('never mind: a commit that the server refuses has changed nothing', async () => {
      await expect(committing("raise 'not today'")).rejects.toThrow('not today');
    });
  });
});
