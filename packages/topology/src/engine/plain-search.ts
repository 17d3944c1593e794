import { ArcFlag } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { adjacenciesOf } from '../spf/adjacency.js';
import { TreeBuilder, type TreeGraph } from '../spf/distance-tree.js';
import { GoalDirectedSearch } from '../spf/goal-directed.js';
import { Landmarks } from '../spf/landmarks.js';
import { PointToPoint, type ShortestPaths } from '../spf/point-to-point.js';
import type { SearchProblem } from './search-problem.js';

/** Searches by one metric after which landmarks are chosen for it: they cost about as much. */
const SEARCHES_BEFORE = 64;
/** In smaller networks a search takes no longer than its bounds would. */
const LEAST_NODES = 500;

/** Of one metric: how often it was searched by, and its landmarks; null where it can have none. */
interface Known {
  searches: number;
  landmarks: Landmarks | null | undefined;
}

/**
 * All shortest paths between two nodes of one snapshot, without an include list: from both ends, and with landmarks once many have asked
 * for the same metric. What is found is the same.
 */
export class PlainSearch {
  readonly #snapshot: Snapshot;
  readonly #fromBothEnds: PointToPoint;
  readonly #known = new WeakMap<Float64Array, Known>();
  #goalDirected: GoalDirectedSearch | undefined;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#fromBothEnds = new PointToPoint(snapshot.nodeCount);
  }

  /** null when there is no path. */
  find({ weight, mask, source, destination }: SearchProblem): ShortestPaths | null {
    const graph = { adjacencies: adjacenciesOf(this.#snapshot.data), length: weight, mask };
    const landmarks = this.#landmarksOf(weight);
    if (landmarks === null) return this.#fromBothEnds.find(graph, source, destination);
    const search = (this.#goalDirected ??= new GoalDirectedSearch(this.#snapshot.nodeCount));
    return search.find(graph, landmarks, source, destination);
  }

  #landmarksOf(weight: Float64Array): Landmarks | null {
    if (this.#snapshot.nodeCount < LEAST_NODES) return null;
    const known = this.#known.get(weight) ?? { searches: 0, landmarks: undefined };
    this.#known.set(weight, known);
    if (known.searches++ < SEARCHES_BEFORE) return null;
    if (known.landmarks === undefined) known.landmarks = landmarksFor(this.#snapshot, weight);
    return known.landmarks;
  }
}

/**
 * Over every link that some request may use. null where one has the value zero: over those the two searches can differ in which arcs
 * of a circle they count to the shortest paths.
 */
function landmarksFor({ data, nodeCount }: Snapshot, weight: Float64Array): Landmarks | null {
  const mask = data.arcFlags.map((flags, arc) => {
    const isThere = (flags & ArcFlag.Usable) !== 0 && (weight[arc] as number) < Infinity;
    return isThere ? 1 : 0;
  });
  if (weight.some((value, arc) => value <= 0 && mask[arc] === 1)) return null;
  const graph: TreeGraph = { adjacencies: adjacenciesOf(data), length: weight, mask };
  return new Landmarks(graph, new TreeBuilder(nodeCount));
}
