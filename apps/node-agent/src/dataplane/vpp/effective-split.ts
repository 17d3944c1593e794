/** VPP never makes more of a load balance. */
const MOST_BUCKETS = 8_192;
/** Share of all buckets by which rounding may miss the weights. */
const TOLERANCE = 0.1;

/**
 * How VPP splits flows over lists of these weights, in hash buckets: it takes the smallest power of two of buckets for which
 * the rounding errors stay within a tenth of them, so 30:70 becomes 1:3. A list with 0 buckets carries nothing.
 * Source: fib_path_list and load_balance of VPP 26.06 (ip_multipath_normalize_next_hops).
 */
export function effectiveSplit(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Only someone else gives all lists a weight of 0.
  if (total === 0 && weights.length > 2) return effectiveSplit(weights.map(() => 1));
  if (weights.length < 2 || (weights.length === 2 && weights[0] === weights[1])) return weights.map(() => 1);
  let count = 1;
  while (count < weights.length) count *= 2;
  for (;;) {
    const { buckets, error } = shareOut(weights, total, count);
    if (error <= TOLERANCE * count || count >= MOST_BUCKETS) return buckets;
    count *= 2;
  }
}

/** True when some list carries nothing, or all of them do: VPP drops packets, or leaves a path unused, without a word. */
export function starves(weights: readonly number[]): boolean {
  return effectiveSplit(weights).includes(0);
}

/** Whether the split is exactly that of the weights. */
export function isExactSplit(weights: readonly number[]): boolean {
  const buckets = effectiveSplit(weights);
  return weights.every((weight, index) => weight * (buckets[0] ?? 0) === (weights[0] ?? 0) * (buckets[index] ?? 0));
}

/** One try with so many buckets: each list gets its share, rounded, as long as there are any; the first gets what is left. */
function shareOut(weights: readonly number[], total: number, count: number) {
  const ascending = weights.length > 2;
  const order = weights.map((_, index) => index);
  // VPP subtracts in signed numbers of 32 bits, which weights from 2^31 on overflow.
  order.sort((a, b) => (ascending ? 1 : -1) * (((weights[a] ?? 0) - (weights[b] ?? 0)) | 0));
  const buckets = weights.map(() => 0);
  const norm = count / total;
  let left = count;
  let error = 0;
  for (const index of order) {
    // As VPP multiplies: just at the tolerance, the last bit decides.
    const exact = (weights[index] ?? 0) * norm;
    const rounded = Math.min(left, Math.floor(exact + 0.5));
    if (rounded === 0) return { buckets, error: count };
    buckets[index] = rounded;
    left -= rounded;
    error += Math.abs(exact - rounded);
  }
  const first = order[0] ?? 0;
  buckets[first] = (buckets[first] ?? 0) + left;
  return { buckets, error };
}
