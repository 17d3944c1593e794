import type { NodeId } from '@waymark/topology';

/** Why and since when a policy waits for its evaluation. */
export interface PendingPolicy {
  readonly reoptimise: boolean;
  /** The oldest revision whose consequences it waits for. */
  readonly revision: number;
  /** When that was committed. */
  readonly eventAt: Date;
}

/**
 * What the leader has seen and not yet published. Urgent policies (something got worse, intent changed) go before those
 * that may only get better; within each, in the order of arrival.
 */
export class PendingWork {
  readonly #urgent = new Map<string, PendingPolicy>();
  readonly #calm = new Map<string, PendingPolicy>();
  readonly #headends = new Map<NodeId, number>();

  get size(): number {
    return this.#urgent.size + this.#calm.size;
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.#headends.size === 0;
  }

  add(ids: Iterable<string>, work: PendingPolicy, urgent: boolean): void {
    for (const id of ids) {
      const known = this.#urgent.get(id) ?? this.#calm.get(id);
      const merged = known === undefined ? work : { ...known, reoptimise: known.reoptimise || work.reoptimise };
      if (urgent) this.#calm.delete(id);
      (urgent || this.#urgent.has(id) ? this.#urgent : this.#calm).set(id, merged);
    }
  }

  /** Headends whose default steering must be assigned anew. */
  addSteering(headends: Iterable<NodeId>, revision: number): void {
    for (const headend of headends) {
      if (!this.#headends.has(headend)) this.#headends.set(headend, revision);
    }
  }

  /** The next policies to evaluate. They stay pending until `done`. */
  next(count: number): Map<string, PendingPolicy> {
    const chunk = new Map<string, PendingPolicy>();
    for (const work of [this.#urgent, this.#calm]) {
      for (const [id, policy] of work) {
        if (chunk.size >= count) return chunk;
        chunk.set(id, policy);
      }
    }
    return chunk;
  }

  /** Headends to assign steering for together with these policies: theirs, and all that are left when nothing else is. */
  steeringWith(headends: ReadonlySet<NodeId>, isLast: boolean): NodeId[] {
    return [...this.#headends.keys()].filter((headend) => isLast || headends.has(headend)).sort();
  }

  done(ids: Iterable<string>, headends: Iterable<NodeId>): void {
    for (const id of ids) {
      this.#urgent.delete(id);
      this.#calm.delete(id);
    }
    for (const headend of headends) this.#headends.delete(headend);
  }

  /**
   * The newest revision of which nothing is pending once these are done, given that all up to `seen` was looked at: what
   * a new leader would resume from.
   */
  completeThrough(seen: number, ids: ReadonlySet<string>, headends: ReadonlySet<NodeId>): number {
    let oldest = seen + 1;
    for (const work of [this.#urgent, this.#calm]) {
      for (const [id, { revision }] of work) {
        if (!ids.has(id)) oldest = Math.min(oldest, revision);
      }
    }
    for (const [headend, revision] of this.#headends) {
      if (!headends.has(headend)) oldest = Math.min(oldest, revision);
    }
    return oldest - 1;
  }
}
