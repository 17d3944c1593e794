/** What is remembered of an object of a cluster. */
interface Served {
  /** What of it it takes to serve it; its status is none of that. */
  seen?: string;
  /** What was done for it. */
  done?: string;
  /** The policy or the color of the mesh that it asks for. */
  asksFor?: string;
  isRefused?: boolean;
  /** How long it takes to count the policies of its mesh, in milliseconds. */
  countingMs?: number;
}

/** What a controller remembers of the objects that it serves, by their keys, for as long as these are there. */
export class ServedObjects {
  readonly #objects = new Map<string, Served>();
  readonly #askedBy = new Map<string, string>();

  /** To be read and written. */
  of(key: string): Omit<Served, 'asksFor'> {
    const known = this.#objects.get(key) ?? {};
    this.#objects.set(key, known);
    return known;
  }

  get refused(): readonly string[] {
    return [...this.#objects].filter(([, { isRefused }]) => isRefused === true).map(([key]) => key);
  }

  /** An object asks for one thing at a time, or for nothing any more. */
  asks(key: string, what: string | undefined): void {
    const object: Served = this.of(key);
    const { asksFor } = object;
    if (asksFor !== undefined && this.#askedBy.get(asksFor) === key) this.#askedBy.delete(asksFor);
    if (what === undefined) delete object.asksFor;
    else {
      object.asksFor = what;
      this.#askedBy.set(what, key);
    }
  }

  whoAsksFor(what: string): string | undefined {
    return this.#askedBy.get(what);
  }

  /** Another controller may do otherwise. */
  forgetWhatWasDone(): void {
    for (const object of this.#objects.values()) delete object.done;
  }

  forget(key: string): void {
    if (!this.#objects.has(key)) return;
    this.asks(key, undefined);
    this.#objects.delete(key);
  }

  /** Those that went unseen are forgotten, too. */
  keepOnly(isThere: (key: string) => boolean): void {
    for (const key of [...this.#objects.keys()]) if (!isThere(key)) this.forget(key);
  }
}
