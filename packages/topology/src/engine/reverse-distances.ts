import { SearchHeap } from './search-heap.js';
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
  const { arcFrom, inStart, inArcs } = snapshot.data;
  const distance = new Float64Array(snapshot.nodeCount).fill(Infinity);
  const heap = new SearchHeap(snapshot.nodeCount);
  distance[destination] = 0;
  heap.put(destination, 0, 0);
  let relaxed = 0;
  while (heap.size > 0) {
    const node = heap.pop();
    const here = distance[node] as number;
    const end = inStart[node + 1] as number;
    for (let i = inStart[node] as number; i < end; i++) {
      const arc = inArcs[i] as number;
      if (mask[arc] === 0) continue;
      relaxed++;
      const from = arcFrom[arc] as number;
      const candidate = here + (weight[arc] as number);
      if (candidate < (distance[from] as number)) {
        distance[from] = candidate;
        heap.put(from, candidate, 0);
      }
    }
  }
  budget.spend(relaxed * RELAXATION);
  return distance;
}
