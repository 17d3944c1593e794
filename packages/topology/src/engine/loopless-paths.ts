import { findBoundedPath, type BoundedSearchOptions } from './bounded-path.js';
import { corridorDistances } from './corridor.js';
import { crossingLimitsOfPath } from './crossing-limits.js';
import { engineState } from './engine-state.js';
import { pricedCorridor } from './priced-corridor.js';
import { reverseDistances } from './reverse-distances.js';
import { isWithinBounds, statesAlong, sumOver, type FoundPath, type SearchProblem } from './search-problem.js';
import type { ShortestPathSearch, Spur } from './shortest-path.js';
import type { WorkBudget } from './work-budget.js';

interface Candidate extends FoundPath {
  readonly tie: number;
  /** Index of the first arc that is not the parent path's. */
  readonly deviation: number;
}

export interface KnownBefore {
  /** Lower bounds per node to the destination: of the optimised metric, then of each bound; consistent. */
  readonly toDestination?: readonly Float64Array[];
  /** The first path is of no interest when it costs more. */
  readonly limit?: number;
}

/**
 * Loopless paths in ascending order of the optimised metric, one at a time (Yen, with Lawler's rule that a path is only
 * varied from where it left its parent). Bounds are kept by each spur search, so that the order stays exact; so is how
 * often a demand fits on a link. Equal paths come by tie value, then by ids.
 */
export class LooplessPaths {
  #problem: SearchProblem;
  readonly #search: ShortestPathSearch;
  readonly #budget: WorkBudget;
  readonly #accepted: Candidate[] = [];
  readonly #candidates: Candidate[] = [];
  #trees: readonly Float64Array[] | undefined;
  readonly #limit: number;
  #lowerBound = 0;
  #isExact = true;
  #optimalArcs: ReadonlySet<number> | null = null;

  /** `known`: what helps the search, when it is there already. */
  constructor(problem: SearchProblem, search: ShortestPathSearch, budget: WorkBudget, known: KnownBefore = {}) {
    this.#problem = problem;
    this.#search = search;
    this.#budget = budget;
    this.#trees = known.toDestination;
    this.#limit = known.limit ?? Infinity;
  }

  /** False once the budget ended a search: a path may have been missed. */
  get isExact(): boolean {
    return this.#isExact;
  }

  /**
   * After `firstAndTies`: arcs of which every path as good as the first consists, and perhaps a few more. null when there
   * is no path, or the budget ended the search.
   */
  get optimalArcs(): ReadonlySet<number> | null {
    return this.#optimalArcs;
  }

  /** No path that `next` has not returned is cheaper than this. */
  get lowerBound(): number {
    return this.#lowerBound;
  }

  /** The next path; null when there is none (or, with `isExact` false, none was found). */
  next(): FoundPath | null {
    const last = this.#accepted.at(-1);
    if (last === undefined) this.#offer([], 0, this.#findSpur([], null));
    else this.#vary(last);
    return this.#accept();
  }

  /** What `next` returns first; `optimalArcs` then says what its equals are made of. */
  firstAndTies(): FoundPath | null {
    const found = this.#search.findWithTies(this.#problem, this.#budget);
    if (found === null) return null;
    const isWithin = this.#obeys(found.arcs);
    if (isWithin) this.#optimalArcs = found.optimalArcs;
    this.#offer([], 0, isWithin ? found : this.#findFirstWithinBounds(found.arcs));
    return this.#accept();
  }

