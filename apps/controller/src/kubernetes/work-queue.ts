/** Keys that wait for their turn, each once, some of them until a time. Times are in milliseconds of any one clock. */
export class WorkQueue {
  readonly #due = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  constructor(
    private readonly firstRetryMs: number,
    private readonly maxRetryMs: number,
  ) {}

  /** Its turn comes at `at`, or earlier if it was to come earlier. */
  add(key: string, at: number): void {
    const known = this.#due.get(key);
    if (known === undefined || at < known) this.#due.set(key, at);
  }

  /** It failed: its turn comes again, later each time. */
  retry(key: string, now: number): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.add(key, now + Math.min(this.firstRetryMs * 2 ** failures, this.maxRetryMs));
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** The keys whose turn has come, which wait no longer. */
  take(now: number): readonly string[] {
    const ready = [...this.#due].filter(([, at]) => at <= now).map(([key]) => key);
    for (const key of ready) this.#due.delete(key);
    return ready;
  }

  /** When the next turn comes; undefined: nothing waits. */
  get next(): number | undefined {
    let next: number | undefined;
    for (const at of this.#due.values()) if (next === undefined || at < next) next = at;
    return next;
  }

  clear(): void {
    this.#due.clear();
    this.#failures.clear();
  }
}
