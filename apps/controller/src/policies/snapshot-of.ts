import { freezeSnapshot, type Snapshot, type Ted } from '@waymark/topology';

const snapshots = new WeakMap<Ted, Snapshot>();

/** The snapshot of a TED, frozen once for as long as the TED lives. */
export function snapshotOf(ted: Ted): Snapshot {
  const known = snapshots.get(ted);
  if (known !== undefined) return known;
  const snapshot = freezeSnapshot(ted);
  snapshots.set(ted, snapshot);
  return snapshot;
}
