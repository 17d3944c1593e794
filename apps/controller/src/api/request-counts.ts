import type { FastifyRateLimitStore } from '@fastify/rate-limit';

/** Keys that are remembered; of more, those seen longest ago begin anew. */
const KEYS = 10_000;

export class RequestWindow {
  count = 0;

  /** By the monotonic clock. */
  constructor(readonly endsAtMs: number) {}
}

type Done = (error: Error | null, state: { readonly current: number; readonly ttl: number }) => void;

/**
 * Counts by key in windows of time. The plugin's own store goes by the time of day: when that is set back, everybody's window
 * lasts as much longer, and who counts on may come a day later.
 */
export class RequestCounts implements FastifyRateLimitStore {
  /** Those seen longest ago first. */
  readonly #windows = new Map<string, RequestWindow>();

  incr(key: string, done: Done, windowMs: number): void {
    const now = performance.now();
    const window = this.#open(key, now) ?? new RequestWindow(now + windowMs);
    window.count += 1;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    this.#forget(now);
    done(null, { current: window.count, ttl: window.endsAtMs - now });
  }

  /** What `increment: false` asks for. */
  read(key: string, done: Done): void {
    const now = performance.now();
    const window = this.#open(key, now);
    done(null, { current: window?.count ?? 0, ttl: window === undefined ? 0 : window.endsAtMs - now });
  }

  child(): RequestCounts {
    return new RequestCounts();
  }

  /** Those that are over, up to the first that is not; and of too many the one seen longest ago. */
  #forget(now: number): void {
    for (const [key, { endsAtMs }] of this.#windows) {
      if (now < endsAtMs && this.#windows.size <= KEYS) return;
      this.#windows.delete(key);
    }
  }

  #open(key: string, now: number): RequestWindow | undefined {
    const window = this.#windows.get(key);
    return window !== undefined && now < window.endsAtMs ? window : undefined;
  }
}
