import { BinaryHeap } from '../spf/binary-heap.js';
import { leavesNoLess, type BegunList } from './list-growth.js';
import type { SegmentStop } from './segment-stop.js';

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
  readonly #heap: BinaryHeap<SegmentLabel>;
  readonly #known = new Map<number, SegmentLabel[]>();
  #serial = 0;

  constructor(order: 'cost' | 'entries') {
    this.#isBefore = order === 'cost' ? isCheaper : isShorter;
    this.#heap = new BinaryHeap(this.#isBefore);
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
    this.#heap.push(added);
  }

  /** The next label, perhaps one that is dominated by now. */
  pop(): SegmentLabel | undefined {
    return this.#heap.pop();
  }

  /** The best list that was found already, though it has not had its turn. */
  bestFinished(): SegmentLabel | undefined {
    const finished = this.#heap.items.filter((label) => label.isFinished && !label.isDominated);
    return finished.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1))[0];
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
