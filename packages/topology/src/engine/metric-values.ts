import type { MetricBound, MetricType } from '../model/path-request.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { engineState } from './engine-state.js';
import { lossUnits, mostLossUnits, ppmOfLoss } from './loss-units.js';
import type { CompiledBound } from './search-problem.js';

/** What the search sums for a metric, per arc: its own unit, but loss in units of the logarithm. NaN: unknown. */
export function weightOf(snapshot: Snapshot, metric: MetricType): Float64Array {
  switch (metric) {
    case 'igp':
      return snapshot.data.igpMetric;
    case 'te':
      return snapshot.data.teMetric;
    case 'delay':
      return snapshot.data.delayUs;
    case 'delay-variation':
      return snapshot.data.delayVariationUs;
    case 'loss':
      return lossUnits(snapshot);
    case 'hop':
      return engineState(snapshot).hop;
  }
}

/** A sum of the search as an operator reads it: in the unit of the metric. Keeps the order of sums. */
export function reportedValue(metric: MetricType, sum: number): number {
  return metric === 'loss' ? ppmOfLoss(sum) : sum;
}

/** `max` is the largest sum whose reported value keeps the bound. */
export function compileBound(snapshot: Snapshot, bound: MetricBound): CompiledBound {
  const max = bound.metric === 'loss' ? mostLossUnits(bound.max) : bound.max;
  return { weight: weightOf(snapshot, bound.metric), max };
}
