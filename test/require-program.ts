import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a test suite needs of the machine beyond Node. */
export interface Needs {
  /** Names of executables that must be on the PATH (the usual system directories are searched too). */
  readonly programs?: readonly string[];
  readonly root?: boolean;
}

/**
 * Why a suite cannot run here, or undefined when it can. Under CI=true a missing need is an error instead, so that a
 * skipped suite can never pass for a green one.
 */
export function missingNeeds(needs: Needs): string | undefined {
  const missing = (needs.programs ?? [])
    .filter((program) => !isOnPath(program))
    .map((program) => `${program} is missing`);
  if (needs.root === true && process.getuid?.() !== 0) missing.push('root is needed');
  if (missing.length === 0) return undefined;
  const reason = missing.join(', ');
  if (process.env['CI'] === 'true') throw new Error(`this suite must run in CI, but ${reason}`);
  return reason;
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
