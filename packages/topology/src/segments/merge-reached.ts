import { commonLayer, type IncludeStep } from '../engine/search-problem.js';
import type { ReachedNode } from './allowed-segments.js';

/** The sum that counts of one weight, over the links or routers that a headend splits its traffic over evenly. */
export function sumOfSplit(isMean: boolean, sums: readonly number[]): number {
  return isMean ? sums.reduce((a, b) => a + b, 0) / sums.length : Math.max(...sums);
}

/** Where packets from all of a headend's routers come to together. `isMean`: per weight. */
export function joinSplit(
  include: readonly IncludeStep[],
  isMean: readonly boolean[],
  targets: readonly ReachedNode[],
): ReachedNode {
  const joined = targets.reduce((a, b) => worseOf(include, a, b));
  const worst = joined.worst.map((_, i) => {
    const sums = targets.map((target) => target.worst[i] as number);
    return sumOfSplit(isMean[i] === true, sums);
  });
  return { ...joined, worst };
}

/** What can be promised where either may be what happens. */
export function worseOf(include: readonly IncludeStep[], a: ReachedNode, b: ReachedNode): ReachedNode {
  return {
    node: a.node,
    layer: commonLayer(include, a.layer, b.layer),
    worst: a.worst.map((sum, i) => Math.max(sum, b.worst[i] as number)),
    isSinglePath: a.isSinglePath && b.isSinglePath,
  };
}

export function commonLayerOf(include: readonly IncludeStep[], layers: readonly number[]): number {
  return layers.reduce((a, b) => commonLayer(include, a, b));
}
