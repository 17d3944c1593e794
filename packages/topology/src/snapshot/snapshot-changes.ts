import { isDeepStrictEqual } from 'node:util';
import { advertisedOf } from '../model/advertised.js';
import type { Ted, TedLink, TedNode } from '../model/ted.js';
import type { ArcChange, NodeChange, SnapshotChanges } from './derive-snapshot.js';
import type { Snapshot } from './snapshot.js';

/**
 * What turns the snapshot `base` of one TED into that of another, both sorted by id; null where it is not values alone that
 * differ, but which nodes, links, SIDs, locators or algorithms there are.
 */
export function snapshotChanges(base: Snapshot, before: Ted, after: Ted): SnapshotChanges | null {
  const nodes = changedPairs(before.nodes, after.nodes);
  const links = changedPairs(before.links, after.links);
  if (nodes === null || links === null) return null;
  const ofNodes = new Map<number, NodeChange>();
  for (const [old, next] of nodes) {
    if (!isSameShape(old, next)) return null;
    const { operationalState, adminState } = next;
    ofNodes.set(base.nodeIndexOf(old.id), { operationalState, adminState });
  }
  const ofArcs = new Map<number, ArcChange>();
  for (const [old, next] of links) {
    if (old.from !== next.from || old.to !== next.to || old.reverseId !== next.reverseId) return null;
    const arc = base.arcOf(old.id);
    // A link with an end that is not in the TED has no arc.
    if (arc >= 0) ofArcs.set(arc, differenceOf(old, next));
  }
  return { revision: after.revision, nodes: ofNodes, arcs: ofArcs };
}

/** null where the ids differ. */
function changedPairs<T extends { readonly id: string }>(
  before: readonly T[],
  after: readonly T[],
): (readonly [T, T])[] | null {
  if (before.length !== after.length) return null;
  const changed: (readonly [T, T])[] = [];
  for (const [i, old] of before.entries()) {
    const next = after[i] as T;
    if (old === next) continue;
    if (old.id !== next.id) return null;
    changed.push([old, next]);
  }
  return changed;
}

/** Of a node all that a change of states does not say. */
function isSameShape(before: TedNode, after: TedNode): boolean {
  const { operationalState, adminState } = before;
  return isDeepStrictEqual(before, { ...after, operationalState, adminState });
}

function differenceOf(before: TedLink, after: TedLink): ArcChange {
  const [old, next] = [valuesOf(before), valuesOf(after)];
  const changed = Object.entries(next).filter(
    ([name, value]) => !isDeepStrictEqual(value, old[name as keyof ArcChange]),
  );
  return Object.fromEntries(changed) as ArcChange;
}

function valuesOf(link: TedLink): ArcChange {
  const { operationalState, adminState, igpMetric, delayUs, delayVariationUs, lossPpm, mtuBytes } = link;
  return {
    operationalState,
    adminState,
    igpMetric,
    teMetric: link.teMetric ?? igpMetric,
    delayUs,
    delayVariationUs,
    lossPpm,
    reservableBps: link.reservableBandwidthBps ?? link.bandwidthBps,
    mtuBytes,
    affinities: link.affinities,
    srlgs: link.srlgs,
    advertised: advertisedOf(link),
  };
}
