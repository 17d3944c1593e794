import { sql } from 'kysely';
import type { Logger } from 'pino';
import { withoutTimes } from '../journal/differing-by-nature.js';
import { failureOf, readHead } from '../journal/recorder.js';
import { schemaOf, tableDigests } from '../journal/table-digests.js';
import type { BeginLine, EntryLine, RecordedHead, RecordingLine, RequestOutput } from '../model/recording.js';
import { createDatabase, type Database } from '../storage/database.js';
import { migrate } from '../storage/migrate.js';
import { EntryReplay } from './replay-entry.js';
import { firstDifference, type Difference } from './first-difference.js';
import { ReplayFault } from './read-recording.js';
import { ReplayedController } from './replayed-controller.js';
import { ReplayedJournal } from './replayed-journal.js';

export interface ReplayResult {
  /** Lines whose outcome was compared. */
  readonly compared: number;
  /** Lines of which nothing could be compared: they failed when they were recorded, or whoever asked had gone. */
  readonly skipped: number;
  /** Lines that came to something else. */
  readonly differing: number;
  readonly first: LineDifference | undefined;
  /** The recording, with what came now where it is different. */
  readonly lines: readonly RecordingLine[];
}

export interface LineDifference extends Difference {
  /** Counted from 1. */
  readonly line: number;
}

type Result<Line> = { readonly line: Line; readonly difference?: Difference | undefined; readonly isCompared: boolean };

/**
 * Replays a recording on a database as it was at its beginning: the same inputs in the same order, and at each place in it
 * the steps of the leader that were taken there.
 *
 * @throws ReplayFault when it cannot be replayed, or not to its end.
 */
export async function replayRecording(
  lines: readonly RecordingLine[],
  { databaseUrl, log }: { readonly databaseUrl: string; readonly log: Logger },
): Promise<ReplayResult> {
  await migrate(databaseUrl);
  const db = createDatabase(databaseUrl);
  const replay = new Replay(db, databaseUrl, log);
  try {
    const counts = { compared: 0, skipped: 0, differing: 0 };
    const came: RecordingLine[] = [];
    let first: LineDifference | undefined;
    for (const [index, recorded] of lines.entries()) {
      const { line, difference, isCompared } = await replay.line(recorded, index + 1);
      came.push(line);
      if (isCompared) counts.compared += 1;
      else counts.skipped += 1;
      if (difference === undefined) continue;
      counts.differing += 1;
      first ??= { line: index + 1, ...difference };
    }
    return { ...counts, first, lines: came };
  } finally {
    await replay.stop();
    await db.destroy();
  }
}

class Replay {
  readonly #db: Database;
  readonly #databaseUrl: string;
  readonly #log: Logger;
  readonly #journal = new ReplayedJournal();
  #controller: ReplayedController | undefined;
  #entries: EntryReplay | undefined;
  #schema = '';
  #recordedSchema = '';
  /** As it was recorded after the last line that says so. */
  #head: RecordedHead | undefined;

  constructor(db: Database, databaseUrl: string, log: Logger) {
    this.#db = db;
    this.#databaseUrl = databaseUrl;
    this.#log = log;
  }

