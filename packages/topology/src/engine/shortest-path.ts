import { PlainSearch } from './plain-search.js';
import { SearchHeap } from './search-heap.js';
import { layerAfterArc, MISSED, startState, type FoundPath, type SearchProblem } from './search-problem.js';
import { RELAXATION, type WorkBudget } from './work-budget.js';

/** Where a search starts other than at the source, and what it must not touch: the spurs of Yen's algorithm. */
export interface Spur {
  readonly state: number;
  readonly bannedStates: readonly number[];
  /** Arcs not to be taken out of the first state. */
  readonly bannedArcs: ReadonlySet<number>;
}

export interface FoundPathWithTies extends FoundPath {
  readonly optimalArcs: ReadonlySet<number>;
}

export interface ShortestPathOptions {
  readonly spur?: Spur;
  /** Lower bound per node of the cost to the destination; consistent. Makes the search A*. */
  readonly toDestination?: Float64Array;
  /** Paths that cost more are of no interest. */
  readonly limit?: number;
}

/**
 * Dijkstra (A* with lower bounds) on the CSR with an indexed heap, reused between queries: marks carry the number of the
 * query that set them, so nothing is reset. Of equal paths it finds the one of the least tie value, then of the smallest
 * arcs into each node counted from the destination: independent of the order in which the heap meets them.
 */
export class ShortestPathSearch {
  #capacity = 0;
  #heap = new SearchHeap(0);
  #cost = new Float64Array(0);
  #tie = new Float64Array(0);
  #viaArc = new Int32Array(0);
  #fromState = new Int32Array(0);
  #labelled = new Uint32Array(0);
  #closed = new Uint32Array(0);
  #query = 0;
  #plain: PlainSearch | undefined;

