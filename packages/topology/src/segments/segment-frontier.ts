import { leavesNoLess, type BegunList } from './list-growth.js';
import type { SegmentStop } from './segment-search.js';

/** A list begun: its packets are all at `node`, whatever branches they took. */
export interface SegmentLabel extends BegunList {
  readonly node: number;
  /** Include entries that every branch has passed. */
  readonly layer: number;
  /** On the worst branch: the optimised metric, then each bounded one. */
  readonly sums: readonly number[];
  readonly stop: SegmentStop | null;
  readonly parent: SegmentLabel | null;
  readonly isFinished: boolean;
  /** Least cost that any completion can have. */
  readonly estimate: number;
  readonly serial: number;
  isDominated: boolean;
}

/** Open labels in the order of the search; of those at the same place only the ones that none other dominates. */
export class SegmentFrontier {
  readonly #isBefore: (a: SegmentLabel, b: SegmentLabel) => boolean;
  readonly #heap: SegmentLabel[] = [];
  readonly #known = new Map<number, SegmentLabel[]>();
  #serial = 0;

  constructor(order: 'cost' | 'entries') {
    this.#isBefore = order === 'cost' ? isCheaper : isShorter;
  }

  /** Labels with the same key are at the same place. */
  offer(key: number, label: Omit<SegmentLabel, 'isDominated' | 'estimate' | 'serial'>, estimate: number): void {
    const known = this.#known.get(key) ?? [];
    if (known.some((other) => dominates(other, label))) return;
    const added: SegmentLabel = { ...label, estimate, serial: this.#serial++, isDominated: false };
    const kept = known.filter((other) => {
      other.isDominated = dominates(added, other);
      return !other.isDominated;
    });
    kept.push(added);
    this.#known.set(key, kept);
    this.#push(added);
  }

  /** The next label, perhaps one that is dominated by now. */
  pop(): SegmentLabel | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] as SegmentLabel, heap[child] as SegmentLabel))
        child++;
      const below = heap[child] as SegmentLabel;
      if (!this.#isBefore(below, moved)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = moved;
    return first;
  }

  /** The best list that was found already, though it has not had its turn. */
  bestFinished(): SegmentLabel | undefined {
    const finished = this.#heap.filter((label) => label.isFinished && !label.isDominated);
    return finished.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1))[0];
  }

  #push(label: SegmentLabel): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(label);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as SegmentLabel;
      if (!this.#isBefore(label, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = label;
  }
}

type Measured = BegunList & Pick<SegmentLabel, 'sums'>;

function dominates(a: Measured, b: Measured): boolean {
  return leavesNoLess(a, b) && a.sums.every((sum, i) => sum <= (b.sums[i] as number));
}

function isCheaper(a: SegmentLabel, b: SegmentLabel): boolean {
  if (a.estimate !== b.estimate) return a.estimate < b.estimate;
  return compareSizes(a, b) !== 0 ? compareSizes(a, b) < 0 : a.serial < b.serial;
}

function isShorter(a: SegmentLabel, b: SegmentLabel): boolean {
  if (a.size.entries !== b.size.entries) return a.size.entries < b.size.entries;
  if (a.estimate !== b.estimate) return a.estimate < b.estimate;
  return compareSizes(a, b) !== 0 ? compareSizes(a, b) < 0 : a.serial < b.serial;
}

function compareSizes({ size: a }: SegmentLabel, { size: b }: SegmentLabel): number {
  return a.entries - b.entries || a.used - b.used;
}
