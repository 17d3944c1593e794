import { sql, type Transaction } from 'kysely';
import type { Database, Tables } from './database.js';

/** Channel on which each committed revision is announced, as a bare number. */
export const REVISION_CHANNEL = 'waymark';

export interface RevisionHeader<Result> {
  readonly actor: string;
  /** What kind of change, for the change log: `topology-import`, `link-constraints`, … */
  readonly kind: string;
  /** One sentence for the change log. */
  readonly summary: string | ((result: Result) => string);
  /** Does it change the TED? Policy changes must not: every TED revision costs a new snapshot. */
  readonly ted: boolean;
}

export interface RevisionNumbers {
  readonly revision: number;
  readonly tedRevision: number;
}

export interface RevisionOutcome<Result> extends RevisionNumbers {
  /** False: nothing was written; the numbers are those of the newest revision. */
  readonly changed: boolean;
  readonly result: Result;
}

/** Thrown by the work of a revision that found nothing to change: all is rolled back and `result` returned. */
export class NothingChanged<Result> extends Error {
  override readonly name = 'NothingChanged';
  readonly result: Result;

  constructor(result: Result) {
    super('nothing changed');
    this.result = result;
  }
}

/**
 * One change of intent or topology: takes the next revision, does the work, logs it and announces it, all in one
 * transaction. Whatever the work throws rolls back everything.
 */
export async function withRevision<Result>(
  db: Database,
  header: RevisionHeader<Result>,
  work: RevisionWork<Result>,
): Promise<RevisionOutcome<Result>> {
  return revisionWithin((inside) => db.transaction().execute(inside), header, work);
}

export type RevisionWork<Result> = (tx: Transaction<Tables>, revision: number, tedRevision: number) => Promise<Result>;

/** withRevision in a transaction of another kind, such as one of the leader. `transact` runs its work in one. */
export async function revisionWithin<Result>(
  transact: <T>(inside: (tx: Transaction<Tables>) => Promise<T>) => Promise<T>,
  header: RevisionHeader<Result>,
  work: RevisionWork<Result>,
): Promise<RevisionOutcome<Result>> {
  // Filled in by the transaction, read once it has been rolled back.
  let before: RevisionNumbers = { revision: 0, tedRevision: 0 };
  try {
    return await transact(async (tx) => {
      const numbers = await takeRevision(tx, header.ted);
      before = { revision: numbers.revision - 1, tedRevision: numbers.tedRevision - (header.ted ? 1 : 0) };
      const result = await work(tx, numbers.revision, numbers.tedRevision);
      const summary = typeof header.summary === 'string' ? header.summary : header.summary(result);
      await logRevision(tx, numbers, { ...header, summary });
      return { changed: true, ...numbers, result };
    });
  } catch (error) {
    if (error instanceof NothingChanged) return { changed: false, ...before, result: error.result as Result };
    throw error;
  }
}

/**
 * Locks the head row: no other revision can be taken until this transaction ends. For those that must look before they
 * know whether there is anything to write.
 */
export async function lockHead(tx: Transaction<Tables>): Promise<RevisionNumbers> {
  const head = await tx.selectFrom('head').select(['revision', 'ted_revision']).forUpdate().executeTakeFirstOrThrow();
  return { revision: head.revision, tedRevision: head.ted_revision };
}

/**
 * The first statement of a change, but for lockHead. The head row stays locked to the end, so revisions commit in the
 * order of their numbers (those of a sequence would not).
 */
export async function takeRevision(tx: Transaction<Tables>, ted: boolean): Promise<RevisionNumbers> {
  const head = await tx
    .updateTable('head')
    .set((eb) => ({ revision: eb('revision', '+', 1), ted_revision: eb('ted_revision', '+', ted ? 1 : 0) }))
    .returning(['revision', 'ted_revision'])
    .executeTakeFirstOrThrow();
  return { revision: head.revision, tedRevision: head.ted_revision };
}

/** The last statement of a change: its entry in the change log, and the announcement that follows the commit. */
export async function logRevision(
  tx: Transaction<Tables>,
  { revision, tedRevision }: RevisionNumbers,
  { actor, kind, summary }: { readonly actor: string; readonly kind: string; readonly summary: string },
): Promise<void> {
  await tx.insertInto('revision').values({ revision, ted_revision: tedRevision, actor, kind, summary }).execute();
  await sql`select pg_notify(${REVISION_CHANNEL}, ${String(revision)})`.execute(tx);
}
