import type { Disjointness } from '../model/path-request.js';
import { reverseDistances } from './reverse-distances.js';
import { SearchHeap } from './search-heap.js';
import { sumOver, type FoundPath, type SearchProblem } from './search-problem.js';
import type { ShortestPathSearch } from './shortest-path.js';
import type { WorkBudget } from './work-budget.js';

/** What both paths may use: hosts' own links and attachment routers, as far as single-homing forces them. */
export interface Shareable {
  readonly nodes: ReadonlySet<number>;
  readonly arcs: ReadonlySet<number>;
}

export type PairSearch =
  | { readonly kind: 'pair'; readonly paths: readonly [FoundPath, FoundPath]; readonly total: number }
  | { readonly kind: 'no-path' }
  /** Every path passes these: single points of failure. */
  | { readonly kind: 'cut'; readonly nodes: readonly number[]; readonly arcs: readonly number[] };

/**
 * The disjoint pair of the least sum of the optimised metric (Suurballe 1974, Bhandari's residual form). A second path
 * is sought in the graph where the first can be walked backwards; where it meets an interior node of the first (node
 * disjointness) it may only leave against the first path. Reverse distances serve as potentials, so that reduced costs
 * are never negative. Both directions of a link count as one. Bounds and include lists are not looked at.
 */
export function findDisjointPair(
  problem: SearchProblem,
  kind: Disjointness,
  shareable: Shareable,
  search: ShortestPathSearch,
  budget: WorkBudget,
): PairSearch {
  const plain: SearchProblem = { ...problem, include: [], bounds: [] };
  const first = search.find(plain, budget);
  if (first === null) return { kind: 'no-path' };
  const residual = new Residual(plain, kind, shareable, first, budget);
  const second = residual.findSecond();
  if (second === null) return { kind: 'cut', ...residual.cut() };
  const paths = separate(plain, combine(first.arcs, second), budget);
  return { kind: 'pair', paths, total: paths[0].cost + paths[1].cost };
}

/** One step of the second path; `backwards`: against the first path's use of the arc. */
interface Move {
  readonly arc: number;
  readonly backwards: boolean;
}

class Residual {
  readonly #problem: SearchProblem;
  readonly #shareable: Shareable;
  readonly #first: FoundPath;
  readonly #budget: WorkBudget;
  readonly #potential: Float64Array;
  /** Arc by which the first path enters a node. */
  readonly #enteredBy = new Map<number, number>();
  /** Interior nodes of the first path that no other path may pass. */
  readonly #split = new Set<number>();
  /** Arcs of the first path, and the other directions of their links. */
  readonly #taken = new Set<number>();
  readonly #reached = new Set<number>();

  constructor(problem: SearchProblem, kind: Disjointness, shareable: Shareable, first: FoundPath, budget: WorkBudget) {
    this.#problem = problem;
    this.#shareable = shareable;
    this.#first = first;
    this.#budget = budget;
    this.#potential = reverseDistances(problem, problem.weight, budget);
    const { arcTo } = problem.snapshot.data;
    for (const arc of first.arcs) {
      const to = arcTo[arc] as number;
      this.#enteredBy.set(to, arc);
      if (kind === 'node' && to !== problem.destination && !shareable.nodes.has(to)) this.#split.add(to);
      if (shareable.arcs.has(arc)) continue;
      this.#taken.add(arc);
      const reverse = problem.snapshot.reverseOf(arc);
      if (reverse >= 0) this.#taken.add(reverse);
    }
  }

