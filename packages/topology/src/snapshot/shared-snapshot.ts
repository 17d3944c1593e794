import type { SnapshotData } from './snapshot-data.js';
import { Snapshot } from './snapshot.js';

/**
 * A snapshot as it crosses threads: numbers and typed arrays over shared memory. Posting one costs some microseconds,
 * whatever its size. Keep the Snapshot made from it for as long as its revision is used: its look-ups are built once.
 */
export type SharedSnapshot = SnapshotData;

export function snapshotToShared(snapshot: Snapshot): SharedSnapshot {
  return snapshot.data;
}

export function snapshotFromShared(shared: SharedSnapshot): Snapshot {
  return new Snapshot(shared);
}
