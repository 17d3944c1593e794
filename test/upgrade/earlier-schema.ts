import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Database } from '../../apps/controller/src/storage/database.js';
import { migrate } from '../../apps/controller/src/storage/migrate.js';

const MIGRATIONS = join(import.meta.dirname, '../../migrations');
const WRITTEN_AT = join(import.meta.dirname, 'written-at');

/** In their order. */
export const migrations: readonly string[] = readdirSync(MIGRATIONS)
  .filter((name) => name.endsWith('.sql'))
  .sort();

/**
 * Makes the empty database `url` one that was created with the first migration and upgraded with each release up to
 * `through`: after each migration it is filled with what a controller of that schema may have written (`written-at/`).
 */
export async function growDatabase(url: string, db: Database, through: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-migrations-'));
  try {
    const checksums = JSON.parse(readFileSync(join(MIGRATIONS, 'checksums.json'), 'utf8')) as Record<string, string>;
    const there: Record<string, string | undefined> = {};
    for (const name of migrations.slice(0, migrations.indexOf(through) + 1)) {
      cpSync(join(MIGRATIONS, name), join(folder, name));
      there[name] = checksums[name];
      writeFileSync(join(folder, 'checksums.json'), JSON.stringify(there));
      const data = `${name.slice(0, 4)}.sql`;
      // What comes without data needs no database of its own in between.
      if (!readdirSync(WRITTEN_AT).includes(data) && name !== through) continue;
      await migrate(url, folder);
      if (readdirSync(WRITTEN_AT).includes(data))
        await sql.raw(readFileSync(join(WRITTEN_AT, data), 'utf8')).execute(db);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Row = Readonly<Record<string, unknown>>;

/** Every row of every table, by table. */
export async function contents(db: Database): Promise<ReadonlyMap<string, readonly Row[]>> {
  const tables = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'migration' order by 1
  `.execute(db);
  const found = new Map<string, readonly Row[]>();
  for (const { name } of tables.rows) {
    const rows = await sql<{ row: Row }>`select to_jsonb(t) as row from ${sql.table(name)} t order by t::text`.execute(
      db,
    );
    found.set(
      name,
      rows.rows.map(({ row }) => row),
    );
  }
  return found;
}
