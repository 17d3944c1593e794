import type { Snapshot } from '../../snapshot/snapshot.js';
import { reverseDistances } from '../reverse-distances.js';
import { SearchHeap } from '../search-heap.js';
import type { WorkBudget } from '../work-budget.js';

/** Paths from a list of sources to a list of sinks, as many as there are of each; which source goes where is free. */
export interface FlowTask {
  readonly snapshot: Snapshot;
  readonly mask: Uint8Array;
  readonly weight: Float64Array;
  readonly sources: readonly number[];
  readonly sinks: readonly number[];
  /** May at most one path pass the node? */
  readonly isNarrow: (node: number) => boolean;
  /** Arcs that any number of paths may cross. */
  readonly wide: ReadonlySet<number>;
  /** What the m-th path over any other arc costs more than the one before; Infinity: one path only. */
  readonly surcharge: number;
}

export type Flow =
  | {
      readonly kind: 'flow';
      /** Source to sink each, without loops; null unless all have the same source and the same sink. */
      readonly paths: readonly (readonly number[])[] | null;
      readonly total: number;
      /**
       * Shadow prices of what only one path may use: with them added to the weights, shortest paths cost together what the
       * flow costs plus all prices. Empty with a surcharge.
       */
      readonly arcPrices: ReadonlyMap<number, number>;
      readonly nodePrices: ReadonlyMap<number, number>;
    }
  /** Only so many paths can pass these nodes and arcs, each of which takes one, and more would have to. */
  | {
      readonly kind: 'cut';
      readonly nodes: readonly number[];
      readonly arcs: readonly number[];
      /** 1 for nodes that are entered, and for those that are left, on the sources' side of the cut. */
      readonly isEntered: Uint8Array;
      readonly isBefore: Uint8Array;
    };

/**
 * Disjoint paths of the least sum: min-cost flow by successive shortest paths, one per unit, on the residual graph with
 * nodes split into an entering and a leaving half (Suurballe and Tarjan 1984, Bhandari 1999). Opposite uses of a link
 * cancel out. When a unit cannot be sent, what the search reached ends at a minimum cut.
 */
export function disjointFlow(task: FlowTask, budget: WorkBudget): Flow {
  return new FlowSearch(task, budget).run();
}

/** How a state was reached: over an arc, forwards or against its use, or within a node, or out of a source. */
const Via = { Forward: 0, Backward: 1, Through: 2, Undone: 3, Source: 4 } as const;

class FlowSearch {
  readonly #task: FlowTask;
  readonly #budget: WorkBudget;
  readonly #start: number;
  readonly #target: number;
  readonly #arcFlow: Int32Array;
  /** Paths through the narrow or wide middle of a node. */
  readonly #nodeFlow: Int32Array;
  readonly #sourceLeft = new Map<number, number>();
  readonly #sinkLeft = new Map<number, number>();
  readonly #potential: Float64Array;
  readonly #cost: Float64Array;
  readonly #isSettled: Uint8Array;
  readonly #viaKind: Uint8Array;
  readonly #viaState: Int32Array;
  /** The arc, or the node that was passed or left. */
  readonly #viaArc: Int32Array;
  readonly #heap: SearchHeap;

  constructor(task: FlowTask, budget: WorkBudget) {
    const { snapshot } = task;
    this.#task = task;
    this.#budget = budget;
    this.#start = 2 * snapshot.nodeCount;
    this.#target = this.#start + 1;
    this.#arcFlow = new Int32Array(snapshot.arcCount);
    this.#nodeFlow = new Int32Array(snapshot.nodeCount);
    for (const node of task.sources) this.#sourceLeft.set(node, (this.#sourceLeft.get(node) ?? 0) + 1);
    for (const node of task.sinks) this.#sinkLeft.set(node, (this.#sinkLeft.get(node) ?? 0) + 1);
    this.#potential = new Float64Array(this.#target + 1);
    this.#cost = new Float64Array(this.#target + 1);
    this.#isSettled = new Uint8Array(this.#target + 1);
    this.#viaKind = new Uint8Array(this.#target + 1);
    this.#viaState = new Int32Array(this.#target + 1);
    this.#viaArc = new Int32Array(this.#target + 1);
    this.#heap = new SearchHeap(this.#target + 1);
    this.#lookAhead();
  }

