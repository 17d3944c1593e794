import { TopologyFormatError } from '../topology-format-error.js';

/** What remains of JSON or YAML: objects without prototype, arrays, strings, finite numbers, booleans, null. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[] | PlainObject;
export interface PlainObject {
  readonly [key: string]: PlainValue;
}

/** A place in the value: its JSON pointer (RFC 6901), and whether the key or the value is meant. */
export interface Place {
  readonly pointer: string;
  readonly part: 'key' | 'value';
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A text that was read into a plain value and can tell where in it something stands. */
export interface SourceText {
  readonly value: PlainValue;
  /** In the order of `places`. A place that does not exist (a missing field) is found at its nearest parent. */
  locate(places: readonly Place[]): Position[];
}

/** Deeper nesting than any topology has; a reader may recurse this far without fear for the stack. */
export const maxDepth = 32;

/** Line and column, both from 1, of an offset. Columns count UTF-16 units, as editors mostly do. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (;;) {
    const newline = text.indexOf('\n', lineStart);
    if (newline < 0 || newline >= offset) return { line, column: offset - lineStart + 1 };
    line += 1;
    lineStart = newline + 1;
  }
}

export function syntaxError(text: string, offset: number, pointer: string, message: string): TopologyFormatError {
  return new TopologyFormatError({ ...positionAt(text, offset), field: pointer, message });
}

/** Appends a reference token to a JSON pointer. */
export function pointerTo(parent: string, key: string | number): string {
  const isPlain = typeof key === 'number' || !/[~/]/.test(key);
  return isPlain ? `${parent}/${key}` : `${parent}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function parentPointer(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}
