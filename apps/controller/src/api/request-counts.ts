import type { FastifyRateLimitStore } from '@fastify/rate-limit';

/** Keys that are remembered; of more, those seen longest ago begin anew. */
const KEYS = 10_000;

interface Window {
  count: number;
  /** By the monotonic clock. */
  readonly endsAtMs: number;
}

type Done = (error: Error | null, state: { readonly current: number; readonly ttl: number }) => void;

/**
 * Counts by key in windows of time. The plugin's own store goes by the time of day: when that is set back, everybody's window
 * lasts as much longer, and who counts on may come a day later.
 */
export class RequestCounts implements FastifyRateLimitStore {
  /** Those seen longest ago first. */
  readonly #windows = new Map<string, Window>();

  incr(key: string, done: Done, windowMs: number): void {
    const now = performance.now();
    const window = this.#open(key, now) ?? { count: 0, endsAtMs: now + windowMs };
    window.count += 1;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > KEYS && oldest !== undefined) this.#windows.delete(oldest);
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

  #open(key: string, now: number): Window | undefined {
    const window = this.#windows.get(key);
    return window !== undefined && now < window.endsAtMs ? window : undefined;
  }
}
