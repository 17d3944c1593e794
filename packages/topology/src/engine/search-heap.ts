/**
 * Indexed 4-ary min-heap over states 0 to capacity - 1, ordered by (key, tie, state). Four children per node keep the
 * heap flat, and the index gives decrease-key without stale entries.
 */
export class SearchHeap {
  readonly #states: Uint32Array;
  readonly #position: Int32Array;
  readonly #key: Float64Array;
  readonly #tie: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#states = new Uint32Array(capacity);
    this.#position = new Int32Array(capacity).fill(-1);
    this.#key = new Float64Array(capacity);
    this.#tie = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Smallest key; Infinity when empty. */
  get leastKey(): number {
    return this.#size === 0 ? Infinity : (this.#key[this.#states[0] as number] as number);
  }

  clear(): void {
    for (let i = 0; i < this.#size; i++) this.#position[this.#states[i] as number] = -1;
    this.#size = 0;
  }

  /** Adds a state, or moves one that is in the heap towards the front. */
  put(state: number, key: number, tie: number): void {
    this.#key[state] = key;
    this.#tie[state] = tie;
    let i = this.#position[state] as number;
    if (i < 0) i = this.#size++;
    const states = this.#states;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      const above = states[parent] as number;
      if (!this.#isBefore(state, above)) break;
      states[i] = above;
      this.#position[above] = i;
      i = parent;
    }
    states[i] = state;
    this.#position[state] = i;
  }

  /** Removes and returns the first state. The heap must not be empty. */
  pop(): number {
    const states = this.#states;
    const first = states[0] as number;
    this.#position[first] = -1;
    const size = --this.#size;
    if (size === 0) return first;
    const moved = states[size] as number;
    let i = 0;
    for (;;) {
      const firstChild = 4 * i + 1;
      if (firstChild >= size) break;
      const end = Math.min(firstChild + 4, size);
      let least = firstChild;
      for (let child = firstChild + 1; child < end; child++) {
        if (this.#isBefore(states[child] as number, states[least] as number)) least = child;
      }
      const below = states[least] as number;
      if (!this.#isBefore(below, moved)) break;
      states[i] = below;
      this.#position[below] = i;
      i = least;
    }
    states[i] = moved;
    this.#position[moved] = i;
    return first;
  }

  #isBefore(a: number, b: number): boolean {
    const keyA = this.#key[a] as number;
    const keyB = this.#key[b] as number;
    if (keyA !== keyB) return keyA < keyB;
    const tieA = this.#tie[a] as number;
    const tieB = this.#tie[b] as number;
    return tieA !== tieB ? tieA < tieB : a < b;
  }
}
