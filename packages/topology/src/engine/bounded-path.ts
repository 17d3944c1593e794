import { BinaryHeap } from '../spf/binary-heap.js';
import { engineState } from './engine-state.js';
import { NO_LABEL, type LabelStore } from './label-store.js';
import { layerAfterArc, MISSED, startState, type FoundPath, type SearchProblem } from './search-problem.js';
import type { Spur } from './shortest-path.js';
import type { WorkBudget } from './work-budget.js';

export interface BoundedSearchOptions {
  readonly spur?: Spur;
  /** What the part before the spur has used of each bound. */
  readonly used?: readonly number[];
  /** Lower bounds per node to the destination: of the optimised metric, then of each bound. */
  readonly toDestination: readonly Float64Array[];
  /** Paths that cost more are of no interest. */
  readonly limit?: number;
  /** Ask for `optimalArcs` too. */
  readonly withTies: boolean;
}

export interface BoundedResult {
  /** null: none exists, or (when the budget ended the search) none was found. */
  readonly path: FoundPath | null;
  /** No path within the bounds is cheaper than this. */
  readonly lowerBound: number;
  readonly isExact: boolean;
  /** Arcs of which every path as good as this one consists, and perhaps a few more; null when not asked for or unknown. */
  readonly optimalArcs: ReadonlySet<number> | null;
}

/**
 * The cheapest path within bounds on any number of metrics: label setting in the order of estimated cost, with
 * dominance, and with reverse trees cutting what cannot keep a bound any more. Exact (the problem is NP-hard), unless
 * the budget ends it; then the estimate of the next label is a proven lower bound. Of equally cheap paths it finds the one of the
 * least tie value, then of the least use of the bounds, then of the smallest arcs into each node counted from the destination:
 * independent of how good the lower bounds are. Tie values grow with every arc.
 */
export function findBoundedPath(
  problem: SearchProblem,
  budget: WorkBudget,
  options: BoundedSearchOptions,
): BoundedResult {
  const { snapshot, mask, include, destination } = problem;
  const { nodeCount } = snapshot;
  const { arcTo, outStart } = snapshot.data;
  const { spur, withTies } = options;
  const target = include.length * nodeCount + destination;
  const banned = new Set(spur?.bannedStates);
  const { labels } = engineState(snapshot);
  const frontier = new LabelFrontier(problem, labels, options);
  const arrived: number[] = [];

  frontier.start(spur?.state ?? startState(problem));
  for (let label = frontier.pop(); label !== NO_LABEL; label = frontier.pop()) {
    const [first] = arrived;
    if (first !== undefined && (labels.estimate[label] as number) > (labels.estimate[first] as number)) break;
    const state = labels.state[label] as number;
    if (state === target) {
      arrived.push(label);
      if (!withTies) break;
      continue;
    }
    if (budget.isSpent) {
      const lowerBound = labels.estimate[first ?? label] as number;
      return {
        path: first === undefined ? null : pathOf(labels, first),
        lowerBound,
        isExact: first !== undefined,
        optimalArcs: null,
      };
    }
    const layer = Math.floor(state / nodeCount);
    const node = state - layer * nodeCount;
    const isStart = labels.parent[label] === NO_LABEL;
    const end = outStart[node + 1] as number;
    budget.spend(1 + end - (outStart[node] as number));
    for (let arc = outStart[node] as number; arc < end; arc++) {
      if (mask[arc] === 0 || (isStart && spur?.bannedArcs.has(arc) === true)) continue;
      const to = arcTo[arc] as number;
      const nextLayer = include.length === 0 ? 0 : layerAfterArc(include, layer, arc, to);
      const next = nextLayer * nodeCount + to;
      if (nextLayer === MISSED || banned.has(next)) continue;
      frontier.extend(label, arc, next, to);
    }
  }
  const [first] = arrived;
  if (first === undefined) return { path: null, lowerBound: Infinity, isExact: true, optimalArcs: null };
  const optimalArcs = withTies ? arcsOfAll(labels, arrived) : null;
  return { path: pathOf(labels, first), lowerBound: labels.estimate[first] as number, isExact: true, optimalArcs };
}

/** Labels that may still be completed within the bounds: by state without those that others dominate, and by estimate. */
class LabelFrontier {
  readonly #labels: LabelStore;
  readonly #weights: readonly Float64Array[];
  readonly #rest: readonly Float64Array[];
  readonly #limits: readonly number[];
  readonly #tie: Float64Array;
  readonly #withTies: boolean;
  readonly #nodeCount: number;
  /** Of the label that is being offered. */
  readonly #sums: Float64Array;
  readonly #heap: BinaryHeap<number>;

