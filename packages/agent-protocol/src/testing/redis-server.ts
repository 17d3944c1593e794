import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

/** A real redis-server of a test's own, on a port that stays the same when it is started again. */
export class RedisServer {
  readonly port: number;
  readonly #settings: readonly string[];
  readonly #scheme: 'redis' | 'rediss';
  #process: ChildProcess | undefined;

  private constructor(port: number, scheme: 'redis' | 'rediss', settings: readonly string[]) {
    this.port = port;
    this.#scheme = scheme;
    this.#settings = settings;
  }

  /** @param tls Settings of TLS, as the command line takes them: then nothing is spoken in the clear. */
  static async start(tls: readonly string[] = []): Promise<RedisServer> {
    const port = await freePort();
    const server = new RedisServer(
      port,
      tls.length === 0 ? 'redis' : 'rediss',
      tls.length === 0 ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port), ...tls],
    );
    await server.start();
    return server;
  }

  get url(): string {
    return this.urlOf('');
  }

  /** For a user: `name:password`. */
  urlOf(user: string): string {
    return `${this.#scheme}://${user === '' ? '' : `${user}@`}127.0.0.1:${String(this.port)}`;
  }

  async start(): Promise<void> {
    const running = spawn('redis-server', [...this.#settings, '--bind', '127.0.0.1', '--save', ''], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
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

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