  /**
   * The best path, and every arc of every path of the same cost, in no order; null when there is none. The weights must be whole
   * numbers. Without an include list it costs the budget one look at each link, whatever the search makes of it.
   */
  findWithTies(problem: SearchProblem, budget: WorkBudget): FoundPathWithTies | null {
    const { snapshot, include } = problem;
    if (include.length > 0) {
      const found = this.find(problem, budget);
      return found && { ...found, optimalArcs: this.#optimalArcs(problem, budget) };
    }
    this.#plain ??= new PlainSearch(snapshot);
    const shortest = this.#plain.find(problem);
    budget.spend(snapshot.arcCount * RELAXATION);
    if (shortest === null) return null;
    const optimal = new Uint8Array(snapshot.arcCount);
    for (const arc of shortest.arcs) optimal[arc] = 1;
    const first = this.find({ ...problem, mask: optimal }, budget);
    return first && { ...first, optimalArcs: new Set(shortest.arcs) };
  }

  /** The best path; null when there is none. */
  find(problem: SearchProblem, budget: WorkBudget, options: ShortestPathOptions = {}): FoundPath | null {
    const { snapshot, include, destination } = problem;
    const { nodeCount } = snapshot;
    this.#prepare(nodeCount * (include.length + 1));
    const { spur, toDestination } = options;
    const start = spur?.state ?? startState(problem);
    const target = include.length * nodeCount + destination;
    for (const state of spur?.bannedStates ?? []) this.#closed[state] = this.#query;
    this.#cost[start] = 0;
    this.#tie[start] = 0;
    this.#labelled[start] = this.#query;
    this.#viaArc[start] = -1;
    this.#heap.put(start, toDestination === undefined ? 0 : (toDestination[start % nodeCount] as number), 0);
    const isFound = this.#settle(problem, budget, options, options.limit ?? Infinity, target);
    return isFound ? { arcs: this.#arcsTo(target), cost: this.#cost[target] as number } : null;
  }

  /** After `find` without options returned a path: every arc of every path of the same cost, in no order. */
  #optimalArcs(problem: SearchProblem, budget: WorkBudget): ReadonlySet<number> {
    const { snapshot, weight, mask, include, destination } = problem;
    const { nodeCount } = snapshot;
    const { arcFrom, arcTo, inStart, inArcs } = snapshot.data;
    const target = include.length * nodeCount + destination;
    const best = this.#cost[target] as number;
    // What is as far away as the target can be on the way to it over arcs of weight zero.
    this.#settle(problem, budget, {}, best, -1);
    const arcs = new Set<number>();
    const states = new Set([target]);
    let looked = 0;
    for (const state of states) {
      const layer = Math.floor(state / nodeCount);
      const node = state - layer * nodeCount;
      const here = this.#cost[state] as number;
      const end = inStart[node + 1] as number;
      looked += end - (inStart[node] as number);
      for (let i = inStart[node] as number; i < end; i++) {
        const arc = inArcs[i] as number;
        if (mask[arc] === 0) continue;
        for (let from = 0; from <= include.length; from++) {
          const before = from * nodeCount + (arcFrom[arc] as number);
          const isTight =
            this.#labelled[before] === this.#query && (this.#cost[before] as number) + (weight[arc] as number) === here;
          if (!isTight || layerAfterArc(include, from, arc, arcTo[arc] as number) !== layer) continue;
          arcs.add(arc);
          states.add(before);
        }
      }
    }
    budget.spend(looked * RELAXATION);
    return arcs;
  }

  /** Settles states up to and including a key, or until the target is settled (-1: none); true when it is. */
  #settle(
    problem: SearchProblem,
    budget: WorkBudget,
    options: ShortestPathOptions,
    limit: number,
    target: number,
  ): boolean {
    const { snapshot, weight, mask, include } = problem;
    const { nodeCount } = snapshot;
    const { arcTo, outStart } = snapshot.data;
    const { spur, toDestination } = options;
    const query = this.#query;
    const heap = this.#heap;
    const cost = this.#cost;
    const tie = this.#tie;
    const labelled = this.#labelled;
    const closed = this.#closed;
    let relaxed = 0;
    let isFound = false;
    while (heap.size > 0 && heap.leastKey <= limit) {
      const state = heap.pop();
      closed[state] = query;
      if (state === target) {
        isFound = true;
        break;
      }
      const layer = include.length === 0 ? 0 : Math.floor(state / nodeCount);
      const node = state - layer * nodeCount;
      const banned = state === spur?.state ? spur.bannedArcs : undefined;
      const costHere = cost[state] as number;
      const tieHere = tie[state] as number;
      const end = outStart[node + 1] as number;
      for (let arc = outStart[node] as number; arc < end; arc++) {
        if (mask[arc] === 0) continue;
        relaxed++;
        if (banned?.has(arc) === true) continue;
        const to = arcTo[arc] as number;
        const nextLayer = include.length === 0 ? 0 : layerAfterArc(include, layer, arc, to);
        const next = nextLayer * nodeCount + to;
        if (nextLayer === MISSED || closed[next] === query) continue;
        const nextCost = costHere + (weight[arc] as number);
        const nextTie = tieHere + (problem.tie[arc] as number);
        if (labelled[next] === query) {
          const known = cost[next] as number;
          if (nextCost > known) continue;
          if (nextCost === known) {
            const knownTie = tie[next] as number;
            if (nextTie > knownTie || (nextTie === knownTie && arc > (this.#viaArc[next] as number))) continue;
          }
        }
        const key = toDestination === undefined ? nextCost : nextCost + (toDestination[to] as number);
        if (!(key <= limit)) continue;
        labelled[next] = query;
        cost[next] = nextCost;
        tie[next] = nextTie;
        this.#viaArc[next] = arc;
        this.#fromState[next] = state;
        heap.put(next, key, nextTie);
      }
    }
    budget.spend(relaxed * RELAXATION);
    return isFound;
  }

  #arcsTo(target: number): number[] {
    const arcs: number[] = [];
    for (let state = target; this.#viaArc[state] !== -1; state = this.#fromState[state] as number) {
      arcs.push(this.#viaArc[state] as number);
    }
    return arcs.reverse();
  }

  #prepare(states: number): void {
    if (states > this.#capacity || this.#query === 0xffffffff) {
      this.#capacity = states;
      this.#heap = new SearchHeap(states);
      this.#cost = new Float64Array(states);
      this.#tie = new Float64Array(states);
      this.#viaArc = new Int32Array(states);
      this.#fromState = new Int32Array(states);
      this.#labelled = new Uint32Array(states);
      this.#closed = new Uint32Array(states);
      this.#query = 0;
    }
    this.#heap.clear();
    this.#query++;
  }
}
