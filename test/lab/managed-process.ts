import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ended, spawnBound } from './shell.js';

/** A server of the lab: kept until it is stopped, its output kept for when it fails. */
export class ManagedProcess {
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #end: Promise<string>;
  #output = '';
  #ended: string | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(name: string, child: ChildProcessWithoutNullStreams) {
    this.#name = name;
    this.#child = child;
    this.#end = ended(child);
    this.#end.then(
      (status) => this.#changed(() => (this.#ended = status)),
      (error: unknown) => this.#changed(() => (this.#ended = String(error))),
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#changed(() => (this.#output += text)));
    }
  }

  static spawn(name: string, argv: readonly string[], environment: NodeJS.ProcessEnv = {}): ManagedProcess {
    return new ManagedProcess(name, spawnBound(argv, environment));
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended: `exit <code>` or a signal. undefined while it runs. */
  get status(): string | undefined {
    return this.#ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when the output matches. Rejects when the process ends first, or the time is up. */
  printed(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        settle();
      };
      const fail = (why: string): void => finish(() => reject(new Error(`${this.#name} ${why}:\n${this.#output}`)));
      const watch = (): void => {
        const match = pattern.exec(this.#output);
        if (match !== null) finish(() => resolve(match));
        else if (this.#ended !== undefined) fail(`ended (${this.#ended})`);
      };
      const timer = setTimeout(() => fail(`did not print ${String(pattern)}`), timeoutMs);
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Resolves when it has ended, with its status. */
  ended(): Promise<string> {
    return this.#end.catch((error: unknown) => String(error));
  }

  /**
   * Sends the signal and waits until the process is gone; one that does not go within `patienceMs` is killed. Returns how it
   * ended: `exit <code>` or a signal.
   */
  async stop(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL' = 'SIGTERM', patienceMs = 10_000): Promise<string> {
    this.#child.kill(signal);
    const force = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    const status = await this.ended();
    clearTimeout(force);
    return status;
  }

  /** Stops the process in its tracks: its connections stay open and nothing answers. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  #changed(change: () => void): void {
    change();
    for (const watch of [...this.#watchers]) watch();
  }
}

/** Below those that the kernel gives away by itself (32768 and up): nobody gets one of these by chance. */
const PORTS = { from: 10_000, to: 32_768 };

/** A TCP port that nobody listens on just now, for servers that must come back on the same one. */
export async function freePort(address: string): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(address, port)) return port;
  }
}

/** Throws when it is not taken but cannot be had for another reason. */
async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, address), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await once(server.close(), 'close');
  return true;
}
