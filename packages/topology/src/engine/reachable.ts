import type { Snapshot } from '../snapshot/snapshot.js';

/** 1 for every node that can be reached from a node over the arcs of a mask. */
export function reachableFrom(snapshot: Snapshot, mask: Uint8Array, start: number): Uint8Array {
  const { arcTo, outStart } = snapshot.data;
  const reached = new Uint8Array(snapshot.nodeCount);
  const queue = [start];
  reached[start] = 1;
  for (const node of queue) {
    for (let arc = outStart[node] as number; arc < (outStart[node + 1] as number); arc++) {
      const to = arcTo[arc] as number;
      if (mask[arc] === 0 || reached[to] === 1) continue;
      reached[to] = 1;
      queue.push(to);
    }
  }
  return reached;
}

/** 1 for every node from which a node can be reached over the arcs of a mask. */
export function reachesTo(snapshot: Snapshot, mask: Uint8Array, end: number): Uint8Array {
  const { arcFrom, inStart, inArcs } = snapshot.data;
  const reached = new Uint8Array(snapshot.nodeCount);
  const queue = [end];
  reached[end] = 1;
  for (const node of queue) {
    for (let i = inStart[node] as number; i < (inStart[node + 1] as number); i++) {
      const arc = inArcs[i] as number;
      const from = arcFrom[arc] as number;
      if (mask[arc] === 0 || reached[from] === 1) continue;
      reached[from] = 1;
      queue.push(from);
    }
  }
  return reached;
}
