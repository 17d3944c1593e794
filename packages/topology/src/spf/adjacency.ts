import type { SnapshotData } from '../snapshot/snapshot-data.js';

/** The arcs at each node, in one direction, as shortest-path searches walk them. */
export interface Adjacency {
  readonly nodeCount: number;
  /** Entries of node i: start[i] up to, not including, start[i + 1]. */
  readonly start: Uint32Array;
  /** The arc of each entry. */
  readonly arcs: Uint32Array;
  /** The node at its other end. */
  readonly ends: Uint32Array;
}

/** One graph in both directions. */
export interface Adjacencies {
  readonly outgoing: Adjacency;
  readonly incoming: Adjacency;
  readonly arcFrom: Uint32Array;
  readonly arcTo: Uint32Array;
}

type Rows = Pick<SnapshotData, 'nodeCount'> &
  Readonly<Record<keyof Pick<SnapshotData, 'outStart' | 'inStart' | 'inArcs' | 'arcFrom' | 'arcTo'>, Uint32Array>>;

const known = new WeakMap<Uint32Array, Adjacencies>();

/** Made once per list of arcs, which snapshots derived from one another share. */
export function adjacenciesOf(data: Rows): Adjacencies {
  const found = known.get(data.arcTo);
  if (found !== undefined) return found;
  const { nodeCount, outStart, inStart, inArcs, arcFrom, arcTo } = data;
  const adjacencies: Adjacencies = {
    outgoing: { nodeCount, start: outStart, arcs: Uint32Array.from(arcTo.keys()), ends: arcTo },
    incoming: { nodeCount, start: inStart, arcs: inArcs, ends: inArcs.map((arc) => arcFrom[arc] as number) },
    arcFrom,
    arcTo,
  };
  known.set(data.arcTo, adjacencies);
  return adjacencies;
}
