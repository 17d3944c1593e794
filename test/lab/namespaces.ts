import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run, SYSTEM_ENVIRONMENT } from './shell.js';

const PREFIX = 'wmlab-';

/** The network namespaces of one run. Names carry the pid, so that runs side by side never touch each other. */
export class Namespaces {
  readonly #names: string[] = [];

  /** Kernel name of the namespace of a router, host or pod. */
  name(node: string): string {
    return `${PREFIX}${process.pid}-${node}`;
  }

  async create(nodes: readonly string[]): Promise<void> {
    await removeLeftovers();
    const names = nodes.map((node) => this.name(node));
    this.#names.push(...names);
    await ipBatch(names.map((name) => `netns add ${name}`));
  }

  /** Runs one program inside a namespace. */
  run(node: string, argv: readonly string[], stdin = ''): Promise<string> {
    return run(['ip', 'netns', 'exec', this.name(node), ...argv], stdin);
  }

  /** `ip -batch` inside a namespace; every line must succeed. */
  async ip(node: string, lines: readonly string[]): Promise<void> {
    await run(['ip', '-n', this.name(node), '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** `ip netns exec` replaces itself by the program: signals reach the program and its pid is the child's. */
  spawn(node: string, argv: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
    return spawn('ip', ['netns', 'exec', this.name(node), ...argv], { env: { ...SYSTEM_ENVIRONMENT, ...environment } });
  }

  async remove(): Promise<void> {
    for (const name of this.#names.splice(0)) await removeNamespace(name);
  }
}

/** Runs `ip -batch` in the namespace of the test itself. */
export async function ipBatch(lines: readonly string[]): Promise<void> {
  await run(['ip', '-batch', '-'], `${lines.join('\n')}\n`);
}

/** What a killed run left behind: namespaces of ours whose owner is gone (or had the pid that is now our own). */
async function removeLeftovers(): Promise<void> {
  const listed = await run(['ip', 'netns', 'list']);
  for (const line of listed.split('\n')) {
    const name = line.split(' ')[0] ?? '';
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined) continue;
    if (owner === String(process.pid) || !existsSync(`/proc/${owner}`)) await removeNamespace(name);
  }
}

/** Ends the processes inside too: a namespace lives on while a process does. */
async function removeNamespace(name: string): Promise<void> {
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