  constructor(problem: SearchProblem, labels: LabelStore, options: BoundedSearchOptions) {
    const { weight, bounds, tie, include, snapshot } = problem;
    const { used, toDestination, limit = Infinity, withTies } = options;
    this.#labels = labels;
    this.#weights = [weight, ...bounds.map((bound) => bound.weight)];
    this.#rest = toDestination;
    this.#limits = [limit, ...bounds.map((bound, i) => bound.max - (used?.[i] ?? 0))];
    this.#tie = tie;
    this.#withTies = withTies;
    this.#nodeCount = snapshot.nodeCount;
    this.#sums = new Float64Array(this.#weights.length);
    this.#heap = new BinaryHeap((a, b) => labels.isBefore(a, b));
    labels.clear((include.length + 1) * snapshot.nodeCount, this.#weights.length);
  }

  start(state: number): void {
    this.#sums.fill(0);
    this.#offer(state, state % this.#nodeCount, -1, NO_LABEL, 0);
  }

  /** Offers what a label becomes over an arc. */
  extend(label: number, arc: number, state: number, node: number): void {
    const { sums, stride, tie } = this.#labels;
    for (let i = 0; i < stride; i++) {
      this.#sums[i] = (sums[label * stride + i] as number) + ((this.#weights[i] as Float64Array)[arc] as number);
    }
    this.#offer(state, node, arc, label, (tie[label] as number) + (this.#tie[arc] as number));
  }

  #offer(state: number, node: number, arc: number, parent: number, tie: number): void {
    if (!this.#canFinish(node)) return;
    const labels = this.#labels;
    const sums = this.#sums;
    const cost = sums[0] as number;
    let better = NO_LABEL;
    for (let known = labels.firstAt(state); known !== NO_LABEL; known = labels.next[known] as number) {
      if (!labels.dominates(known, sums, tie)) continue;
      better = known;
      break;
    }
    const isTie = better !== NO_LABEL && this.#withTies && labels.sums[better * labels.stride] === cost;
    if (better !== NO_LABEL && !isTie) {
      if (this.#isArcPreferred(arc, better, tie)) labels.setWay(better, arc, parent);
      return;
    }
    const label = labels.add(state, arc, parent, cost + ((this.#rest[0] as Float64Array)[node] as number), tie);
    labels.sums.set(sums, label * labels.stride);
    if (isTie) {
      labels.next[label] = labels.equals[better] as number;
      labels.equals[better] = label;
      if (!this.#isArcPreferred(arc, better, tie)) return;
      labels.setWay(label, labels.arc[better] as number, labels.parent[better] as number);
      labels.setWay(better, arc, parent);
      return;
    }
    this.#dropDominated(state, label, tie);
    labels.next[label] = labels.firstAt(state);
    labels.setFirstAt(state, label);
    this.#heap.push(label);
  }

  /** Is the label that is offered, and dominated, the same but for an arc with a smaller number? */
  #isArcPreferred(arc: number, better: number, tie: number): boolean {
    return arc < (this.#labels.arc[better] as number) && this.#labels.isDominatedBy(better, this.#sums, tie);
  }

  /** Takes what a new label dominates out of the chain of its state. */
  #dropDominated(state: number, label: number, tie: number): void {
    const labels = this.#labels;
    let before = NO_LABEL;
    for (let known = labels.firstAt(state); known !== NO_LABEL;) {
      const following = labels.next[known] as number;
      if (!labels.isDominatedBy(known, this.#sums, tie)) {
        before = known;
      } else {
        if (before === NO_LABEL) labels.setFirstAt(state, following);
        else labels.next[before] = following;
        labels.isDominated[known] = 1;
        if (this.#withTies && labels.sums[known * labels.stride] === this.#sums[0]) {
          labels.next[known] = labels.equals[label] as number;
          labels.equals[label] = known;
        }
      }
      known = following;
    }
  }

  #canFinish(node: number): boolean {
    for (let i = 0; i < this.#limits.length; i++) {
      const rest = (this.#rest[i] as Float64Array)[node] as number;
      if (rest === Infinity || (this.#sums[i] as number) + rest > (this.#limits[i] as number)) return false;
    }
    return true;
  }

  /** The label of the least (estimate, tie, number) that nothing dominates; NO_LABEL when there is none. */
  pop(): number {
    for (let label = this.#heap.pop(); label !== undefined; label = this.#heap.pop()) {
      if (this.#labels.isDominated[label] === 0) return label;
    }
    return NO_LABEL;
  }
}

/** Every arc on the way to labels, and to what is as good as they and as the labels before them. */
function arcsOfAll(labels: LabelStore, arrived: readonly number[]): Set<number> {
  const arcs = new Set<number>();
  const all = new Set(arrived);
  for (const label of all) {
    const parent = labels.parent[label] as number;
    if (parent !== NO_LABEL) {
      arcs.add(labels.arc[label] as number);
      all.add(parent);
    }
    for (let other = labels.equals[label] as number; other !== NO_LABEL; other = labels.next[other] as number) {
      all.add(other);
    }
  }
  return arcs;
}

function pathOf(labels: LabelStore, label: number): FoundPath {
  const arcs: number[] = [];
  for (let at = label; labels.parent[at] !== NO_LABEL; at = labels.parent[at] as number) {
    arcs.push(labels.arc[at] as number);
  }
  return { arcs: arcs.reverse(), cost: labels.sums[label * labels.stride] as number };
}
