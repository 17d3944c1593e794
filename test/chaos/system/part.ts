import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManagedProcess } from '../../lab/managed-process.js';

export interface PartOptions {
  readonly name: string;
  /** Its file in the folder of a build. */
  readonly program: string;
  /** The folder of the build that it is started from first. */
  readonly build: string;
  /** `life` counts the starts, from 1. */
  readonly environment: (life: number) => NodeJS.ProcessEnv;
  /** What it prints when it is ready. */
  readonly ready: RegExp;
  /** It may end by itself with exit status 1 before it is ready: what it needs is away, and whoever runs it tries again. */
  readonly mayFailToStart: boolean;
  /** Hears of an end that nobody asked for. */
  readonly onDeath: (why: string) => void;
}

const RESTART_MS = 500;
/** Longer than the parts themselves take at most, after which they say that they failed to stop. */
const STOP_MS = 30_000;

/** One process of the system, kept running as a service manager would; it ends only when it is killed here. */
export class Part {
  readonly name: string;
  /** The folder of the build that its next life is of. */
  build: string;
  /** Everything that each life has printed. */
  readonly outputs: (() => string)[] = [];
  readonly #options: PartOptions;
  #process: ManagedProcess | undefined;
  #wanted = false;
  #frozen = false;
  #running: Promise<void> = Promise.resolve();
  #life = 0;

  constructor(options: PartOptions) {
    this.#options = options;
    this.name = options.name;
    this.build = options.build;
  }

  get life(): number {
    return this.#life;
  }

  get pid(): number | undefined {
    return this.#process?.status === undefined ? this.#process?.pid : undefined;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#running = this.#keep();
  }

  /** Resolves when the present life, or the one after it, is ready. */
  async ready(timeoutMs = 300_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const process = this.#process;
      if (process !== undefined && this.#options.ready.test(process.output) && process.status === undefined) return;
      if (performance.now() > deadline) throw new Error(`${this.name} is not ready:\n${process?.output ?? ''}`);
      await sleep(50);
    }
  }

  async kill(): Promise<void> {
    this.#wanted = false;
    this.#frozen = false;
    await this.#process?.stop('SIGKILL');
    await this.#running;
  }

  /** In order, as an operator does; returns how it ended. */
  async stop(): Promise<string> {
    this.#wanted = false;
    this.thaw();
    const status = (await this.#process?.stop('SIGTERM', STOP_MS)) ?? 'not started';
    await this.#running;
    return status;
  }

  freeze(): void {
    if (this.pid === undefined) return;
    this.#frozen = true;
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    if (this.#frozen) this.#process?.signal('SIGCONT');
    this.#frozen = false;
  }

  async #keep(): Promise<void> {
    while (this.#isWanted()) {
      this.#life += 1;
      const { name, program, environment, ready, mayFailToStart, onDeath } = this.#options;
      const started = ManagedProcess.spawn(
        name,
        [process.execPath, join(this.build, program)],
        environment(this.#life),
      );
      this.#process = started;
      this.outputs.push(() => started.output);
      const status = await started.ended();
      if (!this.#isWanted()) return;
      const failedToStart = status === 'exit 1' && !ready.test(started.output);
      if (!(failedToStart && mayFailToStart)) onDeath(`${status}: ${started.output.slice(-500)}`);
      await sleep(RESTART_MS);
    }
  }

  #isWanted(): boolean {
    return this.#wanted;
  }
}
