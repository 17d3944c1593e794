import type { WorkBudget } from '../work-budget.js';

/** A way to send: what a unit of traffic over it costs, and how often it crosses each link. */
export interface LinearColumn {
  readonly cost: bigint;
  readonly crossings: ReadonlyMap<number, bigint>;
}

/**
 * A price in two ranks: what traffic is displaced by it, and what the displaced traffic costs. The second counts only where
 * the first is equal. To be divided by `Prices.scale`.
 */
export interface Price {
  readonly displaced: bigint;
  readonly cost: bigint;
}

/** Dual values: what a unit over each link is charged, and what a unit of the demand is worth. */
export interface Prices {
  readonly scale: bigint;
  /** Of the links that are charged for; all others are free. */
  readonly links: ReadonlyMap<number, Price>;
  readonly demand: Price;
}

export interface LinearTask<C extends LinearColumn> {
  /** Traffic to be carried; positive. */
  readonly demand: bigint;
  /** What a link carries, for those that do not carry the whole demand anyway; null for the others. */
  readonly capacityOf: (arc: number) => bigint | null;
  /** A column whose reduced cost is negative (`reducedCost`); null when there is none. */
  readonly price: (prices: Prices) => C | null;
}

export interface LinearSolution<C extends LinearColumn> {
  /** Traffic per column, to be divided by `scale`; positive ones only. */
  readonly amounts: readonly { readonly column: C; readonly amount: bigint }[];
  readonly scale: bigint;
  /** Of all columns together, scaled likewise. */
  readonly carried: bigint;
  readonly prices: Prices;
  /** False: the budget ended it; the amounts are feasible, the prices prove nothing. */
  readonly isDone: boolean;
}

/** More than any sum of costs that a basis can have: carrying more always comes before carrying it cheaper. */
const WORTH_BITS = 512n;
const WORTH = 1n << WORTH_BITS;
const DEMAND = 0;

/**
 * The cheapest way to carry as much of a demand as links allow, over columns that are generated while it runs: the revised
 * simplex method in integers with a common denominator (Edmonds, Bareiss), so that its answer, its prices and what they prove are
 * exact. Of equal rows the lexicographically least leaves the basis (Dantzig, Orden, Wolfe), which rules out cycles. A link
 * has a row from the first column on that crosses it.
 */
