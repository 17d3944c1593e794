/** VPP's LB_MAX_BUCKETS. */
const MAX_BUCKETS = 8192;
const TOLERANCE = 0.1;

/** VPP compares weights as signed 32-bit integers. */
const byWeight = (left: number, right: number): number => ((left | 0) - (right | 0)) | 0;

const roundHalfUp = (value: number): number => Math.trunc(value + 0.5);

/**
 * How many hash buckets each segment list gets, in the order given; 0 means that the list carries nothing.
 *
 * VPP doubles the number of buckets, starting with the first power of two that holds all lists, until the rounding
 * errors add up to at most a tenth of the buckets and no list rounds to none, and stops at 8,192 buckets whatever the
 * error. Left-over buckets go to the first list in its sort order.
 */
export function effectiveBuckets(weights: readonly number[]): readonly number[] {
  if (weights.length === 0) return [];
  if (weights.length === 1) return [1];
  const [first, second] = weights;
  if (weights.length === 2 && first === second) return [1, 1];

  const order = [...weights.keys()];
  const weightOf = (index: number): number => weights[index] ?? 0;
  // Two lists are sorted heaviest first, more than two lightest first.
  const direction = weights.length === 2 ? -1 : 1;
  order.sort((left, right) => direction * byWeight(weightOf(left), weightOf(right)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const effective = total === 0 ? weights.map(() => 1) : weights;
  const sum = total === 0 ? weights.length : total;

  for (let buckets = firstPowerOfTwo(weights.length); ; buckets *= 2) {
    const fit = fill(order, effective, sum, buckets);
    if (fit.error <= TOLERANCE * buckets || buckets >= MAX_BUCKETS) return fit.split;
  }
}

interface Fit {
  readonly split: readonly number[];
  readonly error: number;
}

function fill(order: readonly number[], weights: readonly number[], sum: number, buckets: number): Fit {
  const split = weights.map(() => 0);
  const norm = buckets / sum;
  let left = buckets;
  let error = 0;
  for (const index of order) {
    const wanted = (weights[index] ?? 0) * norm;
    const given = Math.min(roundHalfUp(wanted), left);
    left -= given;
    error += Math.abs(wanted - given);
    split[index] = given;
    if (given === 0) {
      // A list without a bucket never satisfies the tolerance. At the limit VPP cuts this list and all that follow off;
      // when it is the first, none is left and all packets are dropped.
      error = buckets;
      break;
    }
  }
  const [favoured] = order;
  if (favoured !== undefined && split[favoured] !== 0) split[favoured] = (split[favoured] ?? 0) + left;
  return { split, error };
}

function firstPowerOfTwo(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return Math.min(power, MAX_BUCKETS);
}
