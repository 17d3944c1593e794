import type { DataPlaneReport } from '@waymark/agent-protocol';
import type { BaseLogger } from 'pino';
import { DataPlaneError, type DataPlane } from '../dataplane/port.js';
import type { DataPlaneReports } from '../session/ports.js';
import { reportOf, unreachableView, viewOf, type DataPlaneView, type TimedReading } from './data-plane-view.js';

export interface CounterReaderOptions {
  readonly dataPlane: Pick<DataPlane, 'readCounters'>;
  readonly intervalMs: number;
  readonly log: Pick<BaseLogger, 'info' | 'warn'>;
  /** Unix time. */
  readonly unixMs?: () => number;
  /** Never jumps; rates are over this. */
  readonly monotonicMs?: () => number;
}

/** Reads the data plane's counters now and then, one reading at a time, and tells what came of it. */
export class CounterReader implements DataPlaneReports {
  readonly #options: CounterReaderOptions;
  readonly #unixMs: () => number;
  readonly #monotonicMs: () => number;
  #view: DataPlaneView | null = null;
  /** The last reading that succeeded. */
  #before: TimedReading | null = null;
  #listener: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: CounterReaderOptions) {
    this.#options = options;
    this.#unixMs = options.unixMs ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  start(): void {
    this.#running = this.read().finally(() => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), this.#options.intervalMs);
    });
  }

  /** Resolves when no reading is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** null: not read yet */
  get view(): DataPlaneView | null {
    return this.#view;
  }

  get report(): DataPlaneReport | null {
    return this.#view && reportOf(this.#view);
  }

  onReport(listener: () => void): void {
    this.#listener = listener;
  }

  /** Reads once. Never rejects. */
  async read(): Promise<void> {
    const view = await this.#look();
    if (this.#stopped) return;
    if (view.reachable !== (this.#view?.reachable ?? true)) {
      if (view.reachable) this.#options.log.info('the data plane answers again');
      else this.#options.log.warn({ why: view.notices[0] }, 'the counters of the data plane cannot be read');
    }
    this.#view = view;
    this.#listener();
  }

  async #look(): Promise<DataPlaneView> {
    const before = this.#before;
    try {
      const reading = await this.#options.dataPlane.readCounters();
      const localSids = reading.localSids ?? before?.reading.localSids ?? null;
      const now = { reading: { ...reading, localSids }, monotonicMs: this.#monotonicMs() };
      this.#before = now;
      return viewOf(now, before, this.#unixMs());
    } catch (error) {
      const reason = error instanceof DataPlaneError ? error.message : `unexpectedly: ${String(error)}`;
      return unreachableView(`the data plane does not answer: ${reason}`, this.#unixMs());
    }
  }
}