export function solveLinearProgram<C extends LinearColumn>(task: LinearTask<C>, budget: WorkBudget): LinearSolution<C> {
  const rowOfArc = new Map<number, number>();
  const arcOfRow = [-1];
  /** The column in each row of the basis; a number: the slack of that row. */
  const basis: (C | number)[] = [DEMAND];
  /** The inverse of the basis, and the values of what is in it; all times `scale`. */
  const inverse: bigint[][] = [[1n]];
  const values: bigint[] = [task.demand];
  let scale = 1n;

  const costOf = (member: C | number) => (typeof member === 'number' ? 0n : member.cost - WORTH);
  const duals = (): bigint[] => {
    const costs = basis.map(costOf);
    return arcOfRow.map((_, row) =>
      inverse.reduce((sum, inverseRow, i) => {
        const entry = inverseRow[row] as bigint;
        return entry === 0n || costs[i] === 0n ? sum : sum + (costs[i] as bigint) * entry;
      }, 0n),
    );
  };
  const addRow = (arc: number, capacity: bigint): void => {
    rowOfArc.set(arc, arcOfRow.length);
    for (const row of inverse) row.push(0n);
    inverse.push([...arcOfRow.map(() => 0n), scale]);
    values.push(capacity * scale);
    basis.push(arcOfRow.length);
    arcOfRow.push(arc);
  };
  const enter = (member: C | number): void => {
    const entries: (readonly [row: number, times: bigint])[] =
      typeof member === 'number'
        ? [[member, 1n]]
        : [
            [DEMAND, 1n],
            ...[...member.crossings].flatMap(([arc, times]): [number, bigint][] => {
              const row = rowOfArc.get(arc);
              return row === undefined ? [] : [[row, times]];
            }),
          ];
    const direction = inverse.map((row) => entries.reduce((sum, [at, times]) => sum + times * (row[at] as bigint), 0n));
    const leaving = leavingRow(values, inverse, direction);
    const pivot = direction[leaving] as bigint;
    const pivotRow = inverse[leaving] as bigint[];
    const pivotValue = values[leaving] as bigint;
    inverse.forEach((row, i) => {
      if (i === leaving) return;
      const factor = direction[i] as bigint;
      for (let at = 0; at < row.length; at++) {
        row[at] = ((row[at] as bigint) * pivot - factor * (pivotRow[at] as bigint)) / scale;
      }
      values[i] = ((values[i] as bigint) * pivot - factor * pivotValue) / scale;
    });
    scale = pivot;
    basis[leaving] = member;
  };
  const pricesOf = (dual: readonly bigint[]): Prices => {
    const full = priceOf(dual[DEMAND] as bigint);
    return {
      scale,
      links: new Map([...rowOfArc].map(([arc, row]) => [arc, priceOf(dual[row] as bigint)])),
      demand: { displaced: scale - full.displaced, cost: -full.cost },
    };
  };

  for (;;) {
    const dual = duals();
    budget.spend(arcOfRow.length ** 2);
    const prices = pricesOf(dual);
    const slack = dual.findIndex((value) => value > 0n);
    const entering = budget.isSpent ? null : slack >= 0 ? slack : task.price(prices);
    if (entering === null) {
      const amounts = basis.flatMap((member, row) => {
        const amount = values[row] as bigint;
        return typeof member === 'number' || amount === 0n ? [] : [{ column: member, amount }];
      });
      const carried = amounts.reduce((sum, { amount }) => sum + amount, 0n);
      return { amounts, scale, carried, prices, isDone: !budget.isSpent };
    }
    if (typeof entering !== 'number') {
      for (const arc of entering.crossings.keys()) {
        const capacity = rowOfArc.has(arc) ? null : task.capacityOf(arc);
        if (capacity !== null) addRow(arc, capacity);
      }
    }
    enter(entering);
  }
}

/** What a unit over a column costs beyond what it is worth, in both ranks; to be divided by `scale`. */
export function reducedCost(prices: Prices, column: LinearColumn): Price {
  let { displaced, cost } = { displaced: 0n, cost: column.cost * prices.scale };
  for (const [arc, times] of column.crossings) {
    const price = prices.links.get(arc);
    if (price === undefined) continue;
    displaced += times * price.displaced;
    cost += times * price.cost;
  }
  return { displaced: displaced - prices.demand.displaced, cost: cost - prices.demand.cost };
}

export function isNegative({ displaced, cost }: Price): boolean {
  return displaced < 0n || (displaced === 0n && cost < 0n);
}

/** A dual value is at most zero; it is taken apart into multiples of WORTH and the rest. */
function priceOf(dual: bigint): Price {
  const displaced = (-dual + WORTH / 2n) >> WORTH_BITS;
  return { displaced, cost: -dual - displaced * WORTH };
}

/** The row whose member falls to zero first when another grows; among equals the lexicographically least. */
function leavingRow(
  values: readonly bigint[],
  inverse: readonly (readonly bigint[])[],
  direction: readonly bigint[],
): number {
  let best = -1;
  const isLess = (row: number): boolean => {
    if (best < 0) return true;
    const [own, other] = [direction[row] as bigint, direction[best] as bigint];
    const order = (values[row] as bigint) * other - (values[best] as bigint) * own;
    if (order !== 0n) return order < 0n;
    for (let at = 0; at < inverse.length; at++) {
      const next = (inverse[row]?.[at] as bigint) * other - (inverse[best]?.[at] as bigint) * own;
      if (next !== 0n) return next < 0n;
    }
    return false;
  };
  direction.forEach((along, row) => {
    if (along > 0n && isLess(row)) best = row;
  });
  if (best < 0) throw new Error('a linear programme with a bounded demand is unbounded: the basis is wrong');
  return best;
}
