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

/**
 * `predecessor`: the snapshot it was derived from, or one that was derived with it, directly or not (`shapeOf`), as this
 * thread received it. The look-ups that it has built are used on.
 */
export function snapshotFromShared(shared: SharedSnapshot, predecessor?: Snapshot): Snapshot {
  if (predecessor === undefined) return new Snapshot(shared);
  const { nodeIds, linkIds, sidTexts, siteNames, locatorPrefixes, arcTo } = predecessor.data;
  return new Snapshot({ ...shared, nodeIds, linkIds, sidTexts, siteNames, locatorPrefixes, arcTo }, predecessor);
}

/** The same object for all snapshots that were derived from one another in this thread. */
export function shapeOf({ data }: Snapshot): object {
  return data.linkIds;
}
