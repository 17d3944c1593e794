import { VppDisconnectedError, VppError } from '@waymark/vpp-api';
import type { Step, StepFailure } from '../port.js';

/** What became of the requests that carry out steps. */
export class Attempts {
  readonly #reasons = new Map<Step, string>();

  /**
   * Makes a request for a step. A refusal, or no answer in time, is noted for the step and never retried: what it did is seen
   * when everything is read back. Throws VppDisconnectedError, because then nothing else can be done either.
   */
  async make(step: Step, request: () => Promise<unknown>): Promise<void> {
    try {
      await request();
    } catch (error) {
      if (error instanceof RangeError) this.fail(step, error.message);
      else if (!(error instanceof VppError) || error instanceof VppDisconnectedError) throw error;
      else this.fail(step, error.message);
    }
  }

  /** The first reason stays. */
  fail(step: Step, reason: string): void {
    if (!this.#reasons.has(step)) this.#reasons.set(step, reason);
  }

  /** Read back, it is there after all. */
  forgive(step: Step): void {
    this.#reasons.delete(step);
  }

  hasFailed(step: Step): boolean {
    return this.#reasons.has(step);
  }

  get failures(): StepFailure[] {
    return [...this.#reasons].map(([step, reason]) => ({ step, reason }));
  }
}
