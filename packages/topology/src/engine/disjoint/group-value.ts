import type { Objective } from '../../model/path-request.js';

/** What a group is worth; compared by `shared` first. */
export interface GroupValue {
  /** Over all links: the pairs of members that share it. */
  readonly shared: number;
  /** Of the objective. */
  readonly value: number;
}

/** No group is worth as much. */
export const NOTHING: GroupValue = { shared: Infinity, value: Infinity };

export function isLess(a: GroupValue, b: GroupValue): boolean {
  if (a.shared !== b.shared) return a.shared < b.shared;
  // Sums of metrics that are not whole numbers differ in their last bits by the order of the terms.
  return a.value < b.value - 1e-12 * Math.abs(b.value);
}

export function greater(a: GroupValue, b: GroupValue): GroupValue {
  return isLess(a, b) ? b : a;
}

export function lesser(a: GroupValue, b: GroupValue): GroupValue {
  return isLess(b, a) ? b : a;
}

export function objectiveOf(objective: Objective, values: readonly number[]): number {
  return objective === 'worst' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
}
