import { compare, fraction, greatestCommonDivisor, type Fraction } from './fraction.js';
import type { LinearColumn } from './linear-program.js';

/**
 * Weights of the lists of a demand add up to this at most. A finer split is none that data planes make: a Linux route takes
 * weights up to 255, VPP rounds to its hash buckets.
 */
export const MOST_WEIGHT = 255;

export interface Weighing {
  /** One per column, in the same order. */
  readonly weights: readonly bigint[];
  /** Mean cost of a unit of the demand. */
  readonly mean: Fraction;
}

export interface WeighingResult {
  /** null: no weights were found with which every link carries its part. */
  readonly best: Weighing | null;
  /** True: no other weights are better, or, when there are none, none exist. */
  readonly isExact: boolean;
}

/**
 * Whole weights for a demand over columns whose cheapest real split is `amounts` (any scale): the same split where its ratio is
 * small enough, otherwise near it.
 */
export function smallWeights(
  columns: readonly LinearColumn[],
  amounts: readonly bigint[],
  demand: bigint,
  freeBps: (arc: number) => bigint,
): WeighingResult {
  const total = amounts.reduce((a, b) => a + b);
  const divisor = amounts.reduce(greatestCommonDivisor);
  const exact = amounts.map((amount) => amount / divisor);
  if (total / divisor <= MOST_WEIGHT) return { best: { weights: exact, mean: meanOf(columns, exact) }, isExact: true };
  const fits = fitOf(columns, demand, freeBps);
  let best: Weighing | null = null;
  for (let sum = BigInt(columns.length); sum <= MOST_WEIGHT; sum++) {
    const down = amounts.map((amount) => (amount * sum) / total);
    const missing = sum - down.reduce((a, b) => a + b);
    // One of the lists takes what rounding the others down leaves.
    for (let taker = 0; taker < down.length; taker++) {
      const weights = down.map((weight, i) => (i === taker ? weight + missing : weight));
      if (weights.some((weight) => weight === 0n)) continue;
      const mean = meanOf(columns, weights);
      if ((best === null || compare(mean, best.mean) < 0) && fits(weights)) best = { weights, mean };
    }
  }
  // Two lists have one ratio: of each sum the nearest on either side of the best is all that there can be.
  return { best, isExact: columns.length <= 2 };
}

/** Does every link carry its part of a demand divided by these weights? */
function fitOf(columns: readonly LinearColumn[], demand: bigint, freeBps: (arc: number) => bigint) {
  const arcs = new Set(columns.flatMap(({ crossings }) => [...crossings.keys()]));
  return (weights: readonly bigint[]): boolean => {
    const sum = weights.reduce((a, b) => a + b);
    for (const arc of arcs) {
      const here = columns.reduce(
        (load, { crossings }, i) => load + (crossings.get(arc) ?? 0n) * (weights[i] as bigint),
        0n,
      );
      if (demand * here > freeBps(arc) * sum) return false;
    }
    return true;
  };
}

function meanOf(columns: readonly LinearColumn[], weights: readonly bigint[]): Fraction {
  const cost = columns.reduce((sum, column, i) => sum + column.cost * (weights[i] as bigint), 0n);
  return fraction(
    cost,
    weights.reduce((a, b) => a + b),
  );
}
