import { WorkBudget } from '../work-budget.js';
import { compare, fraction, larger, minus, times, type Fraction } from './fraction.js';
import { isNegative, reducedCost, solveLinearProgram, type LinearSolution } from './linear-program.js';
import { MOST_WEIGHT, smallWeights, type Weighing } from './small-weights.js';
import { PathRanking } from './path-ranking.js';
import type { WeightedPath, WeightedPaths } from './weighted-paths.js';

/** Paths of a demand with their weights. */
export interface Choice extends Weighing {
  readonly paths: readonly WeightedPath[];
}

export interface ChoiceTask {
  readonly demand: bigint;
  readonly maxLists: number;
  /** The cheapest split over any number of lists, which carries the whole demand. */
  readonly relaxed: LinearSolution<WeightedPath>;
  readonly paths: WeightedPaths;
}

export interface ChoiceResult {
  /** null: none was found. */
  readonly best: Choice | null;
  /** Nothing is better, or when there is none, none exists. */
  readonly isProved: boolean;
}

/** What choosing may cost: where the split over any number of lists is not the answer, the last percent is not worth more. */
const CHOICE_BUDGET = 800_000;

/**
 * The cheapest split of a demand over at most `maxLists` lists with small weights: branch and bound over sets of paths, taken
 * in the order of their share. What a list adds to the cost of the split over any number of lists is its share times its reduced
 * cost, and the larger its share must be, the fewer paths are left that can have it.
 */
export function chooseLists(task: ChoiceTask, budget: WorkBudget): ChoiceResult {
  const own = new WorkBudget(Math.min(budget.left, CHOICE_BUDGET));
  const before = own.left;
  const search = new ChoiceSearch(task, own);
  const result = search.run();
  budget.spend(before - own.left);
  return result;
}

/** The mean cost of a unit of a demand that is carried whole. */
export function meanCost({ amounts, scale }: LinearSolution<WeightedPath>, demand: bigint): Fraction {
  return fraction(
    amounts.reduce((sum, { column, amount }) => sum + column.cost * amount, 0n),
    scale * demand,
  );
}

class ChoiceSearch {
  readonly #task: ChoiceTask;
  readonly #budget: WorkBudget;
  readonly #bound: Fraction;
  /** What paths can be wide, ascending, and the paths that are as wide, as far as they were looked at. */
  readonly #widths: readonly bigint[];
  readonly #rankings = new Map<bigint, PathRanking>();
  #best: Choice | null = null;
  #isProved = true;
  /** Of the round: sets looked at, lists allowed, and where its part of the budget ends. */
  #seen = new Set<string>();
  #limit = 0;
  #floor = 0;

  constructor(task: ChoiceTask, budget: WorkBudget) {
    this.#task = task;
    this.#budget = budget;
    this.#bound = meanCost(task.relaxed, task.demand);
    this.#widths = task.paths.widths();
  }

  run(): ChoiceResult {
    const { relaxed, maxLists } = this.#task;
    const { amounts } = relaxed;
    if (amounts.length <= maxLists)
      this.#weigh(
        amounts.map(({ column }) => column),
        relaxed,
      );
    const half = this.#budget.left / 2;
    for (let parts = 2; parts <= maxLists && !this.#isDone(2); parts++) {
      this.#tryEqual(parts, new WorkBudget((this.#budget.left - half) / 3));
    }
    for (let limit = 2; limit <= maxLists; limit++) {
      if (this.#isDone(limit)) break;
      // Each round looks at all that the rounds before did: what the last one proves is proved.
      this.#isProved = true;
      this.#seen = new Set();
      this.#limit = limit;
      this.#floor = this.#budget.left - this.#budget.left / (maxLists - limit + 1);
      this.#extend([], fraction(0n, 1n));
    }
    const isCheapest = this.#best !== null && compare(this.#best.mean, this.#bound) === 0;
    return { best: this.#best, isProved: isCheapest || this.#isProved };
  }

  /** Nothing is cheaper than what was found, nor with fewer lists than in this round as cheap. */
  #isDone(limit: number): boolean {
    return this.#best !== null && compare(this.#best.mean, this.#bound) === 0 && this.#best.paths.length <= limit;
  }

