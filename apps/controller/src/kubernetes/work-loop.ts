import { FollowingAbort } from '../model/following-abort.js';
import { pause } from '../model/pause.js';
import { WorkQueue } from './work-queue.js';

export interface WorkLoopOptions {
  /** What fails is tried again, later each time. */
  readonly work: (key: string) => Promise<void>;
  /** Nothing is begun before. */
  readonly isReady: () => boolean;
  readonly onFailure: (key: string, error: unknown) => void;
}

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const IDLE_MS = 60_000;

/** Works through keys, one after the other, each when its turn has come. */
export class WorkLoop {
  readonly #queue = new WorkQueue(FIRST_RETRY_MS, MAX_RETRY_MS);
  #wake: (() => void) | undefined;
  #isRunning = false;

  constructor(private readonly options: WorkLoopOptions) {}

  /** Not while it does not run: who never leads would gather all that ever changed. Whoever runs it adds what there is. */
  add(key: string, delayMs = 0): void {
    if (!this.#isRunning) return;
    this.#queue.add(key, performance.now() + delayMs);
    this.#wake?.();
  }

  /** Works until the signal is given, and forgets what was left. Rejects never. */
  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    while (!signal.aborted) {
      if (this.options.isReady())
        for (const key of this.#queue.take(performance.now())) await this.#attempt(key, signal);
      await this.#sleep(signal);
    }
    this.#isRunning = false;
    this.#queue.clear();
  }

  async #attempt(key: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await this.options.work(key);
      this.#queue.succeeded(key);
    } catch (error) {
      this.options.onFailure(key, error);
      this.#queue.retry(key, performance.now());
    }
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const woken = new FollowingAbort(signal);
    this.#wake = woken.abort;
    const next = this.options.isReady() ? this.#queue.next : undefined;
    const delay = next === undefined ? IDLE_MS : Math.min(Math.max(0, next - performance.now()), IDLE_MS);
    if (delay > 0) await pause(delay, woken.signal);
    woken.letGo();
    this.#wake = undefined;
  }
}
