import { expect } from 'vitest';
import { TopologyFormatError } from '../topology-format-error.js';

/** The error with which `read` refuses; fails the test when it accepts, or throws anything else. */
export function refusal(read: () => unknown): TopologyFormatError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(TopologyFormatError);
    return error as TopologyFormatError;
  }
  throw new Error('expected a refusal');
}

/** Runs `read` and lets only TopologyFormatError pass. */
export function refusesOrReads(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof TopologyFormatError)) throw error;
    expect(error.message).not.toBe('');
    expect(error.problems[0]).toMatchObject({ line: error.line, column: error.column, field: error.field });
  }
}
