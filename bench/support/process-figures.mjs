import { readFile, writeFile } from 'node:fs/promises';

const MIB = 1024 * 1024;

/**
 * Watches a controller process while it works: `begin` starts a phase, `end` says what it took. The first phase is under way
 * since `started` (performance.now()), when the process was started. Resident memory is what
 * Linux remembers as the highest of the phase; heap and stops of the event loop are sampled from /metrics, where a stop
 * shows in the first answer after it.
 */
export class ProcessFigures {
  #controller;
  #timer;
  #sampling = Promise.resolve();
  #heap = 0;
  #stop = 0;
  #cpu = 0;
  #started;

  constructor(controller, started) {
    this.#controller = controller;
    this.#started = started;
    this.#timer = setInterval(() => {
      this.#sampling = this.#sampling.then(() => this.#sample());
    }, 1_000);
  }

  async begin() {
    await this.#sample();
    // 5: forget the highest resident size (proc(5)).
    await writeFile(`/proc/${this.#controller.pid}/clear_refs`, '5').catch(() => undefined);
    this.#heap = 0;
    this.#stop = 0;
    this.#cpu = await this.#controller.cpuSeconds();
    this.#started = performance.now();
  }

  async end() {
    const seconds = (performance.now() - this.#started) / 1_000;
    await this.#sample();
    const status = await readFile(`/proc/${this.#controller.pid}/status`, 'utf8').catch(() => '');
    const kib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return {
      seconds,
      cpuSeconds: (await this.#controller.cpuSeconds()) - this.#cpu,
      rssMib: kib / 1024,
      heapMib: this.#heap / MIB,
      stopMs: this.#stop * 1_000,
    };
  }

  async #sample() {
    const metrics = await (
      await fetch(`${this.#controller.url}/metrics`, { headers: this.#controller.headers })
    ).text();
    const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
    this.#heap = Math.max(this.#heap, value('nodejs_heap_size_used_bytes'));
    this.#stop = Math.max(this.#stop, value('nodejs_eventloop_lag_max_seconds'));
  }

  async close() {
    clearInterval(this.#timer);
    await this.#sampling;
  }
}
