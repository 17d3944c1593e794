import { bestList, type Best } from './best-list.js';
import { explainNoPath } from './explain-no-path.js';
import { finishPath, type FinishedPath } from './finish-path.js';
import { LooplessPaths } from './loopless-paths.js';
import type { PreparedRequest } from './prepare-request.js';
import { mostEntries, searchLists } from './search-lists.js';
import type { FoundPath } from './search-problem.js';
import type { WorkBudget } from './work-budget.js';

/**
 * The best path and its shortest segment list. The best path is found first; where others are as good, the list is
 * sought over all of them together. Only when no list makes packets take a best path is the best list of all sought.
 * `isExact` is about the metric: that no list as good has fewer entries is proved only as far as the budget goes.
 */
export function findBest(prepared: PreparedRequest, budget: WorkBudget): Best {
  const { problem, state, headendArcs } = prepared;
  const ranked = new LooplessPaths(problem, state.search, budget);
  const first = ranked.firstAndTies();
  if (first === null) {
    if (!ranked.isExact) return bestList(prepared, budget, ranked.lowerBound, []);
    return { found: null, isExact: true, lowerBound: Infinity, explain: () => explainNoPath(prepared, budget) };
  }
  // A host with several first links has branches from its first packet on; no single path stands for them.
  if (headendArcs.length <= 1) {
    const own = finishPath(prepared, first.arcs, problem.mask);
    const best = shorterList(prepared, budget, first, ranked.optimalArcs, own) ?? own;
    const leastOfPaths = ranked.isExact ? { leastOfPaths: first.cost } : {};
    if (best.kind === 'finished' && best.worst <= first.cost) {
      return { found: best, isExact: ranked.isExact, lowerBound: first.cost, ...leastOfPaths };
    }
    const other = bestList(prepared, budget, first.cost, [own]);
    return other.found === null ? other : { ...other, ...leastOfPaths };
  }
  return bestList(prepared, budget, first.cost, []);
}

/** Of all paths as good as the first: the list with the fewest entries, when those are fewer than the first path's own. */
function shorterList(
  prepared: PreparedRequest,
  budget: WorkBudget,
  first: FoundPath,
  optimalArcs: ReadonlySet<number> | null,
  own: FinishedPath,
): FinishedPath | null {
  const { problem, snapshot } = prepared;
  if (optimalArcs === null || optimalArcs.size <= new Set(first.arcs).size) return null;
  const entries = own.kind === 'finished' ? own.entries : Infinity;
  const maxEntries = Math.min(entries - 1, mostEntries(prepared));
  if (maxEntries < 1) return null;
  const mask = new Uint8Array(snapshot.arcCount);
  for (const arc of optimalArcs) mask[arc] = 1;
  const found = searchLists(prepared, budget, {
    problem: { ...problem, mask },
    maxEntries,
    maxCost: first.cost,
    order: 'entries',
  });
  return found.list?.kind === 'finished' ? found.list : null;
}
