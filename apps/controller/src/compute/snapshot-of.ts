import { deriveSnapshot, freezeSnapshot, snapshotChanges, type Snapshot, type Ted } from '@waymark/topology';

const snapshots = new WeakMap<Ted, Snapshot>();
/** The last that was made. */
let last: { readonly ted: Ted; readonly snapshot: Snapshot } | undefined;

/**
 * The snapshot of a TED, made once for as long as the TED lives: derived from the last one where they differ in values alone,
 * so that what was found on that one is carried over, and frozen otherwise.
 */
export function snapshotOf(ted: Ted): Snapshot {
  const known = snapshots.get(ted);
  if (known !== undefined) return known;
  const changes = last && snapshotChanges(last.snapshot, last.ted, ted);
  const snapshot = last && changes ? deriveSnapshot(last.snapshot, changes) : freezeSnapshot(ted);
  snapshots.set(ted, snapshot);
  last = { ted, snapshot };
  return snapshot;
}