  #findFirstWithinBounds(cheapest: readonly number[]): FoundPath | null {
    const isPlain = this.#problem.include.length === 0;
    const priced = isPlain ? pricedCorridor(this.#problem, cheapest, this.#budget) : null;
    if (priced === null) return this.#findWithinBounds([], null, true);
    const { corridor } = engineState(this.#problem.snapshot);
    const toDestination = corridor.grow(this.#problem, priced.nodes, this.#budget);
    const found = this.#searchWithinBounds([], null, { toDestination, limit: priced.limit, withTies: true });
    corridor.clear();
    return found;
  }

  #accept(): FoundPath | null {
    const best = this.#takeBest();
    if (best === undefined) return null;
    this.#accepted.push(best);
    if (this.#isExact) this.#lowerBound = best.cost;
    return best;
  }

  #vary(path: Candidate): void {
    const states = statesAlong(this.#problem, path.arcs);
    for (let i = path.deviation; i < path.arcs.length; i++) {
      if (this.#budget.isSpent) {
        this.#isExact = false;
        return;
      }
      const prefix = path.arcs.slice(0, i);
      const bannedArcs = new Set<number>();
      for (const other of this.#accepted) {
        if (prefix.every((arc, at) => other.arcs[at] === arc)) bannedArcs.add(other.arcs[i] as number);
      }
      const spur = { state: states[i] as number, bannedStates: states.slice(0, i), bannedArcs };
      this.#offer(prefix, i, this.#findSpur(prefix, spur));
    }
  }

  #offer(prefix: readonly number[], deviation: number, found: FoundPath | null): void {
    if (found === null) return;
    const { weight, tie } = this.#problem;
    const arcs = [...prefix, ...found.arcs];
    this.#candidates.push({ arcs, cost: sumOver(weight, prefix) + found.cost, tie: sumOver(tie, arcs), deviation });
  }

  #findSpur(prefix: readonly number[], spur: Spur | null): FoundPath | null {
    const needsTrees = spur !== null || this.#problem.bounds.length > 0;
    const [costTree] = needsTrees ? this.#reverseTrees() : (this.#trees ?? []);
    const unbounded = this.#search.find(this.#problem, this.#budget, {
      ...(spur === null ? { limit: this.#limit } : { spur }),
      ...(costTree === undefined ? {} : { toDestination: costTree }),
    });
    if (unbounded === null || this.#obeys([...prefix, ...unbounded.arcs])) return unbounded;
    return this.#findWithinBounds(prefix, spur, false);
  }

  /** Is the path within all bounds? One that crosses a link too often is not, and from now on there are bounds for that. */
  #obeys(arcs: readonly number[]): boolean {
    const limits = crossingLimitsOfPath(this.#problem, arcs);
    if (limits.length === 0) return isWithinBounds(this.#problem.bounds, arcs);
    const { bounds } = this.#problem;
    this.#problem = { ...this.#problem, bounds: [...bounds, ...limits] };
    const trees = limits.map(({ weight }) => reverseDistances(this.#problem, weight, this.#budget));
    this.#trees &&= [...this.#trees, ...trees];
    return false;
  }

  #findWithinBounds(prefix: readonly number[], spur: Spur | null, withTies: boolean): FoundPath | null {
    for (;;) {
      const found = this.#searchWithinBounds(prefix, spur, { toDestination: this.#reverseTrees(), withTies });
      if (found === null || this.#obeys([...prefix, ...found.arcs])) return found;
    }
  }

  #searchWithinBounds(
    prefix: readonly number[],
    spur: Spur | null,
    options: Pick<BoundedSearchOptions, 'toDestination' | 'limit' | 'withTies'>,
  ): FoundPath | null {
    const found = findBoundedPath(this.#problem, this.#budget, {
      ...(spur === null ? {} : { spur }),
      used: this.#problem.bounds.map((bound) => sumOver(bound.weight, prefix)),
      ...options,
    });
    if (options.withTies) this.#optimalArcs = found.optimalArcs;
    if (!found.isExact) {
      this.#isExact = false;
      if (spur === null) this.#lowerBound = found.lowerBound;
    }
    return found.path;
  }

  #reverseTrees(): readonly Float64Array[] {
    return (this.#trees ??= corridorDistances(this.#problem, this.#budget));
  }

  #takeBest(): Candidate | undefined {
    const candidates = this.#candidates;
    let best = 0;
    for (let i = 1; i < candidates.length; i++) {
      if (isBefore(candidates[i] as Candidate, candidates[best] as Candidate)) best = i;
    }
    return candidates.splice(best, 1)[0];
  }
}

function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.cost !== b.cost) return a.cost < b.cost;
  if (a.tie !== b.tie) return a.tie < b.tie;
  const differing = a.arcs.findIndex((arc, i) => arc !== b.arcs[i]);
  return differing >= 0 && (a.arcs[differing] as number) < (b.arcs[differing] ?? Infinity);
}