  /** Where all paths end at one node, the distances to it as first potentials lead the searches straight there. */
  #lookAhead(): void {
    const { snapshot, mask, weight, sources, sinks } = this.#task;
    const [destination] = sinks;
    if (destination === undefined || sinks.some((node) => node !== destination)) return;
    const distances = reverseDistances({ snapshot, mask, destination }, weight, this.#budget);
    const farthest = distances.reduce((most, value) => (value < Infinity ? Math.max(most, value) : most), 0);
    const potential = this.#potential;
    distances.forEach((value, node) => {
      potential[2 * node] = -Math.min(value, farthest);
      potential[2 * node + 1] = -Math.min(value, farthest);
    });
    potential[this.#start] = Math.max(...sources.map((node) => potential[2 * node] as number));
  }

  run(): Flow {
    for (let unit = 0; unit < this.#task.sources.length; unit++) {
      if (!this.#findUnit()) return this.#cut();
      this.#send();
    }
    const prices = this.#prices();
    this.#cancelOpposites();
    const paths = this.#takePaths();
    const total = this.#total();
    return { kind: 'flow', paths, total, ...prices };
  }

  /** What is used up costs as much more as its reduced cost is below zero. */
  #prices(): { readonly arcPrices: Map<number, number>; readonly nodePrices: Map<number, number> } {
    const { snapshot, weight, wide, isNarrow, surcharge } = this.#task;
    const { arcFrom, arcTo } = snapshot.data;
    const potential = this.#potential;
    const rise = (from: number, to: number) => (potential[to] as number) - (potential[from] as number);
    const arcPrices = new Map<number, number>();
    const nodePrices = new Map<number, number>();
    if (surcharge < Infinity) return { arcPrices, nodePrices };
    this.#arcFlow.forEach((flow, arc) => {
      if (flow === 0 || wide.has(arc)) return;
      const [from, to] = [2 * (arcFrom[arc] as number) + 1, 2 * (arcTo[arc] as number)];
      const price = rise(from, to) - (weight[arc] as number);
      if (price > 0) arcPrices.set(arc, price);
    });
    this.#nodeFlow.forEach((flow, node) => {
      if (flow === 0 || !isNarrow(node)) return;
      const price = rise(2 * node, 2 * node + 1);
      if (price > 0) nodePrices.set(node, price);
    });
    return { arcPrices, nodePrices };
  }

  /** Dijkstra on reduced costs; potentials are raised by no more than the target's distance. */
  #findUnit(): boolean {
    const { snapshot } = this.#task;
    const cost = this.#cost.fill(Infinity);
    this.#isSettled.fill(0);
    this.#heap.clear();
    cost[this.#start] = 0;
    this.#heap.put(this.#start, 0, 0);
    let isFound = false;
    while (this.#heap.size > 0) {
      const state = this.#heap.pop();
      this.#isSettled[state] = 1;
      if (state === this.#target) {
        isFound = true;
        break;
      }
      if (state === this.#start) this.#leaveStart();
      else if (state % 2 === 0) this.#expandEntering(state / 2);
      else this.#expandLeaving((state - 1) / 2);
    }
    if (!isFound) return false;
    const distance = cost[this.#target] as number;
    const potential = this.#potential;
    for (let state = 0; state < potential.length; state++) {
      potential[state] = (potential[state] as number) + Math.min(distance, cost[state] as number);
    }
    this.#budget.spend(snapshot.nodeCount);
    return true;
  }

  #offer(from: number, to: number, price: number, kind: number, arc: number): void {
    if (this.#isSettled[to] === 1) return;
    const reduced = price + (this.#potential[from] as number) - (this.#potential[to] as number);
    // Rounding of metrics that are not whole numbers may leave a hair below zero.
    const candidate = (this.#cost[from] as number) + Math.max(0, reduced);
    if (candidate >= (this.#cost[to] as number)) return;
    this.#cost[to] = candidate;
    this.#viaState[to] = from;
    this.#viaKind[to] = kind;
    this.#viaArc[to] = arc;
    this.#heap.put(to, candidate, 0);
  }

  #leaveStart(): void {
    for (const [node, left] of this.#sourceLeft) if (left > 0) this.#offer(this.#start, 2 * node, 0, Via.Source, node);
  }

  #expandEntering(node: number): void {
    const { snapshot, isNarrow } = this.#task;
    const { arcFrom, inStart, inArcs } = snapshot.data;
    const state = 2 * node;
    if (this.#nodeFlow[node] === 0 || !isNarrow(node)) this.#offer(state, state + 1, 0, Via.Through, node);
    const end = inStart[node + 1] as number;
    this.#budget.spend(end - (inStart[node] as number));
    for (let i = inStart[node] as number; i < end; i++) {
      const arc = inArcs[i] as number;
      const flow = this.#arcFlow[arc] as number;
      if (flow > 0) this.#offer(state, 2 * (arcFrom[arc] as number) + 1, -this.#price(arc, flow), Via.Backward, arc);
    }
  }

  #expandLeaving(node: number): void {
    const { snapshot, mask } = this.#task;
    const { arcTo, outStart } = snapshot.data;
    const state = 2 * node + 1;
    if ((this.#sinkLeft.get(node) ?? 0) > 0) this.#offer(state, this.#target, 0, Via.Forward, -1);
    if ((this.#nodeFlow[node] as number) > 0) this.#offer(state, 2 * node, 0, Via.Undone, node);
    const end = outStart[node + 1] as number;
    this.#budget.spend(end - (outStart[node] as number));
    for (let arc = outStart[node] as number; arc < end; arc++) {
      const price = mask[arc] === 0 ? Infinity : this.#price(arc, (this.#arcFlow[arc] as number) + 1);
      if (price < Infinity) this.#offer(state, 2 * (arcTo[arc] as number), price, Via.Forward, arc);
    }
  }

  /** What the n-th path over an arc costs. */
  #price(arc: number, n: number): number {
    const { weight, wide, surcharge } = this.#task;
    const price = weight[arc] as number;
    return n === 1 || wide.has(arc) ? price : price + (n - 1) * surcharge;
  }

  #send(): void {
    const add = (flow: Int32Array, index: number, change: number) => (flow[index] = (flow[index] as number) + change);
    for (let state = this.#target; state !== this.#start;) {
      const kind = this.#viaKind[state] as number;
      const arc = this.#viaArc[state] as number;
      const from = this.#viaState[state] as number;
      if (kind === Via.Source) this.#sourceLeft.set(arc, (this.#sourceLeft.get(arc) as number) - 1);
      else if (kind === Via.Through) add(this.#nodeFlow, arc, 1);
      else if (kind === Via.Undone) add(this.#nodeFlow, arc, -1);
      else if (kind === Via.Backward) add(this.#arcFlow, arc, -1);
      else if (arc >= 0) add(this.#arcFlow, arc, 1);
      else {
        const node = (from - 1) / 2;
        this.#sinkLeft.set(node, (this.#sinkLeft.get(node) as number) - 1);
      }
      state = from;
    }
  }

  #cut(): Flow {
    const { snapshot, mask, wide } = this.#task;
    const { arcFrom, arcTo } = snapshot.data;
    const settled = this.#isSettled;
    const nodes: number[] = [];
    const arcs: number[] = [];
    const isEntered = new Uint8Array(snapshot.nodeCount);
    const isBefore = new Uint8Array(snapshot.nodeCount);
    for (let node = 0; node < snapshot.nodeCount; node++) {
      isEntered[node] = settled[2 * node] as number;
      isBefore[node] = settled[2 * node + 1] as number;
      if (settled[2 * node] === 1 && settled[2 * node + 1] === 0) nodes.push(node);
    }
    for (let arc = 0; arc < snapshot.arcCount; arc++) {
      const leaves = settled[2 * (arcFrom[arc] as number) + 1] === 1 && settled[2 * (arcTo[arc] as number)] === 0;
      if (leaves && mask[arc] === 1 && !wide.has(arc)) arcs.push(arc);
    }
    return { kind: 'cut', nodes, arcs, isEntered, isBefore };
  }

  #cancelOpposites(): void {
    const flow = this.#arcFlow;
    for (let arc = 0; arc < flow.length; arc++) {
      const reverse = this.#task.snapshot.reverseOf(arc);
      if (reverse < arc) continue;
      const both = Math.min(flow[arc] as number, flow[reverse] as number);
      flow[arc] = (flow[arc] as number) - both;
      flow[reverse] = (flow[reverse] as number) - both;
    }
  }

  #total(): number {
    const flow = this.#arcFlow;
    let total = 0;
    for (let arc = 0; arc < flow.length; arc++) {
      for (let n = 1; n <= (flow[arc] as number); n++) total += this.#price(arc, n);
    }
    return total;
  }

  /** Walks from the common source along the flow, smallest arcs first; loops, which cost nothing, are left out. */
  #takePaths(): number[][] | null {
    const { snapshot, sources, sinks } = this.#task;
    const { arcTo } = snapshot.data;
    const [source] = sources;
    const [sink] = sinks;
    if (source === undefined || sources.some((node) => node !== source) || sinks.some((node) => node !== sink))
      return null;
    const left = this.#arcFlow.slice();
    return sources.map(() => {
      const path: number[] = [];
      const visited = [source];
      for (let node = source; node !== sink;) {
        const arc = snapshot.linksOf(node).find((candidate) => (left[candidate] as number) > 0);
        if (arc === undefined) throw new Error('a flow does not arrive: the residual search is wrong');
        left[arc] = (left[arc] as number) - 1;
        node = arcTo[arc] as number;
        const before = visited.indexOf(node);
        if (before < 0) {
          path.push(arc);
          visited.push(node);
        } else {
          path.length = before;
          visited.length = before + 1;
        }
      }
      return path;
    });
  }
}
