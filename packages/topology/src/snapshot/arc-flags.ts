import { ArcFlag, NodeFlag, type SnapshotData } from './snapshot-data.js';

type Topology = Pick<SnapshotData, 'nodeFlags' | 'nodeDomain' | 'arcFrom' | 'arcTo' | 'arcReverse'>;

/**
 * Adds `Usable` and `Igp` to the flags of an arc's own state, which are those of `arcFlags` for both of its directions. Two
 * arcs are directions of one link only when each names the other and joins the same nodes (two-way check).
 */
export function withDerivedFlags(topology: Topology, arcFlags: Uint8Array, arc: number): number {
  const { nodeFlags, nodeDomain, arcFrom, arcTo, arcReverse } = topology;
  const own = (arcFlags[arc] as number) & ~(ArcFlag.Usable | ArcFlag.Igp);
  const from = arcFrom[arc] as number;
  const to = arcTo[arc] as number;
  const reverse = arcReverse[arc] as number;
  const isUp = (own & (arcFlags[reverse] ?? 0) & ArcFlag.Up) !== 0;
  const isTwoWay = arcReverse[reverse] === arc && arcFrom[reverse] === to && arcTo[reverse] === from;
  const ends = [nodeFlags[from] as number, nodeFlags[to] as number] as const;
  if (!isUp || !isTwoWay || (ends[0] & ends[1] & NodeFlag.Up) === 0) return own;
  const isIgp = ((ends[0] | ends[1]) & NodeFlag.Host) === 0 && nodeDomain[from] === nodeDomain[to];
  return own | ArcFlag.Usable | (isIgp ? ArcFlag.Igp : 0);
}
