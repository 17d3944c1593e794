/** One thing that is wrong with a file. */
export interface FormatProblem {
  /** From 1; null when the problem belongs to no place in the text. */
  readonly line: number | null;
  readonly column: number | null;
  /** JSON pointer (native), GraphML key or element, or column name (REPETITA). */
  readonly field: string;
  /** A sentence with the offending value and what would be right. */
  readonly message: string;
}

/** At most this many problems of one file are reported. */
export const maxReportedProblems = 50;

/** A file is refused whole. The error's own fields are those of the first problem in the file. */
export class TopologyFormatError extends Error implements FormatProblem {
  override readonly name = 'TopologyFormatError';
  readonly line: number | null;
  readonly column: number | null;
  readonly field: string;
  readonly problems: readonly FormatProblem[];

  constructor(first: FormatProblem, ...others: readonly FormatProblem[]) {
    super(first.message);
    this.line = first.line;
    this.column = first.column;
    this.field = first.field;
    this.problems = [first, ...others];
  }
}
