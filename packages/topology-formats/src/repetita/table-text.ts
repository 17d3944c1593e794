import { parseDecimal } from '../decimal-text.js';
import { TopologyFormatError } from '../topology-format-error.js';

export interface Cell {
  readonly text: string;
  readonly column: number;
}

export interface Row {
  readonly line: number;
  readonly cells: ReadonlyMap<string, Cell>;
}

/** Longest text that is read, in UTF-16 units. */
export const maxTableLength = 64 * 1024 * 1024;

/**
 * REPETITA's files: one or more tables, each `NAME count`, a line with the names of the columns, and `count` rows of words.
 * Blank lines separate. Throws TopologyFormatError.
 */
export class TableText {
  readonly #lines: readonly string[];
  #next = 0;

  constructor(text: string) {
    if (text.length > maxTableLength) {
      throw tableError(null, 1, '', `the text is ${text.length} characters long; at most ${maxTableLength} are read`);
    }
    this.#lines = text.split(/\r\n|\n|\r/);
  }

  /** Reads the next table, which must have this name and these columns. */
  table(name: string, columns: readonly string[]): Row[] {
    const [title, ...counts] = this.#words();
    const line = this.#next;
    if (title?.text !== name || counts.length !== 1) throw tableError(line, 1, name, `expected "${name} <count>"`);
    const count = wholeNumber({ line, cells: new Map(counts.map((cell) => [name, cell])) }, name, 0, 10_000_000);
    const header = this.#words().map(({ text }) => text);
    if (header.join(' ') !== columns.join(' ')) {
      throw tableError(this.#next, 1, name, `expected the column names "${columns.join(' ')}"`);
    }
    return Array.from({ length: count }, (_, i) => this.#row(columns, `${name}: row ${i + 1} of ${count} is missing`));
  }

  end(): void {
    const words = this.#words();
    if (words.length > 0) throw tableError(this.#next, words[0]?.column ?? 1, '', 'expected the end of the file');
  }

  #row(columns: readonly string[], missing: string): Row {
    const words = this.#words();
    const line = this.#next;
    const [first] = columns;
    if (words.length === 0) throw tableError(line, 1, first ?? '', missing);
    if (words.length !== columns.length) {
      const field = columns[Math.min(words.length, columns.length - 1)] ?? '';
      const message = `expected ${columns.length} words (${columns.join(' ')}), not ${words.length}`;
      throw tableError(line, 1, field, message);
    }
    return { line, cells: new Map(words.map((cell, i) => [columns[i] ?? '', cell])) };
  }

  /** Of the next line that is not blank; empty at the end. */
  #words(): Cell[] {
    for (let line = this.#lines[this.#next++]; line !== undefined; line = this.#lines[this.#next++]) {
      const words = [...line.matchAll(/\S+/g)].map((match) => ({ text: match[0], column: match.index + 1 }));
      if (words.length > 0) return words;
    }
    this.#next = this.#lines.length;
    return [];
  }
}

export function tableError(line: number | null, column: number, field: string, message: string): TopologyFormatError {
  return new TopologyFormatError({ line, column: line === null ? null : column, field, message });
}

export function rowError(row: Row, field: string, message: string): TopologyFormatError {
  return tableError(row.line, row.cells.get(field)?.column ?? 1, field, message);
}

export function word(row: Row, field: string): string {
  return row.cells.get(field)?.text ?? '';
}

/** Throws TopologyFormatError when the word is not a number in this range. */
export function decimal(row: Row, field: string, min: number, max: number): number {
  const text = word(row, field);
  const value = parseDecimal(text);
  if (value >= min && value <= max) return value;
  throw rowError(row, field, `expected a number from ${min} to ${max}, not "${text.slice(0, 80)}"`);
}

/** Throws TopologyFormatError when the word is not a whole number in this range. */
export function wholeNumber(row: Row, field: string, min: number, max: number): number {
  const value = decimal(row, field, min, max);
  if (Number.isSafeInteger(value)) return value;
  throw rowError(row, field, `expected a whole number, not "${word(row, field).slice(0, 80)}"`);
}
