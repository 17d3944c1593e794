/**
 * What a controller takes in, each with what came of it. Whatever decides anything and is not in the database reaches its
 * rooms through this, so that a recording has all of it and a replay can give it again.
 */
export interface Journal {
  /** ms since 1970; within an entry always the time at which it began. */
  now(): number;
  /**
   * Runs `work` as one entry. Entries of a recording take effect one after the other, but for those that only read
   * (`isShared`), which may do so at the same time as each other. Within another entry, `work` is part of that one.
   */
  take<Result>(entry: JournalEntry<Result>, work: () => Promise<Result>): Promise<Result>;
  /** Something that follows neither from inputs nor from the database. Only within an entry, one after the other. */
  fact(read: () => Promise<string>): Promise<string>;
}

export type EntryKind =
  /** A request of the REST API: `RequestInput`. */
  | 'request'
  /** A call of a service by something that is no request, such as a watched cluster: `CallInput`. */
  | 'call'
  /** What agents say: records of agent-records.ts, ack-store.ts and liveness-store.ts. */
  | 'hellos'
  | 'acks'
  | 'liveness'
  /** Steps of the leader. */
  | 'leads'
  | 'look'
  | 'evaluate'
  | 'publish'
  | 'raise-generations'
  | 'features';

export interface JournalEntry<Result> {
  readonly kind: EntryKind;
  readonly input: object;
  readonly isShared?: boolean;
  /** What came of it, to be compared. */
  readonly outputOf: (result: Result) => unknown;
}

/** Where nothing is recorded. */
export const unrecorded: Journal = {
  now: () => Date.now(),
  take: (_, work) => work(),
  fact: (read) => read(),
};
