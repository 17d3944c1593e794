/** Whole numbers, both ends included. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** Hands out the free numbers of a range in ascending order. */
export class NumberPool {
  readonly #taken: readonly Interval[];
  readonly #last: number;
  #next: number;
  #position = 0;

  constructor(range: Interval, taken: readonly Interval[]) {
    this.#taken = [...taken].sort((a, b) => a.first - b.first);
    this.#next = range.first;
    this.#last = range.last;
  }

  /** undefined when every number is taken. */
  take(): number | undefined {
    for (let interval = this.#taken[this.#position]; interval !== undefined && interval.first <= this.#next;) {
      this.#next = Math.max(this.#next, interval.last + 1);
      interval = this.#taken[++this.#position];
    }
    if (this.#next > this.#last) return undefined;
    return this.#next++;
  }
}
