import { setImmediate } from 'node:timers/promises';

/** Long work that yields wherever it may be interrupted, and returns its result. */
export type Slices<Result> = Generator<void, Result>;

/** How long the event loop may stand still. */
const SLICE_MS = 20;

/** Runs long work in slices, between which heartbeats and requests get their turn. */
export async function inSlices<Result>(work: Slices<Result>): Promise<Result> {
  let start = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() - start < SLICE_MS) continue;
    await setImmediate();
    start = performance.now();
  }
}

/** Runs it from end to end. */
export function atOnce<Result>(work: Slices<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
