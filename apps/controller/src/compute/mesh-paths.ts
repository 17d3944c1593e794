import {
  computeFromSource,
  MeshMetrics,
  MeshStatus,
  type MeshRequest,
  type NodeId,
  type PathMetrics,
  type Snapshot,
  type SourceOptions,
  type SourcePaths,
} from '@waymark/topology';
import type { MeshPath } from '../model/path-batch.js';

/** Paths from a source to the destinations in their order, without the source itself. */
export function meshPathsFrom(
  snapshot: Snapshot,
  source: NodeId,
  request: MeshRequest,
  options?: SourceOptions,
): MeshPath[] {
  const paths = computeFromSource(snapshot, source, request, options);
  return request.destinations.flatMap((destination, i): MeshPath[] => {
    const status = paths.status[i];
    if (status === MeshStatus.same) return [];
    const pair = { kind: 'pair', source, destination } as const;
    if (status === MeshStatus.noPath) return [{ ...pair, ...NONE }];
    return [
      {
        ...pair,
        status: 'computed',
        optimality: status === MeshStatus.computed ? 'optimal' : 'feasible',
        metric: paths.metric[i] as number,
        lowerBound: paths.lowerBound[i] as number,
        worst: metricsAt(paths, i),
        singlePath: paths.singlePath[i] === 1,
        srhEntries: paths.entries[i] as number,
        sids: [...paths.sids.subarray(paths.start[i], paths.start[i + 1])].map((sid) => snapshot.sidTextOf(sid)),
      },
    ];
  });
}

const NONE = {
  status: 'no-path',
  optimality: null,
  metric: null,
  lowerBound: null,
  worst: null,
  singlePath: null,
  srhEntries: null,
  sids: [],
} as const;

function metricsAt({ worst }: SourcePaths, i: number): PathMetrics {
  const [igp, te, delayUs, delayVariationUs, lossPpm, hops] = worst.subarray(
    i * MeshMetrics.length,
    (i + 1) * MeshMetrics.length,
  ) as unknown as [number, number, number, number, number, number];
  return {
    igp,
    te,
    delayUs: known(delayUs),
    delayVariationUs: known(delayVariationUs),
    lossPpm: known(lossPpm),
    hops,
  };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
