import type { Prices } from './prices.js';
import type { RiskConflict } from './conflicts.js';
import type { Route } from './group-member.js';
import { isLess, type GroupValue } from './group-value.js';

/** What a part of the search rules out. Lists per member, sorted. */
export interface Restrictions {
  /** Risks that the member leaves alone. */
  readonly forbidden: readonly (readonly number[])[];
  /** Arcs that it leaves alone because it does not fit there with others. */
  readonly closed: readonly (readonly number[])[];
  /** Meetings that are accepted, by `meetingKey`. */
  readonly permitted: ReadonlySet<string>;
}

export interface SearchNode extends Restrictions {
  readonly routes: readonly Route[];
  /** What routes are the cheapest with; none for lists. */
  readonly prices: Prices;
  /** Nothing in this part is worth less. */
  readonly bound: GroupValue;
  readonly sum: number;
  readonly depth: number;
  /** Which meeting to solve next; null: none, or not looked at yet. */
  readonly conflict: RiskConflict | null;
  readonly isLookedAt: boolean;
}

/** Binary min-heap: by bound, then by sum, then the deeper first, then the older. */
export class NodeQueue {
  readonly #nodes: { readonly node: SearchNode; readonly serial: number }[] = [];
  #serial = 0;

  push(node: SearchNode): void {
    const nodes = this.#nodes;
    const added = { node, serial: this.#serial++ };
    let i = nodes.length;
    nodes.push(added);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = nodes[parent] as typeof added;
      if (!isBefore(added, above)) break;
      nodes[i] = above;
      i = parent;
    }
    nodes[i] = added;
  }

  pop(): SearchNode | undefined {
    const nodes = this.#nodes;
    const first = nodes[0];
    const moved = nodes.pop();
    if (first === undefined || moved === undefined || nodes.length === 0) return first?.node;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= nodes.length) break;
      if (child + 1 < nodes.length && isBefore(nodes[child + 1] as typeof moved, nodes[child] as typeof moved)) child++;
      const below = nodes[child] as typeof moved;
      if (!isBefore(below, moved)) break;
      nodes[i] = below;
      i = child;
    }
    nodes[i] = moved;
    return first.node;
  }
}

interface Queued {
  readonly node: SearchNode;
  readonly serial: number;
}

function isBefore(a: Queued, b: Queued): boolean {
  if (isLess(a.node.bound, b.node.bound)) return true;
  if (isLess(b.node.bound, a.node.bound)) return false;
  if (a.node.sum !== b.node.sum) return a.node.sum < b.node.sum;
  return a.node.depth !== b.node.depth ? a.node.depth > b.node.depth : a.serial < b.serial;
}
