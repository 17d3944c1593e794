import type { Journal, JournalEntry } from '../model/journal.js';
import { ReplayFault } from './read-recording.js';

/** Says again what a recorded entry was told, to the entry that is replayed. */
export class ReplayedJournal implements Journal {
  #at = 0;
  #facts: readonly string[] = [];

  now(): number {
    return this.#at;
  }

  take<Result>(_: JournalEntry<Result>, work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  fact(): Promise<string> {
    const [fact, ...rest] = this.#facts;
    if (fact === undefined)
      return Promise.reject(new ReplayFault('the time is asked for once more than when it was recorded'));
    this.#facts = rest;
    return Promise.resolve(fact);
  }

  begin(at: string, facts: readonly string[] = []): void {
    this.#at = Date.parse(at);
    this.#facts = facts;
  }
}
