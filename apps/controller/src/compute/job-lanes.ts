import type { ComputePool } from './compute-pool.js';

/** So many at once as pieces of jobs may run: none of them is waited for by others that could go on. */
export async function inLanes<Part>(
  { piecesAtOnce }: ComputePool,
  parts: readonly Part[],
  work: (part: Part) => Promise<void>,
): Promise<void> {
  const queue = [...parts].reverse();
  const lane = async (): Promise<void> => {
    for (let part = queue.pop(); part !== undefined; part = queue.pop()) await work(part);
  };
  await Promise.all(Array.from({ length: piecesAtOnce }, lane));
}

/** A range of items, cut. */
export function cut(length: number, size: number): { readonly first: number; readonly end: number }[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => ({
    first: i * size,
    end: Math.min(length, (i + 1) * size),
  }));
}
