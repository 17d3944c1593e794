/**
 * Gives the two directions of a link the ids that nobody chose for them: `<from>:<to>`, or the first of `<from>:<to>:2`,
 * `<from>:<to>:3`, ... that is free in both directions.
 */
export class LinkIds {
  readonly #taken: Set<string>;
  readonly #nextNumber = new Map<string, number>();

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  /** Ids of from → to and to → from. One that is given stays; it must have been among the taken ones. */
  pair(
    from: string,
    to: string,
    given: { readonly forward?: string; readonly backward?: string } = {},
  ): [string, string] {
    const ends = [from, to].sort().join(':');
    for (let n = this.#nextNumber.get(ends) ?? 1; ; n++) {
      const suffix = n === 1 ? '' : `:${n}`;
      const forward = given.forward ?? `${from}:${to}${suffix}`;
      const backward = given.backward ?? `${to}:${from}${suffix}`;
      const isFree =
        (given.forward !== undefined || !this.#taken.has(forward)) &&
        (given.backward !== undefined || !this.#taken.has(backward));
      if (!isFree) continue;
      this.#taken.add(forward).add(backward);
      if (given.forward === undefined || given.backward === undefined) this.#nextNumber.set(ends, n + 1);
      return [forward, backward];
    }
  }
}
