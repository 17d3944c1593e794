interface Waiting {
  readonly isShared: boolean;
  readonly enter: () => void;
}

/** Lets work through in the order in which it comes: one at a time, but for shared work next to other shared work. */
export class Gate {
  readonly #waiting: Waiting[] = [];
  #inside = 0;
  #isExclusive = false;

  async pass<Result>(isShared: boolean, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ isShared, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const isFree = this.#inside === 0 || (next.isShared && !this.#isExclusive);
      if (!isFree) return;
      this.#waiting.shift();
      this.#inside += 1;
      this.#isExclusive = !next.isShared;
      next.enter();
    }
  }
}
