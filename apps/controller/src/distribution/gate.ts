/** There are so many in line already that whoever comes had better come back later. */
export class LineFull extends Error {
  override readonly name = 'LineFull';
}

/** Lets at most so many in at a time; the others wait in line, and of these at most so many too. */
export class Gate {
  readonly #longest: number;
  #free: number;
  readonly #line = new Set<() => void>();
  readonly #places: number;

  constructor(places: number, longestLine: number) {
    this.#places = places;
    this.#free = places;
    this.#longest = longestLine;
  }

  get inside(): number {
    return this.#places - this.#free;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Throws LineFull at once; and what aborted the signal, for who waits in line then or comes later. */
  async pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      const [next] = this.#line;
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#line.size >= this.#longest) throw new LineFull(`${this.#line.size} wait already`);
    return new Promise((resolve, reject) => {
      const admitted = (): void => {
        this.#line.delete(admitted);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#line.delete(admitted);
        reject(signal.reason as Error);
      };
      this.#line.add(admitted);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
