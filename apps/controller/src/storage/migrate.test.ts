import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartFault } from '../model/start-fault.js';
import { eventually } from '../testing/eventually.js';
import { schemaOf } from '../testing/schema-of.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { createSession } from './database.js';
import { migrate } from './migrate.js';

const MIGRATIONS = fileURLToPath(new URL('../../../../migrations', import.meta.url));

describe('migrations', () => {
  let folder: string;
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'waymark-migrations-'));
    await cp(MIGRATIONS, folder, { recursive: true });
  });

  afterEach(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('are all pinned by a checksum', async () => {
    const pinned = JSON.parse(await readFile(join(MIGRATIONS, 'checksums.json'), 'utf8')) as object;
    const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql'));
    expect(Object.keys(pinned).sort()).toEqual(files.sort());
  });

  it('run a second time change nothing', async () => {
    await migrate(database.url, folder);
    expect(await database.db.selectFrom('head').select('revision').execute()).toEqual([{ revision: 0 }]);
  });

  it('may be run by several processes at once', async () => {
    await addMigration(folder, '0099_fresh.sql', '-- Up Migration\ncreate table fresh (id integer);\n');
    await Promise.all([1, 2, 3].map(() => migrate(database.url, folder)));
    const ran = await sql`select name from migration where name = '0099_fresh'`.execute(database.db);
    expect(ran.rows).toHaveLength(1);
  });

  it('leave the database as it was when one of them fails', async () => {
    const before = await schemaOf(database.db);
    await addMigration(folder, '0098_good.sql', '-- Up Migration\ncreate table good (id integer);\n');
    await addMigration(folder, '0099_bad.sql', '-- Up Migration\ncreate table bad (id no_such_type);\n');
    await expect(migrate(database.url, folder)).rejects.toThrow(/no_such_type/);
    expect(await schemaOf(database.db)).toEqual(before);
  });

  it('are refused on a database of a newer version, which stays as it is', async () => {
    await addMigration(folder, '0099_newer.sql', '-- Up Migration\ncreate table newer (id integer);\n');
    await migrate(database.url, folder);
    const before = await schemaOf(database.db);
    await expect(migrate(database.url, MIGRATIONS)).rejects.toThrow(
      new StartFault(
        'the database of DATABASE_URL was migrated by a newer version of the controller (0099_newer): start that version, ' +
          'or restore the backup from before the upgrade',
      ),
    );
    expect(await schemaOf(database.db)).toEqual(before);
  });

  it('wait for another that is under way, and take it as done', async () => {
    await addMigration(
      folder,
      '0099_slow.sql',
      '-- Up Migration\nselect pg_advisory_xact_lock(4711);\ncreate table slow (id integer);\n',
    );
    const gate = createSession(database.url);
    await gate.connect();
    try {
      await gate.query('select pg_advisory_lock(4711)');
      const [first, second] = [migrate(database.url, folder), migrate(database.url, folder)];
      await eventually(async () => {
        const waiting = await sql`
          select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database
            where datname = current_database())
        `.execute(database.db);
        expect(waiting.rows).toHaveLength(2);
      }, 60_000);
      await gate.query('select pg_advisory_unlock(4711)');
      await Promise.all([first, second]);
    } finally {
      await gate.end();
    }
    const ran = await sql`select name from migration where name = '0099_slow'`.execute(database.db);
    expect(ran.rows).toHaveLength(1);
  }, 90_000);

  describe('on a table that somebody holds', () => {
    const holding = async () => {
      const holder = createSession(database.url);
      await holder.connect();
      await holder.query('begin');
      // As pg_dump does.
      await holder.query('lock table sr_policy in access share mode');
      return holder;
    };

    beforeEach(() =>
      addMigration(folder, '0099_held.sql', '-- Up Migration\nalter table sr_policy add held integer;\n'),
    );

    it('let others pass between their attempts, and are done once it is free', async () => {
      const holder = await holding();
      const locked: unknown[] = [];
      const patience = { lockMs: 200, pauseMs: 200, attempts: 1_000, onLocked: (error: unknown) => locked.push(error) };
      const done = migrate(database.url, folder, patience);
      await eventually(async () => {
        // What comes after a migration that waits for its lock waits behind it.
        await sql`select count(*) from sr_policy`.execute(database.db);
        expect(locked.length).toBeGreaterThan(1);
      }, 60_000);
      await holder.query('commit');
      await done;
      await sql`select held from sr_policy`.execute(database.db);
      await holder.end();
    }, 120_000);

    it('give up after as many attempts as they may make, and leave the database as it was', async () => {
      const before = await schemaOf(database.db);
      const holder = await holding();
      const impatient = migrate(database.url, folder, { lockMs: 100, pauseMs: 1, attempts: 3 });
      await expect(impatient).rejects.toThrow(
        /found a table locked, 3 times \(canceling statement due to lock timeout\)/,
      );
      await expect(impatient).rejects.toBeInstanceOf(StartFault);
      await holder.end();
      expect(await schemaOf(database.db)).toEqual(before);
      await migrate(database.url, folder);
    }, 120_000);

    it('wait for another process that migrates for as long as it takes', async () => {
      const holder = await holding();
      let locked = 0;
      const first = migrate(database.url, folder, {
        lockMs: 100,
        pauseMs: 100,
        attempts: 1_000,
        onLocked: () => locked++,
      });
      await eventually(() => locked > 0, 60_000);
      const second = migrate(database.url, folder, { lockMs: 1, attempts: 1 });
      await eventually(() => locked > 5, 60_000);
      await holder.end();
      await Promise.all([first, second]);
    }, 120_000);
  });

  it('are refused when a file has changed since its checksum was recorded', async () => {
    await appendFile(join(folder, '0001_ted.sql'), '-- one more thought\n');
    await expect(migrate(database.url, folder)).rejects.toThrow(/0001_ted\.sql differs/);
  });

  it('are refused when a file is missing', async () => {
    await rm(join(folder, '0001_ted.sql'));
    await expect(migrate(database.url, folder)).rejects.toThrow(/0001_ted\.sql differs/);
  });
});

async function addMigration(folder: string, name: string, content: string): Promise<void> {
  const file = join(folder, 'checksums.json');
  const checksums = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  checksums[name] = createHash('sha256').update(content).digest('hex');
  await writeFile(join(folder, name), content);
  await writeFile(file, JSON.stringify(checksums));
}
