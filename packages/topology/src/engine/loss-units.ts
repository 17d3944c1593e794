import type { Snapshot } from '../snapshot/snapshot.js';

/**
 * Loss adds up as -ln(1 - p). The search counts it in whole units of 2^-40, so that a sum is exact and does not depend on
 * the order of its links; rounding costs less than a millionth of a ppm per link.
 */
const UNITS = 2 ** 40;

/** A bound counts as kept when it is exceeded by less than this, in ppm: the same allowance that rounding up has. */
const ALLOWANCE_PPM = 1e-3;

const unitsOf = new WeakMap<Snapshot, Float64Array>();

/** Loss per arc in units; NaN where it is unknown, Infinity where nothing arrives. */
export function lossUnits(snapshot: Snapshot): Float64Array {
  const known = unitsOf.get(snapshot);
  if (known !== undefined) return known;
  const units = snapshot.data.lossPpm.map((ppm) => Math.round(-Math.log1p(-ppm / 1e6) * UNITS));
  unitsOf.set(snapshot, units);
  return units;
}

/** What a sum of units is as a loss, 1 - product(1 - p), rounded up to whole ppm. */
export function ppmOfLoss(units: number): number {
  return Math.max(0, Math.ceil(-Math.expm1(-units / UNITS) * 1e6 - ALLOWANCE_PPM));
}

/** The largest sum of units that still shows as a loss of at most `maxPpm`; Infinity from 1,000,000 ppm on. */
export function mostLossUnits(maxPpm: number): number {
  if (maxPpm >= 1e6) return Infinity;
  let units = Math.floor(-Math.log1p(-(maxPpm + ALLOWANCE_PPM) / 1e6) * UNITS);
  // The logarithm and its inverse are rounded each by itself; the bound is where the reported value says it is.
  while (ppmOfLoss(units) > maxPpm) units--;
  while (ppmOfLoss(units + 1) <= maxPpm) units++;
  return units;
}
