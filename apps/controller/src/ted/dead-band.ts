import type { LinkAttributes, SetAttributes } from './ted-rows.js';

/**
 * Measurements move all the time; a revision for every tremor would freeze a snapshot and wake the path computation for
 * nothing. A value is believed anew only when it differs from the believed one by more than both of these. The
 * comparison is with what is believed, not with the last measurement, so a slow drift gets through.
 */
const deadBands = {
  delayUs: { absolute: 100, relative: 0.05 },
  delayMinUs: { absolute: 100, relative: 0.05 },
  delayMaxUs: { absolute: 100, relative: 0.05 },
  delayVariationUs: { absolute: 100, relative: 0.05 },
  lossPpm: { absolute: 100, relative: 0.1 },
  bandwidthBps: { absolute: 0, relative: 0.01 },
} as const;

export type MeasuredName = keyof typeof deadBands;

export const measuredNames = Object.keys(deadBands) as readonly MeasuredName[];

/** What was measured: null says that the value is not known any more, undefined says nothing. */
export type Measurement = { readonly [Name in MeasuredName]?: number | null };

/** True when at least one value has left the dead-band around what is believed. */
export function isSignificant(believed: SetAttributes<LinkAttributes>, measurement: Measurement): boolean {
  return measuredNames.some((name) => {
    const after = measurement[name];
    if (after === undefined) return false;
    const before = believed[name];
    if (before === undefined || after === null) return before !== (after ?? undefined);
    const { absolute, relative } = deadBands[name];
    return Math.abs(after - before) > Math.max(absolute, before * relative);
  });
}
