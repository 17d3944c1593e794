import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Client } from 'pg';
import { isOutage } from '../model/outage.js';
import { StartFault } from '../model/start-fault.js';
import { createSession } from './database.js';

/** The repository's numbered SQL files; the same number of steps up from src/storage and from dist/storage. */
const MIGRATIONS = fileURLToPath(new URL('../../../../migrations', import.meta.url));

/**
 * Brings the database's schema up to date, in one transaction. Several processes may do so at once: the others wait.
 * Throws when a migration file differs from its recorded checksum, and StartFault when the database lets nobody in by that URL,
 * or has migrations that are not among these: it is of a newer version, whose rules for what it holds are not known here.
 */
export async function migrate(url: string, folder = MIGRATIONS): Promise<void> {
  await verifyChecksums(folder);
  const session = await connected(url);
  try {
    const files = await readdir(folder);
    await refuseNewer(session, files);
    await runner({
      dbClient: session,
      dir: folder,
      ignorePattern: String.raw`(?!.*\.sql$).*`,
      migrationsTable: 'migration',
      direction: 'up',
      singleTransaction: true,
      advisoryLockMode: 'wait',
      log: () => undefined,
    });
    // A newer one may have been at it while this one waited.
    await refuseNewer(session, files);
  } finally {
    await session.end();
  }
}

async function refuseNewer(session: Client, files: readonly string[]): Promise<void> {
  const { rows } = await session.query<{ there: boolean }>(`select to_regclass('migration') is not null as there`);
  if (rows[0]?.there !== true) return;
  const ran = await session.query<{ name: string }>('select name from migration order by id');
  const known = new Set(files.map((file) => file.replace(/\.sql$/, '')));
  const unknown = ran.rows.map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new StartFault(
    `the database of DATABASE_URL was migrated by a newer version of the controller (${unknown.join(', ')}): start that ` +
      'version, or restore the backup from before the upgrade',
  );
}

/**
 * node-pg-migrate remembers names only. A released file that changes would leave old and new databases with different
 * schemas under one name, so migrations/checksums.json pins the SHA-256 of each.
 */
async function verifyChecksums(folder: string): Promise<void> {
  const pinned = JSON.parse(await readFile(join(folder, 'checksums.json'), 'utf8')) as Readonly<Record<string, string>>;
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql'));
  for (const name of new Set([...files, ...Object.keys(pinned)])) {
    const content = await readFile(join(folder, name)).catch(() => undefined);
    const actual = content && createHash('sha256').update(content).digest('hex');
    if (actual === undefined || actual !== pinned[name]) {
      throw new Error(
        `the migration ${name} differs from migrations/checksums.json. A released migration never changes: add a new ` +
          'one instead. To record a new one, run: node migrations/update-checksums.mjs',
      );
    }
  }
}

/** A server that is gone is the caller's matter; a wrong password, CA or name of a database is the operator's. */
async function connected(url: string): Promise<Client> {
  try {
    const session = createSession(url);
    session.on('error', () => undefined);
    await session.connect();
    return session;
  } catch (error) {
    if (isOutage(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new StartFault(`the database of DATABASE_URL cannot be used: ${why}`, { cause: error });
  }
}
