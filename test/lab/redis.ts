import { freePort, ManagedProcess } from './managed-process.js';

/** A Redis server that forgets everything when it stops, on one address and port for its life. */
export class Redis {
  readonly url: string;
  readonly #argv: readonly string[];
  #process: ManagedProcess;

  private constructor(url: string, argv: readonly string[]) {
    this.url = url;
    this.#argv = argv;
    this.#process = ManagedProcess.spawn('redis-server', argv);
  }

  static async start(address: string): Promise<Redis> {
    const port = await freePort(address);
    const settings = { bind: address, port: String(port), save: '', appendonly: 'no', 'protected-mode': 'no' };
    const argv = ['redis-server', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])];
    const redis = new Redis(`redis://${address}:${port}`, argv);
    await redis.#ready();
    return redis;
  }

  /** Once more, after it was stopped. */
  async start(): Promise<void> {
    this.#process = ManagedProcess.spawn('redis-server', this.#argv);
    await this.#ready();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async #ready(): Promise<void> {
    await this.#process.printed(/Ready to accept connections/, 10_000);
  }
}
