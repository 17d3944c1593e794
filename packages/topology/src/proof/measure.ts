import type { PathMetrics } from '../model/path-answer.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { WalkState } from './walk.js';

/** Running sums along one branch; NaN once a link's value was unknown. */
export interface Sums {
  readonly igp: number;
  readonly te: number;
  readonly delayUs: number;
  readonly delayVariationUs: number;
  /** Sum of -ln(1 - loss) in whole units of 2^-40: exact, in whatever order branches are summed. */
  readonly lossUnits: number;
  readonly hops: number;
}

const ZERO: Sums = { igp: 0, te: 0, delayUs: 0, delayVariationUs: 0, lossUnits: 0, hops: 0 };

const LOSS_UNITS = 2 ** 40;

export interface Measurement {
  readonly worst: PathMetrics;
  /** The loss of `worst` before it was rounded, as a sum of -ln(1 - loss) in units of 2^-40; NaN when unknown. */
  readonly worstLossUnits: number;
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
  const end = worstEnd ?? ZERO;
  const worstLossUnits = end.lossUnits;
  return { worst: toMetrics(end), worstLossUnits, best: toMetrics(bestEnd ?? ZERO), singlePath, load };
}

function add(snapshot: Snapshot, sums: Sums, arc: number): Sums {
  const { igpMetric, teMetric, delayUs, delayVariationUs, lossPpm } = snapshot.data;
  return {
    igp: sums.igp + (igpMetric[arc] as number),
    te: sums.te + (teMetric[arc] as number),
    delayUs: sums.delayUs + (delayUs[arc] as number),
    delayVariationUs: sums.delayVariationUs + (delayVariationUs[arc] as number),
    lossUnits: sums.lossUnits + lossOf(lossPpm[arc] as number),
    hops: sums.hops + 1,
  };
}

function lossOf(ppm: number): number {
  return Math.round(-Math.log1p(-ppm / 1e6) * LOSS_UNITS);
}

const known = new WeakMap<Snapshot, Float64Array>();

/** `lossUnits` of every arc, for who measures many walks. */
export function lossUnitsOf(snapshot: Snapshot): Float64Array {
  const found = known.get(snapshot) ?? snapshot.data.lossPpm.map(lossOf);
  known.set(snapshot, found);
  return found;
}

/** Takes each sum from the branch where it is worst (or best); Math.max and Math.min keep NaN. */
function merge(known: Sums | undefined, other: Sums, pick: (a: number, b: number) => number): Sums {
  if (known === undefined) return other;
  return {
    igp: pick(known.igp, other.igp),
    te: pick(known.te, other.te),
    delayUs: pick(known.delayUs, other.delayUs),
    delayVariationUs: pick(known.delayVariationUs, other.delayVariationUs),
    lossUnits: pick(known.lossUnits, other.lossUnits),
    hops: pick(known.hops, other.hops),
  };
}

export function toMetrics(sums: Sums): PathMetrics {
  const known = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    igp: sums.igp,
    te: sums.te,
    delayUs: known(sums.delayUs),
    delayVariationUs: known(sums.delayVariationUs),
    lossPpm: known(wholePpm(sums.lossUnits)),
    hops: sums.hops,
  };
}

/** Loss in whole ppm, rounded up; what exceeds a whole number by less than 0.001 ppm is still that number. */
function wholePpm(lossUnits: number): number {
  return Math.max(0, Math.ceil(-Math.expm1(-lossUnits / LOSS_UNITS) * 1e6 - 1e-3));
}
