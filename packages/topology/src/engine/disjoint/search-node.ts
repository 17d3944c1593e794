import { BinaryHeap } from '../../spf/binary-heap.js';
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

/** Open parts: by bound, then by sum, then the deeper first, then the older. */
export class NodeQueue {
  readonly #heap = new BinaryHeap(isBefore);
  #serial = 0;

  push(node: SearchNode): void {
    this.#heap.push({ node, serial: this.#serial++ });
  }

  pop(): SearchNode | undefined {
    return this.#heap.pop()?.node;
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
