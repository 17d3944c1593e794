/**
 * Gathers what comes in while the batch before is at work, and does it all at once: the busier it gets, the larger the
 * batches, and never two at the same time.
 */
export class Batcher<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #limit: number;
  #waiting: { readonly item: Item; readonly resolve: (result: Result) => void; readonly reject: (e: Error) => void }[] =
    [];
  #running = false;

  /** `work` answers one result per item, in their order. `limit`: most items of one batch. */
  constructor(limit: number, work: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#limit = limit;
    this.#work = work;
  }

  /** Rejects with whatever the batch of this item threw. */
  submit(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // Let the rest of this turn's items in.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#limit);
      try {
        const results = await this.#work(batch.map((entry) => entry.item));
        batch.forEach((entry, index) => {
          const result = results[index];
          if (result === undefined) entry.reject(new Error('a batch answered too few results'));
          else entry.resolve(result);
        });
      } catch (error) {
        const reason = error instanceof Error ? error : new Error(String(error));
        for (const entry of batch) entry.reject(reason);
      }
    }
    this.#running = false;
  }
}
