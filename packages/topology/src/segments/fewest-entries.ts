import type { ListSize } from './containers.js';
import { entryLimitsOf } from './entry-limits.js';
import { leavesNoLess, ListGrowth, type BegunList } from './list-growth.js';
import type { EncodingTask, PathSegments, Step } from './path-segments.js';

/** A list begun that has got to some point of the path. */
interface PathLabel extends BegunList {
  /** Per bound: the sum so far, on the worst branch. */
  readonly totals: readonly number[];
  readonly parent: PathLabel | null;
}

/**
 * The list of the fewest entries along a path where SIDs are packed, or where endpoints cannot process any SRH. The fewest SIDs
 * need not make it: a router without C-SIDs breaks a container, two nodes take no more of it than one adjacency, and another SID
 * may be that of a router that can do more. So from point to point all lists begun
 * are kept that none other dominates.
 */
export class FewestEntries {
  readonly #task: EncodingTask;
  readonly #segments: PathSegments;
  readonly #growth: ListGrowth;
  /** By point of the path. */
  readonly #labels: PathLabel[][];
  #best: { readonly label: PathLabel; readonly size: ListSize } | null = null;

  constructor(task: EncodingTask, segments: PathSegments) {
    this.#task = task;
    this.#segments = segments;
    this.#growth = new ListGrowth(task.cSids, entryLimitsOf(task.snapshot), task.encapMode, task.finalSids);
    this.#labels = Array.from({ length: task.arcs.length + 1 }, () => []);
  }

  /** The SIDs in front of the final one; null when no list keeps the bounds. */
  find(): number[] | null {
    const { position: start, origins, totals } = this.#segments.start();
    const root = { ...this.#growth.start(), totals: this.#boundsOf(totals), parent: null };
    if (origins.length === 1) this.#labels[start] = [root];
    else this.#expand(start, origins, [root]);
    for (let position = start; position < this.#labels.length; position++) {
      this.#stay(position);
      this.#expand(position, [this.#segments.nodeAt(position)], this.#labels[position] as PathLabel[]);
    }
    if (this.#best === null) return null;
    const transport: number[] = [];
    for (let label = this.#best.label; label.parent !== null; label = label.parent) transport.push(label.sid);
    return transport.reverse();
  }

  /** Adds SIDs of the router that a list begun has got to, as long as that helps. */
  #stay(position: number): void {
    const steps = this.#segments.stepsInPlace(position);
    const known = this.#labels[position] as PathLabel[];
    for (let added = known; added.length > 0;) {
      const before = new Set(this.#labels[position]);
      for (const step of steps) for (const label of added) if (label.caps !== null) this.#offer(label, step);
      added = (this.#labels[position] as PathLabel[]).filter((label) => !before.has(label));
    }
  }

  #expand(position: number, origins: readonly number[], labels: readonly PathLabel[]): void {
    if (labels.length === 0) return;
    const end = this.#segments.finish(position, origins);
    if (end !== null) for (const label of labels) this.#finish(label, this.#boundsOf(end.worst));
    // One more SID of a router with C-SIDs can spare the entry of one without.
    for (const step of this.#segments.steps(position, origins, true)) {
      for (const label of labels) this.#offer(label, step);
    }
  }

  #finish(label: PathLabel, worst: readonly number[]): void {
    if (!this.#isWithinBounds(sumOf(label.totals, worst))) return;
    const sizes = this.#growth.finish(label);
    if (sizes === null) return;
    const largest = sizes.reduce((a, b) => (isSmaller(a, b) ? b : a));
    if (this.#best === null || isSmaller(largest, this.#best.size)) this.#best = { label, size: largest };
  }

  #offer(parent: PathLabel, { sid, position, worst }: Step): void {
    const totals = sumOf(parent.totals, this.#boundsOf(worst));
    for (const list of this.#growth.with(parent, sid)) this.#keep({ ...list, totals, parent }, position);
  }

  #keep(label: PathLabel, position: number): void {
    const known = this.#labels[position] as PathLabel[];
    if (!this.#isWithinBounds(label.totals) || known.some((other) => dominates(other, label))) return;
    this.#labels[position] = [...known.filter((other) => !dominates(label, other)), label];
  }

  #boundsOf(sums: readonly number[]): readonly number[] {
    return sums.slice(this.#task.kept.length);
  }

  #isWithinBounds(totals: readonly number[]): boolean {
    return this.#task.bounds.every((bound, i) => (totals[i] as number) <= bound.max);
  }
}

function dominates(a: PathLabel, b: PathLabel): boolean {
  return leavesNoLess(a, b) && a.totals.every((total, i) => total <= (b.totals[i] as number));
}

function isSmaller(a: ListSize, b: ListSize): boolean {
  return a.entries !== b.entries ? a.entries < b.entries : a.used < b.used;
}

function sumOf(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + (b[i] as number));
}
