import type { Identity } from './access.js';
import type { EntryKind } from './journal.js';

/** How a recording is written; a line is one of these, as JSON. Bytes are `{"$bytes": "<base64>"}`. */
export const RECORDING_FORMAT = 1;

export type RecordingLine = BeginLine | EntryLine | GapLine | EndLine;

/** Settings that decide what comes of an input. */
export interface RecordedSettings {
  readonly bsidPool: string;
  readonly holdMs: number;
  readonly maxHoldMs: number;
  readonly workers: number;
}

/** A controller starts to record, on this state. */
export interface BeginLine {
  readonly kind: 'begin';
  readonly seq: number;
  readonly at: string;
  readonly format: number;
  readonly engine: string;
  /** The last migration of the database. */
  readonly schema: string;
  readonly settings: RecordedSettings;
  readonly head: RecordedHead;
  readonly tables: TableDigests;
}

/** An input, and what came of it. */
export interface EntryLine {
  readonly kind: EntryKind;
  readonly seq: number;
  /** When it began; what `Journal.now` said meanwhile. */
  readonly at: string;
  readonly input: object;
  /** What `Journal.fact` said meanwhile, in its order. */
  readonly facts?: readonly string[];
  readonly output?: unknown;
  /** It was refused: the problem, but for its request. */
  readonly problem?: object;
  /** It failed for another reason, such as an outage: nothing can be said of its output. */
  readonly failed?: string;
  /** After it; left out where it only reads. null: the database did not answer. */
  readonly head?: RecordedHead | null;
  /** Revisions that it took, with the time of each by the database's clock. */
  readonly revisions?: readonly (readonly [revision: number, at: string])[];
}

/** Something happened that is not here: what follows cannot be replayed. */
export interface GapLine {
  readonly kind: 'gap';
  readonly seq: number;
  readonly at: string;
  readonly reason: string;
}

/** The recording ended in an orderly way. */
export interface EndLine {
  readonly kind: 'end';
  readonly seq: number;
  readonly at: string;
  readonly reason: string;
  readonly tables: TableDigests;
}

export interface RecordedHead {
  readonly revision: number;
  readonly tedRevision: number;
  readonly computedThrough: number;
}

/** MD5 of the rows of each table, but for times and what agents report every few seconds. */
export type TableDigests = Readonly<Record<string, string>>;

export interface RequestInput {
  readonly operation: string;
  readonly requestId: string;
  readonly identity: Identity;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or text of another media type. Left out without a body. */
  readonly body?: unknown;
}

/** null: whoever asked had gone, or was told that it took too long. */
export type RequestOutput = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
} | null;

export interface CallInput {
  readonly service: string;
  readonly method: string;
  readonly arguments: readonly unknown[];
}
