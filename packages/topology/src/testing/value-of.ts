import { metricOf } from '../model/metric-of.js';
import type { PathMetrics } from '../model/path-answer.js';
import type { MetricType } from '../model/path-request.js';

/** A metric to compare by: Infinity where it is unknown, and where a link loses everything, whose loss cannot be small. */
export function valueOf(metrics: PathMetrics, metric: MetricType): number {
  if (metric === 'loss' && metrics.lossPpm === 1_000_000) return Infinity;
  return metricOf(metrics, metric) ?? Infinity;
}
