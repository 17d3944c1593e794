import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { StartFault } from '../model/start-fault.js';

/** Whoever records into a file. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Tells the process from a later one of the same number; null where the system does not say. */
  readonly started: string | null;
}

/**
 * Makes sure that one process at most records into a file: `<path>.lock` names it. What a process that was killed has left is
 * taken over, as far as one can tell: on another machine one cannot. (Two that start in the same moment after that may both
 * believe so.) The function it returns gives the lock up. Throws StartFault.
 */
export async function lockRecording(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  const own: Holder = { host: hostname(), pid: process.pid, started: await startOf(process.pid) };
  for (let isLast = false; ; isLast = true) {
    try {
      await writeFile(lock, `${JSON.stringify(own)}\n`, { flag: 'wx', mode: 0o600 });
      return () => rm(lock, { force: true });
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      // The disk is full: the file is there, and names nobody.
      if (syscall === 'write') await rm(lock, { force: true });
      if (code !== 'EEXIST') throw error;
    }
    const holder = await readHolder(lock);
    if (isLast || !(await isGone(holder, own))) {
      const who = holder === undefined ? '' : ` (process ${holder.pid} on ${holder.host})`;
      throw new StartFault(
        `another controller records into the file of WAYMARK_RECORD_FILE${who}: name another file; ` +
          `if none does, remove ${lock}`,
      );
    }
    await rm(lock, { force: true });
  }
}

async function readHolder(lock: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(lock, 'utf8')) as Holder;
  } catch {
    // Not written yet, or gone by now.
    return undefined;
  }
}

async function isGone(holder: Holder | undefined, own: Holder): Promise<boolean> {
  if (holder?.host !== own.host) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  return (await startOf(holder.pid)) !== holder.started;
}

/** When a process started, in ticks since the machine did: field 22 of proc(5)'s stat, after the name in parentheses. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
