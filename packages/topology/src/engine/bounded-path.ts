import { layerAfterArc, MISSED, startState, type FoundPath, type SearchProblem } from './search-problem.js';
import type { Spur } from './shortest-path.js';
import type { WorkBudget } from './work-budget.js';

export interface BoundedSearchOptions {
  readonly spur?: Spur;
  /** What the part before the spur has used of each bound. */
  readonly used?: readonly number[];
  /** Lower bounds per node to the destination: of the optimised metric, then of each bound. */
  readonly toDestination: readonly Float64Array[];
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

/** A partial path. `sums`: the optimised metric, then each bound. */
interface Label {
  readonly state: number;
  readonly arc: number;
  readonly parent: Label | null;
  readonly sums: Float64Array;
  readonly tie: number;
  /** Least cost any completion can have. */
  readonly estimate: number;
  readonly serial: number;
  isDominated: boolean;
  /** Labels of the same cost that this one dominates: other ways to be as good here. */
  readonly equals: Label[];
}

/**
 * The cheapest path within bounds on any number of metrics: label setting in the order of estimated cost, with
 * dominance, and with reverse trees cutting what cannot keep a bound any more. Exact (the problem is NP-hard), unless
 * the budget ends it; then the estimate of the next label is a proven lower bound.
 */
export function findBoundedPath(
  problem: SearchProblem,
  budget: WorkBudget,
  options: BoundedSearchOptions,
): BoundedResult {
  const { snapshot, weight, mask, include, bounds, destination } = problem;
  const { nodeCount } = snapshot;
  const { arcTo, outStart } = snapshot.data;
  const { spur, used, toDestination, withTies } = options;
  const start = spur?.state ?? startState(problem);
  const target = include.length * nodeCount + destination;
  const banned = new Set(spur?.bannedStates);
  const weights = [weight, ...bounds.map((bound) => bound.weight)];
  const limits = [Infinity, ...bounds.map((bound, i) => bound.max - (used?.[i] ?? 0))];
  const frontier = new LabelHeap();
  const labelsAt = new Map<number, Label[]>();
  const arrived: Label[] = [];
  let first: Label | null = null;
  let serial = 0;

  const canFinish = (node: number, sums: Float64Array): boolean =>
    limits.every((limit, i) => {
      const rest = (toDestination[i] as Float64Array)[node] as number;
      return rest < Infinity && (sums[i] as number) + rest <= limit;
    });
  const offer = (state: number, node: number, arc: number, parent: Label | null, sums: Float64Array, tie: number) => {
    if (!canFinish(node, sums)) return;
    const known = labelsAt.get(state) ?? [];
    const better = known.find((label) => dominates(label, sums, tie));
    if (better !== undefined && !(withTies && better.sums[0] === sums[0])) return;
    const estimate = (sums[0] as number) + ((toDestination[0] as Float64Array)[node] as number);
    const equals = withTies ? [] : NONE;
    const label: Label = { state, arc, parent, sums, tie, estimate, serial: serial++, isDominated: false, equals };
    if (better !== undefined) {
      better.equals.push(label);
      return;
    }
    const kept = known.filter((other) => {
      other.isDominated = dominates(label, other.sums, other.tie);
      if (withTies && other.isDominated && other.sums[0] === sums[0]) label.equals.push(other);
      return !other.isDominated;
    });
    kept.push(label);
    labelsAt.set(state, kept);
    frontier.push(label);
  };

  offer(start, start % nodeCount, -1, null, new Float64Array(weights.length), 0);
  for (let label = frontier.pop(); label !== undefined; label = frontier.pop()) {
    if (label.isDominated) continue;
    if (first !== null && label.estimate > first.estimate) break;
    if (label.state === target) {
      first ??= label;
      arrived.push(label);
      if (!withTies) break;
      continue;
    }
    if (budget.isSpent) {
      if (first !== null) return { path: pathOf(first), lowerBound: first.estimate, isExact: true, optimalArcs: null };
      return { path: null, lowerBound: label.estimate, isExact: false, optimalArcs: null };
    }
    const layer = Math.floor(label.state / nodeCount);
    const node = label.state - layer * nodeCount;
    const end = outStart[node + 1] as number;
    budget.spend(1 + end - (outStart[node] as number));
    for (let arc = outStart[node] as number; arc < end; arc++) {
      if (mask[arc] === 0 || (label.parent === null && spur?.bannedArcs.has(arc) === true)) continue;
      const to = arcTo[arc] as number;
      const nextLayer = layerAfterArc(include, layer, arc, to);
      const next = nextLayer * nodeCount + to;
      if (nextLayer === MISSED || banned.has(next)) continue;
      const sums = label.sums.map((sum, i) => sum + ((weights[i] as Float64Array)[arc] as number));
      offer(next, to, arc, label, sums, label.tie + (problem.tie[arc] as number));
    }
  }
  if (first === null) return { path: null, lowerBound: Infinity, isExact: true, optimalArcs: null };
  const optimalArcs = withTies ? arcsOfAll(arrived) : null;
  return { path: pathOf(first), lowerBound: first.estimate, isExact: true, optimalArcs };
}

const NONE: Label[] = [];

/** Every arc on the way to labels, and to what is as good as they and as the labels before them. */
function arcsOfAll(arrived: readonly Label[]): Set<number> {
  const arcs = new Set<number>();
  const labels = new Set(arrived);
  for (const label of labels) {
    if (label.parent !== null) {
      arcs.add(label.arc);
      labels.add(label.parent);
    }
    for (const other of label.equals) labels.add(other);
  }
  return arcs;
}

/** At least as good in every sum; equal sums fall to the tie value. */
function dominates(label: Label, sums: Float64Array, tie: number): boolean {
  let isEqual = true;
  for (let i = 0; i < sums.length; i++) {
    const own = label.sums[i] as number;
    const other = sums[i] as number;
    if (own > other) return false;
    if (own < other) isEqual = false;
  }
  return !isEqual || label.tie <= tie;
}

function pathOf(label: Label): FoundPath {
  const arcs: number[] = [];
  for (let at = label; at.parent !== null; at = at.parent) arcs.push(at.arc);
  return { arcs: arcs.reverse(), cost: label.sums[0] as number };
}

/** Binary min-heap by (estimate, tie, serial). */
class LabelHeap {
  readonly #labels: Label[] = [];

  push(label: Label): void {
    const labels = this.#labels;
    let i = labels.length;
    labels.push(label);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = labels[parent] as Label;
      if (!isBefore(label, above)) break;
      labels[i] = above;
      i = parent;
    }
    labels[i] = label;
  }

  pop(): Label | undefined {
    const labels = this.#labels;
    const first = labels[0];
    const moved = labels.pop();
    if (moved === undefined || labels.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= labels.length) break;
      if (child + 1 < labels.length && isBefore(labels[child + 1] as Label, labels[child] as Label)) child++;
      const below = labels[child] as Label;
      if (!isBefore(below, moved)) break;
      labels[i] = below;
      i = child;
    }
    labels[i] = moved;
    return first;
  }
}

function isBefore(a: Label, b: Label): boolean {
  if (a.estimate !== b.estimate) return a.estimate < b.estimate;
  return a.tie !== b.tie ? a.tie < b.tie : a.serial < b.serial;
}
