import type { PathMetrics } from '../model/path-answer.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { WalkState } from './walk.js';

/** Running sums along one branch; NaN once a link's value was unknown. */
interface Sums {
  readonly igp: number;
  readonly te: number;
  readonly delayUs: number;
  readonly delayVariationUs: number;
  /** Share of packets that survive. */
  readonly survival: number;
  readonly hops: number;
}

const ZERO: Sums = { igp: 0, te: 0, delayUs: 0, delayVariationUs: 0, survival: 1, hops: 0 };

export interface Measurement {
  readonly worst: PathMetrics;
  readonly best: PathMetrics;
  readonly singlePath: boolean;
  /** Share of the traffic per arc. */
  readonly load: ReadonlyMap<number, number>;
}

/** Sums metrics, each at its worst and its best, and splits the load, over walked states in walking order. */
export function measureWalk(snapshot: Snapshot, states: readonly WalkState[]): Measurement {
  const worst = new Map<WalkState, Sums>();
  const best = new Map<WalkState, Sums>();
  const share = new Map<WalkState, number>();
  const load = new Map<number, number>();
  let worstEnd: Sums | undefined;
  let bestEnd: Sums | undefined;
  let singlePath = true;
  for (const [i, state] of states.entries()) {
    if (i === 0) share.set(state, 1);
    const here = share.get(state) ?? 0;
    const worstHere = worst.get(state) ?? ZERO;
    const bestHere = best.get(state) ?? ZERO;
    if (state.moves.length === 0) {
      worstEnd = merge(worstEnd, worstHere, Math.max);
      bestEnd = merge(bestEnd, bestHere, Math.min);
    }
    if (state.moves.length > 1) singlePath = false;
    for (const { arc, to } of state.moves) {
      const part = here / state.moves.length;
      share.set(to, (share.get(to) ?? 0) + part);
      if (arc !== null) load.set(arc, (load.get(arc) ?? 0) + part);
      worst.set(to, merge(worst.get(to), arc === null ? worstHere : add(snapshot, worstHere, arc), Math.max));
      best.set(to, merge(best.get(to), arc === null ? bestHere : add(snapshot, bestHere, arc), Math.min));
    }
  }
  return { worst: toMetrics(worstEnd ?? ZERO), best: toMetrics(bestEnd ?? ZERO), singlePath, load };
}

function add(snapshot: Snapshot, sums: Sums, arc: number): Sums {
  const { igpMetric, teMetric, delayUs, delayVariationUs, lossPpm } = snapshot.data;
  return {
    igp: sums.igp + (igpMetric[arc] as number),
    te: sums.te + (teMetric[arc] as number),
    delayUs: sums.delayUs + (delayUs[arc] as number),
    delayVariationUs: sums.delayVariationUs + (delayVariationUs[arc] as number),
    survival: sums.survival * (1 - (lossPpm[arc] as number) / 1e6),
    hops: sums.hops + 1,
  };
}

/** Takes each sum from the branch where it is worst (or best); Math.max and Math.min keep NaN. */
function merge(known: Sums | undefined, other: Sums, pick: (a: number, b: number) => number): Sums {
  if (known === undefined) return other;
  return {
    igp: pick(known.igp, other.igp),
    te: pick(known.te, other.te),
    delayUs: pick(known.delayUs, other.delayUs),
    delayVariationUs: pick(known.delayVariationUs, other.delayVariationUs),
    survival: -pick(-known.survival, -other.survival),
    hops: pick(known.hops, other.hops),
  };
}

function toMetrics(sums: Sums): PathMetrics {
  const known = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    igp: sums.igp,
    te: sums.te,
    delayUs: known(sums.delayUs),
    delayVariationUs: known(sums.delayVariationUs),
    lossPpm: known(wholePpm(sums.survival)),
    hops: sums.hops,
  };
}

/** Rounds up to whole ppm; the small allowance keeps a single link's own value from rounding up to the next. */
export function wholePpm(survival: number): number {
  return Math.max(0, Math.ceil((1 - survival) * 1e6 - 1e-6));
}
