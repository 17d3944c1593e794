import type { PathMetrics } from './path-answer.js';
import type { MetricType } from './path-request.js';

/** The value of a metric type among those of a path; null when it is unknown. */
export function metricOf(metrics: PathMetrics, metric: MetricType): number | null {
  switch (metric) {
    case 'igp':
      return metrics.igp;
    case 'te':
      return metrics.te;
    case 'delay':
      return metrics.delayUs;
    case 'delay-variation':
      return metrics.delayVariationUs;
    case 'loss':
      return metrics.lossPpm;
    case 'hop':
      return metrics.hops;
  }
}
