import { AsyncLocalStorage } from 'node:async_hooks';
import { sql } from 'kysely';
import { Problem } from '../model/errors.js';
import type { Journal, JournalEntry } from '../model/journal.js';
import {
  RECORDING_FORMAT,
  type BeginLine,
  type EndLine,
  type EntryLine,
  type GapLine,
  type RecordedHead,
  type RecordedSettings,
} from '../model/recording.js';
import type { Database } from '../storage/database.js';
import { toJson } from './bytes-as-json.js';
import { Gate } from './gate.js';
import { RecordingFile, type LineFile } from './recording-file.js';
import { schemaOf, tableDigests } from './table-digests.js';

interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface RecorderOptions {
  readonly path: string;
  /** The recording ends when it is as large as this. */
  readonly maxBytes: number;
  readonly db: Database;
  /** ms since 1970, of the database. */
  readonly now: () => number;
  readonly engine: string;
  readonly settings: RecordedSettings;
  readonly log: Log;
}

interface OpenEntry {
  readonly at: number;
  readonly facts: string[];
  isOpen: boolean;
}

/** A database that says nothing for so long is away. */
const SILENT_MS = 5_000;
/** How long that is believed before the database is asked again: a crowd that waits for its turn is not to ask one by one. */
const AWAY_MS = 1_000;

type Line<Kind> = Kind extends { readonly seq: number; readonly at: string } ? Omit<Kind, 'seq' | 'at'> : never;
type Outcome = Pick<EntryLine, 'output' | 'problem' | 'failed'>;

/**
 * Writes down what the controller takes in and what comes of it, a line each, in the order in which it took effect: while
 * it records, entries that change anything wait for each other. Nobody goes on before his line is written, so nothing
 * piles up; a disk that takes no more costs the recording, with a line that says so, never the controller.
 */
