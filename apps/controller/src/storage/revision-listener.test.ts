import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { RevisionListener } from './revision-listener.js';
import { withRevision } from './revision.js';

describe('a revision listener', () => {
  let database: TestDatabase;
  let listener: RevisionListener;
  let heard: number[];

  beforeEach(async () => {
    database = await createTestDatabase();
    listener = new RevisionListener(database.url, database.db);
    heard = [];
    listener.onRevision(({ revision }) => heard.push(revision));
    await listener.start();
  });

  afterEach(async () => {
    await listener.stop();
    await database.drop();
  });

  const write = async (ted = true) => {
    const header = { actor: 'test', kind: 'test', summary: 'a test', ted };
    return (await withRevision(database.db, header, () => Promise.resolve())).revision;
  };
  const killListeningSessions = () =>
    sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'select revision, ted_revision from head%'
    `.execute(database.db);

  it('hears of revisions in order, the newest at last', async () => {
    for (let count = 0; count < 20; count++) await write(count % 2 === 0);
    await vi.waitFor(() => {
      expect(heard.at(-1)).toBe(20);
    });
    expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
  });

  it('hears of what was written while its session was broken, and notifications again afterwards', async () => {
    await killListeningSessions();
    const revision = await write();
    await vi.waitFor(() => {
      expect(heard.at(-1)).toBe(revision);
      expect(listener.isListening).toBe(true);
    });
    await write();
    await vi.waitFor(() => {
      expect(heard.at(-1)).toBe(revision + 1);
    });
  });

  it('finds by its poll what no notification told', async () => {
    await sql`update head set revision = 7`.execute(database.db);
    await vi.waitFor(
      () => {
        expect(heard).toEqual([7]);
      },
      { timeout: 5_000 },
    );
  });

  it('is silent after its end', async () => {
    await listener.stop();
    await write();
    expect(heard).toEqual([]);
  });
});
