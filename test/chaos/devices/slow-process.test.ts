import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SlowProcess } from './slow-process.js';

const patient = { timeout: 60_000, interval: 5 };
let child: ChildProcess;

beforeEach(async () => {
  child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  await once(child, 'spawn');
});

afterEach(() => child.kill('SIGKILL'));

/** `R`: runs, `T`: stopped; as the kernel has it (proc_pid_stat(5)). */
async function state(): Promise<string> {
  return /\) (\S)/.exec(await readFile(`/proc/${child.pid ?? 0}/stat`, 'utf8'))?.[1] ?? '';
}

it('stops and goes on, again and again, and runs when it is over', async () => {
  const slow = new SlowProcess(child.pid ?? 0, { runMs: 50, pauseMs: 100 });
  for (let round = 0; round < 3; round++) {
    await vi.waitFor(async () => expect(await state()).toBe('T'), patient);
    await vi.waitFor(async () => expect(await state()).toBe('R'), patient);
  }
  await vi.waitFor(async () => expect(await state()).toBe('T'), patient);
  slow.stop();
  await vi.waitFor(async () => expect(await state()).toBe('R'), patient);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await state()).toBe('R');
});

it('ends with the process', async () => {
  const slow = new SlowProcess(child.pid ?? 0, { runMs: 10, pauseMs: 10 });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 50));
  slow.stop();
  await expect(state()).rejects.toThrow('ENOENT');
});
