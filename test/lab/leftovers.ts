import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './shell.js';

const PREFIX = 'wmlab-';

/** Names of what a run creates carry its pid, so that runs side by side never touch each other. */
export function ownName(name: string): string {
  return `${PREFIX}${process.pid}-${name}`;
}

/** What killed runs left behind: namespaces and folders of ours whose owner is gone (or had the pid that is now ours). */
export async function removeLeftovers(): Promise<void> {
  for (const name of (await namespaces()).filter(isLeftover)) {
    try {
      await removeNamespace(name);
    } catch (error) {
      // Another run, started just now, removes the same.
      if ((await namespaces()).includes(name)) throw error;
    }
  }
  for (const name of (await readdir(tmpdir())).filter(isLeftover)) {
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function namespaces(): Promise<readonly string[]> {
  const listed = await run(['ip', 'netns', 'list']);
  return listed.split('\n').map((line) => line.split(' ')[0] ?? '');
}

function isLeftover(name: string): boolean {
  const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
  return owner !== undefined && (owner === String(process.pid) || !existsSync(`/proc/${owner}`));
}

/** Ends the processes inside too: a namespace lives on while a process does. */
export async function removeNamespace(name: string): Promise<void> {
  const pids = await run(['ip', 'netns', 'pids', name]);
  for (const pid of pids.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself between the listing and now.
    }
  }
  await run(['ip', 'netns', 'delete', name]);
}
