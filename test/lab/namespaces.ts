import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { ownName, removeNamespace } from './leftovers.js';
import { run, spawnBound } from './shell.js';

/** The network namespaces of one run. */
export class Namespaces {
  readonly #names: string[] = [];

  /** Kernel name of the namespace of a router, host or pod. */
  name(node: string): string {
    return ownName(node);
  }

  async create(nodes: readonly string[]): Promise<void> {
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
    return spawnBound(['ip', 'netns', 'exec', this.name(node), ...argv], environment);
  }

  async remove(): Promise<void> {
    for (const name of this.#names.splice(0)) await removeNamespace(name);
  }
}

/** Runs `ip -batch` in the namespace of the test itself. */
export async function ipBatch(lines: readonly string[]): Promise<void> {
  await run(['ip', '-batch', '-'], `${lines.join('\n')}\n`);
}
