import { hostLinks } from '../../segments/host-links.js';
import type { CostRow, SegmentCosts } from '../../segments/segment-costs.js';
import type { Ending } from './endings.js';
import type { SharedList } from './shared-lists.js';

export interface LimitedListTask {
  readonly costs: SegmentCosts;
  /** Where packets are before the first SID, and what they have cost until there. */
  readonly start: number;
  readonly startCost: number;
  readonly maxEntries: number;
  /** Destinations whose lists are sought. */
  readonly endings: readonly Ending[];
  /** Called between routers; it may throw. */
  readonly checkpoint: () => void;
}

/** The list that costs least of those that the headend can push, and has the fewest entries of these. */
export interface LimitedList extends SharedList {
  readonly cost: number;
}

interface Finish {
  cost: number;
  entries: number;
  /** The list begun that the final SIDs complete. */
  list: number;
}

/**
 * Where the headend cannot push what keeps packets on best paths: the least cost of reaching each node with at most so many SIDs,
 * one SID after the other over the SR graph, for all destinations at once (as BEST2COP does, with one metric). Each SID takes an
 * entry of its own: for networks without C-SIDs.
 */
export class LimitedLists {
  readonly #task: LimitedListTask;
  /** Lists begun, in parallel arrays by number. */
  readonly #node: number[] = [];
  readonly #sid: number[] = [];
  readonly #parent: number[] = [];
  /** By node: the least cost with the SIDs so far, and the list begun that has it. */
  readonly #cost: Float64Array;
  readonly #listAt: Int32Array;
  readonly #finished = new Map<number, Finish>();

  constructor(task: LimitedListTask) {
    const { nodeCount } = task.costs.rules.snapshot;
    this.#task = task;
    this.#cost = new Float64Array(nodeCount).fill(Infinity);
    this.#listAt = new Int32Array(nodeCount).fill(-1);
  }

  run(): void {
    const { start, startCost, maxEntries } = this.#task;
    this.#cost[start] = startCost;
    this.#begin(start, -1, -1);
    let improved = [start];
    for (let entries = 1; entries <= maxEntries && improved.length > 0; entries++) {
      this.#finishAll(improved, entries);
      if (entries < maxEntries) improved = this.#addSid(improved);
    }
  }

  /** null: there is none. */
  to(destination: number): LimitedList | null {
    const finish = this.#finished.get(destination);
    if (finish === undefined) return null;
    const transport: number[] = [];
    for (let list = finish.list; list >= 0; list = this.#parent[list] as number) {
      if ((this.#sid[list] as number) >= 0) transport.push(this.#sid[list] as number);
    }
    return { transport: transport.reverse(), entries: finish.entries, cost: finish.cost };
  }

  #begin(node: number, sid: number, parent: number): void {
    this.#listAt[node] = this.#node.push(node) - 1;
    this.#sid.push(sid);
    this.#parent.push(parent);
  }

  /** One SID more behind the lists that have become better; returns the nodes that they get to at less cost. */
  #addSid(improved: readonly number[]): number[] {
    const { costs, checkpoint } = this.#task;
    const { snapshot } = costs.rules;
    const next = this.#cost.slice();
    const from = new Int32Array(next.length).fill(-1);
    for (const node of improved) {
      checkpoint();
      if (snapshot.isHost(node)) continue;
      const here = this.#cost[node] as number;
      const { cost } = costs.from(node);
      for (let to = 0; to < next.length; to++) {
        const sum = here + (cost[to] as number);
        if (sum >= (next[to] as number)) continue;
        next[to] = sum;
        from[to] = node;
      }
    }
    const reached: { readonly to: number; readonly sid: number; readonly parent: number }[] = [];
    from.forEach((node, to) => {
      if (node < 0) return;
      const { sid } = costs.from(node);
      reached.push({ to, sid: sid[to] as number, parent: this.#listAt[node] as number });
    });
    for (const { to, sid, parent } of reached) this.#begin(to, sid, parent);
    this.#cost.set(next);
    return reached.map(({ to }) => to);
  }

  /** Ends the lists that have become better at every destination. */
  #finishAll(improved: readonly number[], entries: number): void {
    const { costs, endings, checkpoint } = this.#task;
    const { snapshot } = costs.rules;
    for (const node of improved) {
      checkpoint();
      const row = snapshot.isHost(node) ? null : costs.from(node);
      const here = this.#cost[node] as number;
      for (const ending of endings) {
        const rest = ending.node === node ? 0 : row === null ? Infinity : this.#deliver(node, row, ending);
        const cost = here + rest;
        const known = this.#finished.get(ending.node);
        if (cost === Infinity || (known !== undefined && cost >= known.cost)) continue;
        this.#finished.set(ending.node, { cost, entries, list: this.#listAt[node] as number });
      }
    }
  }

  /** What the final SIDs cost from a router. */
  #deliver(router: number, { reach }: CostRow, { node, route }: Ending): number {
    if (route?.kind === 'igp') return reach.get(route.algorithm)?.[node] ?? Infinity;
    if (route?.kind !== 'attachment') return Infinity;
    const { snapshot, allowed, singlePath, weight } = this.#task.costs.rules;
    const links = hostLinks(snapshot, router, node, route.others);
    if (links.length === 0 || links.some((arc) => allowed[arc] === 0) || (singlePath && links.length > 1)) {
      return Infinity;
    }
    return Math.max(...links.map((arc) => weight[arc] as number));
  }
}
