import { TopologyFormatError, maxReportedProblems, type FormatProblem } from '../topology-format-error.js';
import type { Place, SourceText } from './source-text.js';

interface Problem extends Place {
  readonly message: string;
}

/** Gathers what is wrong with a file, so that its author need not find one mistake after the other. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  report(pointer: string, message: string, part: Place['part'] = 'value'): void {
    if (this.#problems.length < maxReportedProblems) this.#problems.push({ pointer, message, part });
  }

  get count(): number {
    return this.#problems.length;
  }

  /** Throws TopologyFormatError, problems in the order of the text, when there are any. */
  throwIfAny(source: SourceText): void {
    if (this.#problems.length === 0) return;
    const positions = source.locate(this.#problems);
    const [first, ...others] = this.#problems
      .map(({ pointer, message }, i): FormatProblem & { line: number; column: number } => {
        const { line, column } = positions[i] ?? { line: 1, column: 1 };
        return { line, column, field: pointer, message };
      })
      .sort((a, b) => a.line - b.line || a.column - b.column);
    if (first !== undefined) throw new TopologyFormatError(first, ...others);
  }
}
