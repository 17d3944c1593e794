import { ArcFlag, type MetricType, type Snapshot } from '@waymark/topology';

export interface DistanceQuery {
  readonly metric: MetricType;
  /** `to`: from every node to the nearest origin; `from`: from the nearest origin to every node. */
  readonly direction: 'to' | 'from';
  /** Where the search starts, and with which distance. */
  readonly origins: readonly { readonly node: number; readonly distance: number }[];
  /** `igp`: what routers' own SPF runs over; `usable`: host links too. */
  readonly arcs: 'igp' | 'usable';
}

/**
 * Distance of every node from or to the nearest of several origins (Dijkstra); Infinity where there is no path. No
 * constraint is looked at, so the distances bound from below whatever a constrained search can find.
 */
export function distances(snapshot: Snapshot, query: DistanceQuery): Float64Array {
  const { data } = snapshot;
  const flag = query.arcs === 'igp' ? ArcFlag.Igp : ArcFlag.Usable;
  const length = metricOf(snapshot, query.metric);
  const backwards = query.direction === 'to';
  const found = new Float64Array(snapshot.nodeCount).fill(Infinity);
  const queue = new MinQueue();
  const reach = (node: number, distance: number): void => {
    if (distance >= (found[node] as number)) return;
    found[node] = distance;
    queue.push(distance, node);
  };
  for (const { node, distance } of query.origins) reach(node, distance);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { key, value: node } = next;
    if (key > (found[node] as number)) continue;
    const start = (backwards ? data.inStart : data.outStart)[node] as number;
    const end = (backwards ? data.inStart : data.outStart)[node + 1] as number;
    for (let i = start; i < end; i++) {
      const arc = backwards ? (data.inArcs[i] as number) : i;
      if (((data.arcFlags[arc] as number) & flag) === 0) continue;
      const other = (backwards ? data.arcFrom : data.arcTo)[arc] as number;
      reach(other, key + length(arc));
    }
  }
  return found;
}

/** Length of an arc under a metric; loss as -ln(1 - loss) in millionths. An unknown value counts 0: the least it can be. */
export function metricOf(snapshot: Snapshot, metric: MetricType): (arc: number) => number {
  const { data } = snapshot;
  switch (metric) {
    case 'igp':
      return (arc) => data.igpMetric[arc] as number;
    case 'te':
      return (arc) => data.teMetric[arc] as number;
    case 'hop':
      return () => 1;
    case 'delay':
      return (arc) => known(data.delayUs[arc]);
    case 'delay-variation':
      return (arc) => known(data.delayVariationUs[arc]);
    case 'loss':
      return (arc) => lossDistance(known(data.lossPpm[arc]));
  }
}

/** -ln(1 - loss) in millionths: what adds up along a path, where losses in ppm do not. Infinity at 1,000,000. */
function lossDistance(ppm: number): number {
  return -Math.log1p(-ppm / 1e6) * 1e6;
}

function known(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}

/** Binary heap of (key, value) pairs; the smallest key comes out first. */
class MinQueue {
  readonly #keys: number[] = [];
  readonly #values: number[] = [];

  push(key: number, value: number): void {
    const keys = this.#keys;
    const values = this.#values;
    let at = keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((keys[parent] as number) <= key) break;
      keys[at] = keys[parent] as number;
      values[at] = values[parent] as number;
      at = parent;
    }
    keys[at] = key;
    values[at] = value;
  }

  pop(): { readonly key: number; readonly value: number } | undefined {
    const keys = this.#keys;
    const values = this.#values;
    const key = keys[0];
    const value = values[0];
    const lastKey = keys.pop();
    const lastValue = values.pop();
    if (key === undefined || value === undefined || lastKey === undefined || lastValue === undefined) return undefined;
    const size = keys.length;
    if (size === 0) return { key, value };
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child++;
      if ((keys[child] as number) >= lastKey) break;
      keys[at] = keys[child] as number;
      values[at] = values[child] as number;
      at = child;
    }
    keys[at] = lastKey;
    values[at] = lastValue;
    return { key, value };
  }
}
