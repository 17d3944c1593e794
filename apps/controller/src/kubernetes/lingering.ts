/**
 * Remembers when something was last there, to keep it for a while after it has gone. Times are in milliseconds, of any clock
 * that does not go back.
 */
export class Lingering<Value> {
  readonly #gone = new Map<string, { readonly since: number; readonly value: Value }>();
  #present: ReadonlyMap<string, Value>;

  /** `present`: what is taken to have been there until now. */
  constructor(
    private readonly graceMs: number,
    present: ReadonlyMap<string, Value> = new Map(),
  ) {
    this.#present = present;
  }

  /** What is there now, and what has not been gone for as long as the grace period. */
  update(present: ReadonlyMap<string, Value>, now: number): ReadonlyMap<string, Value> {
    for (const [key, value] of this.#present) if (!present.has(key)) this.#gone.set(key, { since: now, value });
    this.#present = present;
    const kept = new Map(present);
    for (const [key, { since, value }] of this.#gone) {
      if (present.has(key) || now - since >= this.graceMs) this.#gone.delete(key);
      else kept.set(key, value);
    }
    return kept;
  }

  /** When the next of them will have been gone for long enough; null: none is gone. */
  get nextEnd(): number | null {
    const ends = [...this.#gone.values()].map(({ since }) => since + this.graceMs);
    return ends.length === 0 ? null : Math.min(...ends);
  }
}
