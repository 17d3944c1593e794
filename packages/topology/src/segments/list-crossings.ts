import type { Snapshot } from '../snapshot/snapshot.js';
import type { AlgorithmReaches } from './algorithm-reaches.js';
import { EVERYWHERE, type FoundList } from './segment-search.js';

/**
 * How often the traffic of a single-path list crosses links between routers. Where a host splits over several links, each of
 * these carries an even share, and only that until all of it is at one router.
 */
export function crossingsOf(
  snapshot: Snapshot,
  destination: number,
  headendArcs: readonly number[],
  list: FoundList,
  reaches: AlgorithmReaches,
): ReadonlyMap<number, number> {
  const leaf = snapshot.isHost(destination) ? destination : -1;
  const crossings = new Map<number, number>();
  const cross = (arc: number, share: number) => crossings.set(arc, (crossings.get(arc) ?? 0) + share);
  for (const { from, via, algorithm, arc, isAttached } of list.stops) {
    const origins = from === EVERYWHERE ? headendArcs.map((link) => snapshot.data.arcTo[link] as number) : [from];
    const reach = reaches.of(algorithm);
    for (const origin of origins) {
      // A host is delivered to once.
      if (origin === via || isAttached) continue;
      reach.startAt(origin, leaf);
      for (const crossed of reach.branchesTo(via, [])?.arcs ?? []) cross(crossed, 1 / origins.length);
    }
    if (arc >= 0) cross(arc, 1);
  }
  return crossings;
}
