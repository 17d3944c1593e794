import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import { DatabaseError, type Client } from 'pg';
import { isOutage } from '../model/outage.js';
import { StartFault } from '../model/start-fault.js';
import { createSession } from './database.js';

/** The repository's numbered SQL files; the same number of steps up from src/storage and from dist/storage. */
const MIGRATIONS = fileURLToPath(new URL('../../../../migrations', import.meta.url));

/** SQLSTATEs: lock_not_available, deadlock_detected */
const LOCKED = new Set(['55P03', '40P01']);

/**
 * A migration that waits for a lock stands in the way of all that come after it, also of those who only read. So it gives up
 * soon, lets them pass, and tries again.
 */
export interface MigrationPatience {
  readonly lockMs: number;
  readonly pauseMs: number;
  readonly attempts: number;
  /** Before each further attempt. */
  readonly onLocked: (error: unknown) => void;
}

const patient: MigrationPatience = { lockMs: 2_000, pauseMs: 2_000, attempts: 30, onLocked: () => undefined };

/**
 * Brings the database's schema up to date, in one transaction. Several processes may do so at once: the others wait.
 * Throws when a migration file differs from its recorded checksum, and StartFault when the database lets nobody in by that URL,
 * has migrations that are not among these (it is of a newer version, whose rules for what it holds are not known here), or
 * somebody holds a lock on what they change for longer than all attempts take.
 */
export async function migrate(
  url: string,
  folder = MIGRATIONS,
  patience: Partial<MigrationPatience> = {},
): Promise<void> {
  await verifyChecksums(folder);
  const session = await connected(url);
  try {
    const files = await readdir(folder);
    await refuseNewer(session, files);
    // The runner's own lock, taken before: for another process that migrates one waits as long as it takes.
    await session.query(`select pg_advisory_lock(${PG_MIGRATE_LOCK_ID})`);
    await runPatiently(session, folder, { ...patient, ...patience });
    // A newer one may have been at it while this one waited.
    await refuseNewer(session, files);
  } finally {
    await session.end();
  }
}

async function runPatiently(
  session: Client,
  folder: string,
  { lockMs, pauseMs, attempts, onLocked }: MigrationPatience,
): Promise<void> {
  await session.query(`set lock_timeout = ${lockMs}`);
  for (let left = attempts - 1; ; left--) {
    try {
      await run(session, folder);
      return;
    } catch (error) {
      if (!(error instanceof DatabaseError && LOCKED.has(error.code ?? ''))) throw error;
      if (left === 0) {
        throw new StartFault(
          `a migration of the database of DATABASE_URL found a table locked, ${attempts} times (${error.message}): end what ` +
            'holds it, such as a backup or a session that idles in a transaction, and start again; nothing was changed',
          { cause: error },
        );
      }
      onLocked(error);
      await pause(pauseMs);
    }
  }
}

async function run(session: Client, folder: string): Promise<void> {
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
