import { readdirSync } from 'node:fs';
import { readFile, rename, unlink } from 'node:fs/promises';

const PRELOAD = new URL('tell-memory.mjs', import.meta.url);

/** Asks a process for its memory after a collection of garbage. The process is to be started with `environment`. */
export class WatchedMemory {
  #file;

  /** `file`: where the process leaves its answer. */
  constructor(file) {
    this.#file = file;
  }

  get environment() {
    return {
      NODE_OPTIONS: `--import ${PRELOAD.href}`,
      WAYMARK_BENCH_MEMORY: this.#file,
      // Idle workers of the pool would sleep in Atomics.wait, and answer nobody.
      PISCINA_DISABLE_ATOMICS: '1',
    };
  }

  /** {rss, heapUsed, external, arrayBuffers, workersHeap, code} in bytes, and {handles, files}. */
  async measure(pid) {
    await unlink(this.#file).catch(() => undefined);
    process.kill(pid, 'SIGURG');
    const text = await this.#whenThere(() => readFile(this.#file, 'utf8'));
    return { ...JSON.parse(text), files: readdirSync(`/proc/${pid}/fd`).length };
  }

  /** A heap snapshot of its main thread, into that file. The process stands still meanwhile, and is larger from then on. */
  async snapshot(pid, name) {
    process.kill(pid, 'SIGWINCH');
    await this.#whenThere(() => rename(`${this.#file}.heapsnapshot`, name));
  }

  async #whenThere(take) {
    for (;;) {
      try {
        return await take();
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
