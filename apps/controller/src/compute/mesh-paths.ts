import {
  computeFromSource,
  MeshMetrics,
  MeshStatus,
  type MeshRequest,
  type NodeId,
  type NoPath,
  type PathMetrics,
  type Snapshot,
  type SourceOptions,
  type SourcePaths,
} from '@waymark/topology';
import type { MeshPath, NoMeshPath } from '../model/path-batch.js';

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
    if (status === MeshStatus.noPath) {
      const known = paths.noPaths.get(i);
      return [{ ...pair, ...NONE, why: known === undefined ? null : whyNot(known) }];
    }
    return [
      {
        ...pair,
        status: 'computed',
        why: null,
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

/** Of the answer to a path computation for a pair what a mesh tells. */
export function whyNot(answer: NoPath): NoMeshPath {
  const { reason, message, constraint, nearestFeasible, blockingLinks, blockingNodes, isProved } = answer;
  return { reason, message, constraint, nearestFeasible, blockingLinks, blockingNodes, isProved };
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