  /** Moves of the shortest second path; null when there is none. State = 2 * node + 1 when leaving, 0 when entering. */
  findSecond(): Move[] | null {
    const { snapshot, source, destination } = this.#problem;
    const states = 2 * snapshot.nodeCount;
    const cost = new Float64Array(states).fill(Infinity);
    const via = new Map<number, { readonly from: number; readonly move: Move | null }>();
    const heap = new SearchHeap(states);
    const start = 2 * source + 1;
    const target = 2 * destination + 1;
    const offer = (from: number, to: number, extra: number, move: Move | null): void => {
      const candidate = (cost[from] as number) + extra;
      if (this.#reached.has(to) || candidate >= (cost[to] as number)) return;
      cost[to] = candidate;
      via.set(to, { from, move });
      heap.put(to, candidate, 0);
    };
    cost[start] = 0;
    heap.put(start, 0, 0);
    let isFound = false;
    while (heap.size > 0) {
      const state = heap.pop();
      this.#reached.add(state);
      if (state === target) {
        isFound = true;
        break;
      }
      this.#expand(state, offer);
    }
    if (!isFound) return null;
    const moves: Move[] = [];
    for (let step = via.get(target); step !== undefined; step = via.get(step.from)) {
      if (step.move !== null) moves.push(step.move);
      if (step.from === start) break;
    }
    return moves.reverse();
  }

  #expand(state: number, offer: (from: number, to: number, extra: number, move: Move | null) => void): void {
    const { snapshot, mask, weight } = this.#problem;
    const { arcTo, arcFrom, outStart } = snapshot.data;
    const node = state >> 1;
    const isLeaving = (state & 1) === 1;
    const entered = this.#enteredBy.get(node);
    const isSplit = this.#split.has(node);
    if (entered !== undefined && (!isLeaving || !isSplit)) {
      offer(state, 2 * (arcFrom[entered] as number) + 1, 0, { arc: entered, backwards: true });
    }
    if (!isLeaving) return;
    if (isSplit) offer(state, 2 * node, 0, null);
    const end = outStart[node + 1] as number;
    this.#budget.spend(end - (outStart[node] as number));
    for (let arc = outStart[node] as number; arc < end; arc++) {
      const to = arcTo[arc] as number;
      if (mask[arc] === 0 || this.#taken.has(arc) || this.#potential[to] === Infinity) continue;
      const reduced = (weight[arc] as number) - (this.#potential[node] as number) + (this.#potential[to] as number);
      offer(state, this.#split.has(to) ? 2 * to : 2 * to + 1, reduced, { arc, backwards: false });
    }
  }

  /** After a failed search: where the first path leaves what the second could reach. */
  cut(): { readonly nodes: readonly number[]; readonly arcs: readonly number[] } {
    const { arcFrom, arcTo } = this.#problem.snapshot.data;
    const nodes: number[] = [];
    const arcs: number[] = [];
    for (const arc of this.#first.arcs) {
      const from = arcFrom[arc] as number;
      const to = arcTo[arc] as number;
      const isEntered = this.#reached.has(this.#split.has(to) ? 2 * to : 2 * to + 1);
      if (this.#reached.has(2 * from + 1) && !isEntered && !this.#shareable.arcs.has(arc)) arcs.push(arc);
      if (this.#split.has(to) && isEntered && !this.#reached.has(2 * to + 1)) nodes.push(to);
    }
    return { nodes, arcs };
  }
}

/** Arcs of both paths together: what the second walks backwards is used by neither. */
function combine(first: readonly number[], second: readonly Move[]): number[] {
  const undone = second.filter((move) => move.backwards).map((move) => move.arc);
  const arcs = [...first];
  for (const arc of undone) arcs.splice(arcs.indexOf(arc), 1);
  return [...arcs, ...second.filter((move) => !move.backwards).map((move) => move.arc)];
}

function separate(problem: SearchProblem, arcs: number[], budget: WorkBudget): readonly [FoundPath, FoundPath] {
  const left = [...arcs].sort((a, b) => a - b);
  const take = (): FoundPath => {
    const path = removeLoops(problem, takePath(problem, left));
    return { arcs: path, cost: sumOver(problem.weight, path) };
  };
  const a = take();
  const b = take();
  budget.spend(arcs.length);
  const isOrdered = a.cost !== b.cost ? a.cost < b.cost : a.arcs.length <= b.arcs.length;
  return isOrdered ? [a, b] : [b, a];
}

/** Takes one path from source to destination out of the arcs, smallest ids first. */
function takePath(problem: SearchProblem, left: number[]): number[] {
  const { arcFrom, arcTo } = problem.snapshot.data;
  const path: number[] = [];
  for (let node = problem.source; node !== problem.destination;) {
    const at = left.findIndex((arc) => arcFrom[arc] === node);
    const [arc] = left.splice(at, 1);
    if (at < 0 || arc === undefined)
      throw new Error('a flow of two units does not arrive: the residual search is wrong');
    path.push(arc);
    node = arcTo[arc] as number;
  }
  return path;
}

/** Arcs of metric zero can leave a loop in a path; it costs nothing and is cut out. */
function removeLoops(problem: SearchProblem, arcs: readonly number[]): number[] {
  const { arcTo } = problem.snapshot.data;
  const path: number[] = [];
  const position = new Map([[problem.source, 0]]);
  for (const arc of arcs) {
    path.push(arc);
    const node = arcTo[arc] as number;
    const before = position.get(node);
    if (before === undefined) {
      position.set(node, path.length);
      continue;
    }
    path.length = before;
    for (const [other, at] of position) if (at > before) position.delete(other);
  }
  return path;
}
