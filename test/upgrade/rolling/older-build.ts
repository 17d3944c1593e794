import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from '../../started-system.js';

const PROGRAMS = ['apps/controller/dist/main.js', 'apps/node-agent/dist/main.js'];
const ARCHIVE = 'source.tar';

/** A folder with a build, and what removes it again if it was made for this. */
export interface Build {
  readonly folder: string;
  readonly remove: () => void;
}

/** Throws when `from` is neither a folder with a build nor a commit of this repository that can be built. */
export function findBuild(from: string): Build {
  if (existsSync(from)) {
    const missing = PROGRAMS.find((program) => !existsSync(join(from, program)));
    if (missing !== undefined) throw new Error(`${from} has no ${missing}: run npm ci and npx tsc -b there`);
    return { folder: resolve(from), remove: () => undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'waymark-older-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync('git', ['archive', '--output', join(folder, ARCHIVE), from], { cwd: root, stdio: 'inherit' });
    for (const [program, ...args] of [
      ['tar', '--extract', '--file', ARCHIVE],
      ['npm', 'ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'],
      [process.execPath, 'node_modules/typescript/bin/tsc', '-b'],
    ] as const) {
      execFileSync(program, args, { cwd: folder, stdio: 'inherit' });
    }
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Names of the migrations that a build has, in their order. */
export function migrationsOf(folder: string): readonly string[] {
  const files = readdirSync(join(folder, 'migrations')).filter((name) => name.endsWith('.sql'));
  return files.map((name) => name.replace(/\.sql$/, '')).sort();
}

/** What a controller says when it is started on a database that a newer one has migrated. */
export const REFUSES_NEWER = 'the database of DATABASE_URL was migrated by a newer version';

/** Whether the guide of a build says that its controllers refuse the database of a newer one: the first ones did not. */
export function promisesToRefuse(folder: string): boolean {
  return readFileSync(join(folder, 'docs/operating.md'), 'utf8').includes(REFUSES_NEWER);
}
