import type { WorkBudget } from '../work-budget.js';
import type { Prices } from './linear-program.js';
import type { RankedPath, WeightedPaths } from './weighted-paths.js';

/** Paths that can take so much, in ascending order of their reduced cost, looked up as far as they are asked for. */
export class PathRanking {
  readonly #source: Iterator<RankedPath, 'complete' | 'unknown'>;
  readonly #ranked: RankedPath[] = [];
  #end: 'complete' | 'unknown' | null = null;

  constructor(paths: WeightedPaths, prices: Prices, widthBps: bigint, budget: WorkBudget) {
    this.#source = paths.ranked(prices, widthBps, budget);
  }

  /** Behind the last one: `complete` when there are no more, `unknown` when the budget ended the search. */
  at(i: number): RankedPath | 'complete' | 'unknown' {
    while (this.#ranked.length <= i && this.#end === null) {
      const next = this.#source.next();
      if (next.done === true) this.#end = next.value;
      else this.#ranked.push(next.value);
    }
    return this.#ranked[i] ?? this.#end ?? 'unknown';
  }
}