  async line(line: RecordingLine, number: number): Promise<Result<RecordingLine>> {
    switch (line.kind) {
      case 'begin':
        return this.#begin(line, number);
      case 'gap':
        throw new ReplayFault(`line ${number} is a gap, beyond which nothing can be replayed: ${line.reason}`);
      case 'end': {
        const tables = await tableDigests(this.#db);
        return { line: { ...line, tables }, ...this.#compareTables(line.tables, tables) };
      }
      default:
        return this.#entry(line);
    }
  }

  async stop(): Promise<void> {
    await this.#controller?.stop();
    this.#controller = undefined;
  }

  /** The controller was started, on what there was. */
  async #begin(line: BeginLine, number: number): Promise<Result<BeginLine>> {
    const { db, databaseUrl, journal, log } = {
      db: this.#db,
      databaseUrl: this.#databaseUrl,
      journal: this.#journal,
      log: this.#log,
    };
    this.#schema = await schemaOf(db);
    this.#recordedSchema = line.schema;
    const [head, tables] = [await readHead(db), await tableDigests(db)];
    const isOther = firstDifference(line.head, head) !== undefined;
    const { difference } = this.#compareTables(line.tables, tables);
    if (isOther || difference !== undefined) throw new ReplayFault(otherState(line, number, head, difference));
    await this.stop();
    this.#head = line.head;
    journal.begin(line.at);
    this.#controller = await ReplayedController.start({ db, databaseUrl, journal, settings: line.settings, log });
    this.#entries = new EntryReplay(db, this.#controller);
    return { line: { ...line, schema: this.#schema, tables }, isCompared: this.#isSameSchema() };
  }

  #isSameSchema(): boolean {
    return this.#schema === this.#recordedSchema;
  }

  /** Columns that a later version added make other digests of the same rows. */
  #compareTables(recorded: object, came: object): Pick<Result<never>, 'difference' | 'isCompared'> {
    if (!this.#isSameSchema()) return { isCompared: false };
    return { difference: firstDifference(recorded, came, '/tables'), isCompared: true };
  }

  async #entry(line: EntryLine): Promise<Result<EntryLine>> {
    const entries = this.#entries;
    if (entries === undefined) throw new ReplayFault('the recording does not begin with a line of kind "begin"');
    const before = this.#head;
    if (line.head !== undefined) this.#head = line.head ?? undefined;
    const isAnswered = !isFailure(line);
    if (!isAnswered && !hasMoved(before, line.head)) {
      entries.skip(line);
      return { line, isCompared: false };
    }
    this.#journal.begin(line.at, line.facts);
    const outcome = await entries.run(line).then(
      (output) => ({ output }),
      (error: unknown) => failureOf(error),
    );
    const head = line.head === undefined || line.head === null ? {} : { head: await readHead(this.#db) };
    await this.#setTimes(line.revisions ?? []);
    if (!isAnswered || (line.output === null && line.kind === 'request')) return { line, isCompared: false };
    const came = lineWith(line, { ...outcome, ...head });
    const difference = firstDifference(withoutTimes(compared(line)), withoutTimes(compared(came)));
    return { line: difference === undefined ? line : came, difference, isCompared: true };
  }

  /** When each revision was made decides how much a source has lost lately, and is told with what follows from it. */
  async #setTimes(revisions: readonly (readonly [revision: number, at: string])[]): Promise<void> {
    if (revisions.length === 0) return;
    await sql`
      update revision r set at = n.at
      from unnest(
        ${revisions.map(([revision]) => revision)}::bigint[],
        ${revisions.map(([, at]) => at)}::timestamptz[]
      ) as n (revision, at)
      where r.revision = n.revision
    `.execute(this.#db);
  }
}

/** The line with another answer. */
function lineWith({ kind, seq, at, input, facts, revisions }: EntryLine, answer: Partial<EntryLine>): EntryLine {
  const told = facts === undefined ? {} : { facts };
  return { seq, at, kind, input, ...told, ...answer, ...(revisions === undefined ? {} : { revisions }) };
}

/** The part of a line that is the answer. */
function compared({ output, problem, failed, head }: EntryLine): object {
  return {
    ...(output === undefined ? {} : { output }),
    ...(problem === undefined ? {} : { problem }),
    ...(failed === undefined ? {} : { failed }),
    ...(head === undefined || head === null ? {} : { head }),
  };
}

function isFailure({ kind, output, failed }: EntryLine): boolean {
  return failed !== undefined || (kind === 'request' && ((output as RequestOutput)?.status ?? 0) >= 500);
}

/** It had taken effect all the same. */
function hasMoved(before: RecordedHead | undefined, after: RecordedHead | null | undefined): boolean {
  if (before === undefined || after === undefined || after === null) return false;
  return after.revision > before.revision || after.computedThrough > before.computedThrough;
}

function otherState(line: BeginLine, number: number, head: RecordedHead, difference: Difference | undefined): string {
  const said = ({ revision, computedThrough }: RecordedHead) =>
    `revision ${revision} (computed through ${computedThrough})`;
  const what =
    firstDifference(line.head, head) !== undefined
      ? `${said(line.head)}, and the database is at ${said(head)}`
      : `${said(head)} with another content of ${(difference?.path ?? '').replace('/tables/', 'the table ')}`;
  return number === 1
    ? `the recording begins at ${what}: restore the backup that was taken before it into an empty database, and name that with DATABASE_URL`
    : `line ${number}: the controller was started again at ${what}; something happened in between that is not recorded`;
}
