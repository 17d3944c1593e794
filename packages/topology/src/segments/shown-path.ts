import { sumOver, type SearchProblem } from '../engine/search-problem.js';
import type { AlgorithmReaches } from './algorithm-reaches.js';
import { hostLinks } from './host-links.js';
import { foldBranches } from './fold-branches.js';
import type { SegmentStop } from './segment-stop.js';
import { EVERYWHERE, type FoundList } from './segment-search.js';

/** Of everything that packets of a list can take: the arcs of the best branch, segment by segment; ties fall to ids. */
export function bestBranchOf(
  problem: SearchProblem,
  headendArcs: readonly number[],
  list: FoundList,
  reaches: AlgorithmReaches,
): number[] {
  const { snapshot, destination, weight, tie } = problem;
  const { arcFrom, arcTo } = snapshot.data;
  const leaf = snapshot.isHost(destination) ? destination : -1;
  const best = (choices: readonly (readonly number[])[]): readonly number[] =>
    choices.reduce((a, b) => (isBetter(b, a) ? b : a));
  const isBetter = (a: readonly number[], b: readonly number[]): boolean => {
    for (const value of [weight, tie]) {
      const difference = sumOver(value, a) - sumOver(value, b);
      if (difference !== 0) return difference < 0;
    }
    const at = a.findIndex((arc, i) => arc !== b[i]);
    return at >= 0 && (a[at] as number) < (b[at] ?? Infinity);
  };
  const between = (from: number, { via, algorithm, isAttached }: SegmentStop): readonly number[] => {
    if (from === via) return [];
    if (isAttached) return best(hostLinks(snapshot, from, via).map((arc) => [arc]));
    const reach = reaches.of(algorithm);
    reach.startAt(from, leaf);
    const branches = reach.branchesTo(via, []);
    if (branches === null) throw new Error('a segment that was searched over has no branches: the search is wrong');
    return foldBranches<readonly number[]>(snapshot, branches.arcs, from, via, [], (_, arcs, before) =>
      best(arcs.map((arc) => [...before(arcFrom[arc] as number), arc])),
    );
  };
  const [first] = list.stops;
  const startsEverywhere = first?.from === EVERYWHERE;
  const path = headendArcs.length === 0 || startsEverywhere ? [] : [...best(headendArcs.map((arc) => [arc]))];
  for (const stop of list.stops) {
    const part =
      stop.from === EVERYWHERE
        ? best(headendArcs.map((arc) => [arc, ...between(arcTo[arc] as number, stop)]))
        : between(stop.from, stop);
    path.push(...part);
    if (stop.arc >= 0) path.push(stop.arc);
  }
  return path;
}