export class Recorder implements Journal {
  readonly #options: RecorderOptions;
  readonly #file: LineFile;
  readonly #gate = new Gate();
  readonly #entries = new AsyncLocalStorage<OpenEntry>();
  #seq = 0;
  #head: RecordedHead | undefined;
  #isEnded = false;
  /** Why the head could not be read last, and when, by the monotonic clock. */
  #outage: { readonly error: unknown; readonly at: number } | undefined;
  /** Lines that could not be written since the last one that could. */
  #lost = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: RecorderOptions, file: LineFile) {
    this.#options = options;
    this.#file = file;
  }

  /** Begins a recording, or goes on with the one in the file: that of `path`, unless it is given. */
  static async start(options: RecorderOptions, file?: LineFile): Promise<Recorder> {
    const { db, engine, settings, path, log } = options;
    const opened = file ?? (await RecordingFile.open(path));
    const recorder = new Recorder(options, opened);
    const read = async () => [await schemaOf(db), await readHead(db), await tableDigests(db)] as const;
    const [schema, head, tables] = await read().catch(async (error: unknown) => {
      await opened.close();
      throw error;
    });
    recorder.#head = head;
    const begin = { kind: 'begin', format: RECORDING_FORMAT, engine, schema, settings, head, tables } as const;
    await recorder.#write((): Line<BeginLine> => begin);
    log.info({ path }, 'what the controller takes in is recorded');
    return recorder;
  }

  now(): number {
    return this.#open()?.at ?? this.#options.now();
  }

  async fact(read: () => Promise<string>): Promise<string> {
    const fact = await read();
    this.#open()?.facts.push(fact);
    return fact;
  }

  /**
   * Changes are refused while the database is away, with what says so, instead of waiting for it one after the other. That
   * somebody leads is no change.
   */
  async take<Result>(entry: JournalEntry<Result>, work: () => Promise<Result>): Promise<Result> {
    if (this.#open() !== undefined || this.#isEnded) return work();
    const isShared = entry.isShared ?? false;
    return this.#gate.pass(isShared, async () => {
      if (!isShared) {
        const outage = await this.#noteOthers();
        if (outage !== undefined && entry.kind !== 'leads') throw outage.error;
      }
      const open: OpenEntry = { at: this.#options.now(), facts: [], isOpen: true };
      const working = this.#entries.run(open, work);
      const outcome = await working.then(
        (result) => () => ({ output: entry.outputOf(result) }),
        (error: unknown) => () => failureOf(error),
      );
      open.isOpen = false;
      await this.#note(entry, open, outcome, isShared);
      return working;
    });
  }

  /** Waits for what is under way; nothing is recorded any more. */
  async close(): Promise<void> {
    await this.#gate.pass(false, async () => {
      await this.#noteOthers();
      await this.#end('the controller stopped');
    });
    await this.#file.close();
  }

  #open(): OpenEntry | undefined {
    const entry = this.#entries.getStore();
    // Timers that an entry started may run long after it.
    return entry?.isOpen === true ? entry : undefined;
  }

  async #note(
    { kind, input }: Pick<JournalEntry<never>, 'kind' | 'input'>,
    { at, facts }: OpenEntry,
    outcome: () => Outcome,
    isShared: boolean,
  ): Promise<void> {
    const moved = isShared ? {} : await this.#moved();
    const told = facts.length === 0 ? {} : { facts };
    await this.#write((): Line<EntryLine> => ({ kind, input, ...told, ...outcome(), ...moved }), at);
    if (this.#file.bytes >= this.#options.maxBytes) {
      // Shared entries may still be under way; their lines come after the end and are left out.
      await this.#end(`it has reached ${this.#options.maxBytes} bytes`);
    }
  }

  /** Where the head is now, and the revisions since it was looked at. */
  async #moved(): Promise<Pick<EntryLine, 'head' | 'revisions'>> {
    const before = this.#head;
    try {
      const head = await this.#readHead();
      this.#head = head;
      if (before === undefined || before.revision === head.revision) return { head };
      const { rows } = await sql<{ revision: number; at: string }>`
        select revision, at::text from revision where revision > ${before.revision} order by revision
      `.execute(this.#options.db);
      return { head, revisions: rows.map(({ revision, at }) => [revision, at] as const) };
    } catch {
      this.#head = undefined;
      return { head: null };
    }
  }

  /** Another controller, or a database that was away, makes a gap. Returns why it is away, if it is. */
  async #noteOthers(): Promise<{ readonly error: unknown } | undefined> {
    const before = this.#head;
    try {
      const head = await this.#readHead();
      this.#head = head;
      if (before === undefined) await this.#gap('the database did not answer for a while');
      else if (toJson(before) !== toJson(head)) {
        await this.#gap(`something else moved the database from ${toJson(before)} to ${toJson(head)}`);
      }
    } catch {
      this.#head = undefined;
    }
    return this.#outage;
  }

  /** Where the head is. Rejects when the database does not say so in time, or did not a moment ago. */
  async #readHead(): Promise<RecordedHead> {
    const last = this.#outage;
    if (last !== undefined && performance.now() - last.at < AWAY_MS) throw last.error;
    try {
      const head = await answerOf(readHead(this.#options.db));
      this.#outage = undefined;
      return head;
    } catch (error) {
      this.#outage = { error, at: performance.now() };
      throw error;
    }
  }

  #gap(reason: string): Promise<void> {
    return this.#write((): Line<GapLine> => ({ kind: 'gap', reason }));
  }

  async #end(reason: string): Promise<void> {
    if (this.#isEnded) return;
    const { db, log, path } = this.#options;
    try {
      const tables = await tableDigests(db);
      await this.#write((): Line<EndLine> => ({ kind: 'end', reason, tables }));
    } catch (error) {
      log.warn({ err: error }, 'the recording ends without the digests of the tables');
    }
    this.#isEnded = true;
    log.info({ path, reason }, 'the recording has ended');
  }

  /** Resolves when the line is written, or lost. */
  #write(line: () => object, at = this.#options.now()): Promise<void> {
    this.#writing = this.#writing.then(() => this.#append(line, at));
    return this.#writing;
  }

  async #append(line: () => object, at: number): Promise<void> {
    if (this.#isEnded) return;
    try {
      if (this.#lost > 0) {
        const reason = `${this.#lost} lines could not be written`;
        await this.#file.append(toJson({ ...this.#stamp(this.#options.now()), kind: 'gap', reason }));
        this.#lost = 0;
      }
      await this.#file.append(toJson({ ...this.#stamp(at), ...line() }));
    } catch (error) {
      if (this.#lost === 0) this.#options.log.warn({ err: error }, 'the recording cannot be written, and will say so');
      this.#lost += 1;
    }
  }

  #stamp(at: number): Pick<EntryLine, 'seq' | 'at'> {
    this.#seq += 1;
    return { seq: this.#seq, at: new Date(at).toISOString() };
  }
}

export async function readHead(db: Database): Promise<RecordedHead> {
  const head = await db
    .selectFrom('head')
    .select(['revision', 'ted_revision', 'computed_through'])
    .executeTakeFirstOrThrow();
  return { revision: head.revision, tedRevision: head.ted_revision, computedThrough: head.computed_through };
}

/** Rejects, as pg does for a session that is not to be had, when there is none in time. */
async function answerOf<Answer>(asked: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout expired: the database does not answer')), SILENT_MS);
  });
  try {
    return await Promise.race([asked, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is known of an entry without a result. */
export function failureOf(error: unknown): Pick<EntryLine, 'problem' | 'failed'> {
  if (error instanceof Problem) return { problem: { code: error.code, ...error.info } };
  return { failed: error instanceof Error ? error.message : 'something that is no error was thrown' };
}
