import type { Resource } from './operation.js';

/** What is there under a key, as text that is equal for equal intents; null: nothing. */
export type Content = string | null;

/** One thing that clients write to, and only one of them. */
export interface Entry {
  readonly resource: Resource;
  /** Path of the resource in the API. */
  readonly path: string;
  readonly key: string;
  /** What may be there: one, unless the outcome of a request is unknown. */
  possible: readonly Content[];
  /** The round in which the outcome of a request was lost, which may still be under way: nobody writes here any more. */
  leftIn: number | null;
}

export interface AcceptedChange {
  readonly requestId: string;
  readonly what: string;
}

/** What clients were told: which changes were accepted and which refused. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly accepted: AcceptedChange[] = [];
  /** Ids of requests that were refused, so that nothing of theirs may be found. */
  readonly refused: AcceptedChange[] = [];
  /** Revisions that answers named. */
  readonly revisions = new Set<number>();
  /** Last state of each link that the source called up or down, and was told that this was applied. */
  readonly linkStates = new Map<string, 'up' | 'down'>();

  #round = 1;

  accept(requestId: string | null, what: string): void {
    if (requestId !== null) this.accepted.push({ requestId, what });
  }

  /** Whatever was asked for here has its outcome unknown from now on. */
  leave(entry: Entry): void {
    entry.leftIn = this.#round;
  }

  /**
   * A round has ended and everything is settled. What was lost in the round before has been carried out by now, or will
   * never be: what is shown of it is what it is.
   */
  endRound(shown: ReadonlyMap<string, Content>): void {
    for (const [id, entry] of this.entries) {
      if (entry.leftIn === null || entry.leftIn === this.#round) continue;
      entry.possible = [shown.get(id) ?? null];
      entry.leftIn = null;
    }
    this.#round += 1;
  }

  entry(resource: Resource, key: string, path: string): Entry {
    const id = `${resource} ${key}`;
    const entry = this.entries.get(id) ?? { resource, key, path, possible: [null], leftIn: null };
    this.entries.set(id, entry);
    return entry;
  }
}

/** The same text for the same value, whatever the order of its fields. */
export function contentOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
