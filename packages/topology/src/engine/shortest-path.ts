import { SearchHeap } from './search-heap.js';
import { layerAfterArc, startState, type FoundPath, type SearchProblem } from './search-problem.js';
import type { WorkBudget } from './work-budget.js';

/** Where a search starts other than at the source, and what it must not touch: the spurs of Yen's algorithm. */
export interface Spur {
  readonly state: number;
  readonly bannedStates: readonly number[];
  /** Arcs not to be taken out of the first state. */
  readonly bannedArcs: ReadonlySet<number>;
}

export interface ShortestPathOptions {
  readonly spur?: Spur;
  /** Lower bound per node of the cost to the destination; consistent. Makes the search A*. */
  readonly toDestination?: Float64Array;
  /** Paths dearer than this are of no interest. */
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

  /** The best path; null when there is none within the limit. */
  find(problem: SearchProblem, budget: WorkBudget, options: ShortestPathOptions = {}): FoundPath | null {
    const { snapshot, weight, mask, include, destination } = problem;
    const { nodeCount } = snapshot;
    const { arcTo, outStart } = snapshot.data;
    this.#prepare(nodeCount * (include.length + 1));
    const query = this.#query;
    const heap = this.#heap;
    const cost = this.#cost;
    const tie = this.#tie;
    const labelled = this.#labelled;
    const closed = this.#closed;
    const { spur, toDestination, limit = Infinity } = options;
    const start = spur?.state ?? startState(problem);
    const target = include.length * nodeCount + destination;
    for (const state of spur?.bannedStates ?? []) closed[state] = query;
    cost[start] = 0;
    tie[start] = 0;
    labelled[start] = query;
    this.#viaArc[start] = -1;
    heap.put(start, toDestination === undefined ? 0 : (toDestination[start % nodeCount] as number), 0);
    let relaxed = 0;
    let found = false;
    while (heap.size > 0 && heap.leastKey <= limit) {
      const state = heap.pop();
      if (state === target) {
        found = true;
        break;
      }
      closed[state] = query;
      const layer = include.length === 0 ? 0 : Math.floor(state / nodeCount);
      const node = state - layer * nodeCount;
      const banned = state === start ? spur?.bannedArcs : undefined;
      const costHere = cost[state] as number;
      const tieHere = tie[state] as number;
      const end = outStart[node + 1] as number;
      for (let arc = outStart[node] as number; arc < end; arc++) {
        if (mask[arc] === 0) continue;
        relaxed++;
        if (banned?.has(arc) === true) continue;
        const to = arcTo[arc] as number;
        const next = include.length === 0 ? to : layerAfterArc(include, layer, arc, to) * nodeCount + to;
        if (closed[next] === query) continue;
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
    heap.clear();
    budget.spend(relaxed);
    return found ? { arcs: this.#arcsTo(target), cost: cost[target] as number } : null;
  }

  /** Was the path that `find` just returned, without include list and lower bounds, the only one of its cost? */
  wasOnlyBest(problem: SearchProblem, path: FoundPath): boolean {
    const { weight, mask, snapshot } = problem;
    const { arcFrom, arcTo, inStart, inArcs } = snapshot.data;
    return path.arcs.every((arc) => {
      const node = arcTo[arc] as number;
      return inArcs.subarray(inStart[node], inStart[node + 1]).every((other) => {
        const from = arcFrom[other] as number;
        const isKnown = other !== arc && mask[other] === 1 && this.#labelled[from] === this.#query;
        return !isKnown || (this.#cost[from] as number) + (weight[other] as number) > (this.#cost[node] as number);
      });
    });
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
    this.#query++;
  }
}
