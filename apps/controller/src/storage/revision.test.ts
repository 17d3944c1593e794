import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { createSession } from './database.js';
import { NothingChanged, withRevision, type RevisionHeader } from './revision.js';

const header: RevisionHeader<unknown> = { actor: 'test', kind: 'test', summary: 'a test', ted: true };

describe('a revision', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  const head = () => database.db.selectFrom('head').select(['revision', 'ted_revision']).executeTakeFirstOrThrow();
  const logged = (revision: number) =>
    database.db.selectFrom('revision').selectAll().where('revision', '=', revision).executeTakeFirst();

  it('takes the next number and is logged', async () => {
    const before = await head();
    const outcome = await withRevision(
      database.db,
      { ...header, summary: (result: string) => `did ${result}` },
      (_tx, revision, tedRevision) => Promise.resolve(`${revision}/${tedRevision}`),
    );
    expect(outcome).toEqual({
      changed: true,
      revision: before.revision + 1,
      tedRevision: before.ted_revision + 1,
      result: `${before.revision + 1}/${before.ted_revision + 1}`,
    });
    expect(await logged(outcome.revision)).toMatchObject({
      actor: 'test',
      kind: 'test',
      summary: `did ${outcome.result}`,
    });
  });

  it('of something else than the TED leaves the TED revision', async () => {
    const before = await head();
    const outcome = await withRevision(database.db, { ...header, ted: false }, () => Promise.resolve());
    expect(outcome).toMatchObject({ revision: before.revision + 1, tedRevision: before.ted_revision });
  });

  it('that found nothing to change is none', async () => {
    const before = await head();
    const outcome = await withRevision(database.db, header, () => Promise.reject(new NothingChanged('nothing')));
    expect(outcome).toEqual({
      changed: false,
      revision: before.revision,
      tedRevision: before.ted_revision,
      result: 'nothing',
    });
    expect(await head()).toEqual(before);
    expect(await logged(before.revision + 1)).toBeUndefined();
  });

  it('whose work fails leaves no trace', async () => {
    const before = await head();
    await expect(
      withRevision(database.db, header, async (tx) => {
        await tx.insertInto('affinity').values({ name: 'lost', bit: 1 }).execute();
        throw new Error('disk on fire');
      }),
    ).rejects.toThrow('disk on fire');
    expect(await head()).toEqual(before);
    expect(await database.db.selectFrom('affinity').selectAll().execute()).toEqual([]);
  });

  it('whose session is killed in the middle leaves no trace and blocks nobody', async () => {
    const before = await head();
    const killer = createSession(database.url);
    await killer.connect();
    await expect(
      withRevision(database.db, header, async (tx) => {
        await tx.insertInto('affinity').values({ name: 'lost', bit: 1 }).execute();
        await killer.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and state = 'idle in transaction'`,
        );
        await tx.insertInto('affinity').values({ name: 'lost too', bit: 2 }).execute();
      }),
    ).rejects.toThrow();
    await killer.end();
    const after = await withRevision(database.db, header, () => Promise.resolve());
    expect(after.revision).toBe(before.revision + 1);
    expect(await database.db.selectFrom('affinity').selectAll().execute()).toEqual([]);
  });

  it('commits in the order of its number, however many write at once', async () => {
    const listener = createSession(database.url);
    const announced: number[] = [];
    listener.on('notification', (message) => announced.push(Number(message.payload)));
    await listener.connect();
    await listener.query('listen waymark');
    const before = await head();
    // The earlier a writer starts, the longer its work takes: were numbers given out first come, they would commit reversed.
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        withRevision(database.db, header, async (tx) => {
          await tx.selectFrom('head').select('revision').execute();
          await new Promise((done) => setTimeout(done, 8 - index));
        }),
      ),
    );
    await listener.query('select 1');
    const expected = Array.from({ length: 8 }, (_, index) => before.revision + 1 + index);
    expect(outcomes.map((outcome) => outcome.revision).sort((a, b) => a - b)).toEqual(expected);
    expect(announced).toEqual(expected);
    await listener.end();
  });
});
