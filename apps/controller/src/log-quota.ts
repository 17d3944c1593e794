const WINDOW_MS = 60_000;
const LINES = 10;

/** Ten lines a minute of one kind: somebody who can cause them must not fill the disk. */
export class LogQuota {
  #since = -Infinity;
  #count = 0;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(private readonly now: () => number) {}

  /** undefined: leave this line out. In the first of a new minute `untold` says how many were, unless none. */
  take(): { readonly untold?: number } | undefined {
    let untold = 0;
    if (this.now() - this.#since >= WINDOW_MS) {
      untold = Math.max(0, this.#count - LINES);
      this.#since = this.now();
      this.#count = 0;
    }
    if (++this.#count > LINES) return undefined;
    return untold > 0 ? { untold } : {};
  }
}
