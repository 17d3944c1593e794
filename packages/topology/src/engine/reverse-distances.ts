import { adjacenciesOf } from '../spf/adjacency.js';
import { engineState } from './engine-state.js';
import type { SearchProblem } from './search-problem.js';
import { RELAXATION, type WorkBudget } from './work-budget.js';

/**
 * Least sum of `weight` from every node to the destination over allowed arcs; Infinity where there is no path. Layers are
 * ignored, so with an include list this is a lower bound.
 */
export function reverseDistances(
  problem: Pick<SearchProblem, 'snapshot' | 'mask' | 'destination'>,
  weight: Float64Array,
  budget: WorkBudget,
): Float64Array {
  const { snapshot, mask, destination } = problem;
  const { trees } = engineState(snapshot);
  const before = trees.work;
  const graph = { adjacencies: adjacenciesOf(snapshot.data), length: weight, mask };
  const { distance } = trees.grow(graph, destination, 'to');
  budget.spend((trees.work - before) * RELAXATION);
  return distance;
}