  /** Adds another list to those that carry the most; `carried`: the part of the demand that they can carry together. */
  #extend(chosen: readonly WeightedPath[], carried: Fraction): void {
    const { demand, relaxed } = this.#task;
    const left = this.#limit - chosen.length;
    const rest = minus(fraction(1n, 1n), carried);
    const share = larger(fraction(1n, BigInt(MOST_WEIGHT)), fraction(rest.over, rest.under * BigInt(left)));
    const needed = demand * share.over;
    const width = this.#widths.find((free) => free * share.under >= needed);
    const ranking = width === undefined ? null : this.#rankingOf(width);
    for (let i = 0; ranking !== null; i++) {
      const entry = ranking.at(i);
      if (entry === 'unknown') this.#isProved = false;
      if (entry === 'unknown' || entry === 'complete') return;
      const { path, reduced } = entry;
      // What displaces traffic has no part in any split that carries everything.
      if (reduced.displaced > 0n) return;
      if (!this.#canBeBetter(times(share, fraction(reduced.cost, relaxed.scale)))) return;
      if (path === null) this.#isProved = false;
      else if (path.widthBps * share.under >= needed && !chosen.includes(path)) this.#look([...chosen, path]);
    }
  }

  #rankingOf(width: bigint): PathRanking {
    const { paths, relaxed } = this.#task;
    const known = this.#rankings.get(width) ?? new PathRanking(paths, relaxed.prices, width, this.#budget);
    this.#rankings.set(width, known);
    return known;
  }

  #look(chosen: readonly WeightedPath[]): void {
    const key = chosen
      .map((path) => path.key)
      .sort()
      .join(' ');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (this.#budget.left <= this.#floor) {
      this.#isProved = false;
      return;
    }
    const carried = this.#evaluate(chosen);
    if (carried === null) this.#isProved = false;
    else if (chosen.length < this.#limit) this.#extend(chosen, carried);
  }

  /** The part of the demand that paths carry together, weighed where that is all of it; null when the budget ended it. */
  #evaluate(chosen: readonly WeightedPath[]): Fraction | null {
    const { demand, paths } = this.#task;
    const solution = solveLinearProgram<WeightedPath>(
      {
        demand,
        capacityOf: (arc) => paths.capacityOf(arc, demand),
        price: (prices) => chosen.find((path) => isNegative(reducedCost(prices, path))) ?? null,
      },
      this.#budget,
    );
    if (!solution.isDone) return null;
    const carried = fraction(solution.carried, solution.scale * demand);
    if (carried.over === carried.under) this.#weigh(chosen, solution);
    return carried;
  }

  /**
   * Equal parts, each over one path: the cheapest split into so many is a linear programme whose answer seldom has more paths,
   * and a good start where few lists have to be wide.
   */
  #tryEqual(parts: number, own: WorkBudget): void {
    const { demand, paths, maxLists } = this.#task;
    const all = BigInt(parts);
    const width = (demand + all - 1n) / all;
    const before = own.left;
    const { amounts, carried, scale } = solveLinearProgram<WeightedPath>(
      {
        demand: all,
        capacityOf: (arc) => paths.capacityOf(arc, demand, all),
        price: (prices) => paths.price(prices, own, width),
      },
      own,
    );
    this.#budget.spend(before - own.left);
    if (carried === scale * all && amounts.length <= maxLists) this.#evaluate(amounts.map(({ column }) => column));
  }

  #weigh(among: readonly WeightedPath[], solution: LinearSolution<WeightedPath>): void {
    const { demand, paths } = this.#task;
    const mean = meanCost(solution, demand);
    if (this.#best !== null && !isBetter(mean, solution.amounts.length, this.#best)) return;
    const columns = solution.amounts.map(({ column }) => column);
    const amounts = solution.amounts.map(({ amount }) => amount);
    const { best, isExact } = smallWeights(columns, amounts, demand, (arc) => paths.freeBps(arc));
    this.#budget.spend(isExact ? columns.length : MOST_WEIGHT * columns.length);
    if (best !== null && (this.#best === null || isBetter(best.mean, columns.length, this.#best))) {
      this.#best = { ...best, paths: columns };
    }
    const isAsCheap = best !== null && compare(best.mean, mean) === 0;
    if (!isAsCheap && !(isExact && among.length <= 2)) this.#isProved = false;
  }

  #canBeBetter(added: Fraction): boolean {
    if (this.#best === null) return true;
    const order = compare(added, minus(this.#best.mean, this.#bound));
    return order < 0 || (order === 0 && this.#limit < this.#best.paths.length);
  }
}

function isBetter(mean: Fraction, lists: number, than: Choice): boolean {
  const order = compare(mean, than.mean);
  return order < 0 || (order === 0 && lists < than.paths.length);
}
