import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from '../../../../test/lab/managed-process.js';
import { spawnBound } from '../../../../test/lab/shell.js';

export interface RedisServerOptions {
  /** Default: loopback. */
  readonly address?: string;
  /** Settings of TLS, as the command line takes them: then nothing is spoken in the clear. */
  readonly tls?: readonly string[];
  /** Further settings, likewise. */
  readonly settings?: readonly string[];
}

/**
 * A real redis-server of a test's own. It keeps nothing when it ends, and its port when it is started again. Needs the
 * programs `redis-server` and `setpriv`.
 */
export class RedisServer {
  readonly port: number;
  readonly #address: string;
  readonly #settings: readonly string[];
  readonly #scheme: 'redis' | 'rediss';
  #process: ChildProcess | undefined;

  private constructor(port: number, { address = '127.0.0.1', tls = [], settings = [] }: RedisServerOptions) {
    this.port = port;
    this.#address = address;
    this.#scheme = tls.length === 0 ? 'redis' : 'rediss';
    const listen = tls.length === 0 ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port), ...tls];
    this.#settings = [...listen, '--bind', address, '--save', '', '--protected-mode', 'no', ...settings];
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(options.address ?? '127.0.0.1'), options);
    await server.start();
    return server;
  }

  get url(): string {
    return this.urlOf('');
  }

  /** For a user: `name:password`. */
  urlOf(user: string): string {
    return `${this.#scheme}://${user === '' ? '' : `${user}@`}${this.#address}:${String(this.port)}`;
  }

  async start(): Promise<void> {
    const running = spawnBound(['redis-server', ...this.#settings]);
    running.stderr.pipe(process.stderr);
    this.#process = running;
    for await (const line of createInterface(running.stdout)) {
      if (line.includes('Ready to accept connections')) break;
    }
    running.stdout.resume();
    if (running.exitCode !== null) throw new Error('redis-server did not start');
  }

  /** Ends it: SIGTERM lets it say goodbye, SIGKILL does not. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    this.#process = undefined;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  }

  /** Stops the process in its tracks: connections stay open and nothing answers. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }
}
