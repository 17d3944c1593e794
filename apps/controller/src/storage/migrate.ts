import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { createSession } from './database.js';

/** The repository's numbered SQL files; the same number of steps up from src/storage and from dist/storage. */
const MIGRATIONS = fileURLToPath(new URL('../../../../migrations', import.meta.url));

/**
 * Brings the database's schema up to date, in one transaction. Several processes may do so at once: the others wait.
 * Throws when a migration file differs from its recorded checksum.
 */
export async function migrate(url: string, folder = MIGRATIONS): Promise<void> {
  await verifyChecksums(folder);
  const session = createSession(url);
  session.on('error', () => undefined);
  await session.connect();
  try {
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
  } finally {
    await session.end();
  }
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
