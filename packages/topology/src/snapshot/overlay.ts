import type { LinkChange, Overlay } from '../model/overlay.js';
import { deriveSnapshot, type ArcChange, type NodeChange } from './derive-snapshot.js';
import type { Snapshot } from './snapshot.js';

const DOWN = { operationalState: 'down' } as const;

/**
 * What freezing the TED under this overlay (`overlaidTed`) would give, at the cost of what it changes. The base stays as
 * it is, and shares with the answer whatever the overlay leaves alone. Demands are not part of it: they are bookings.
 * Ids that the base lacks are passed over. Throws RangeError for metrics and delays that are not whole.
 */
export function overlaidSnapshot(base: Snapshot, overlay: Omit<Overlay, 'demands'>): Snapshot {
  const arcs = new Map<number, ArcChange>();
  for (const change of overlay.links ?? []) {
    const arc = base.arcOf(change.link);
    if (arc >= 0) arcs.set(arc, arcChange(change));
  }
  for (const arc of arcsDown(base, overlay, arcs)) arcs.set(arc, { ...arcs.get(arc), ...DOWN });
  const nodes = new Map<number, NodeChange>(nodesDown(base, overlay).map((node) => [node, DOWN]));
  return deriveSnapshot(base, { nodes, arcs });
}

function arcChange(change: LinkChange): ArcChange {
  const { reservableBandwidthBps: reservableBps } = change;
  return reservableBps === undefined ? change : { ...change, reservableBps };
}

function nodesDown(base: Snapshot, { down }: Overlay): number[] {
  const named = (down?.nodes ?? []).map((id) => base.nodeIndexOf(id)).filter((node) => node >= 0);
  const sites = new Set((down?.sites ?? []).map((name) => base.siteNames.indexOf(name)).filter((site) => site >= 0));
  const there = sites.size === 0 ? [] : [...base.data.nodeSite.keys()].filter((node) => sites.has(siteOf(base, node)));
  return [...named, ...there];
}

function siteOf(base: Snapshot, node: number): number {
  return base.data.nodeSite[node] as number;
}

/** Those that go down by themselves, not for a node at their end. */
function arcsDown(base: Snapshot, { down }: Overlay, changes: ReadonlyMap<number, ArcChange>): number[] {
  const { srlgs, srlgStart, arcCount } = base.data;
  const named = (down?.links ?? []).map((id) => base.arcOf(id)).filter((arc) => arc >= 0);
  const groups = new Set(down?.srlgs);
  if (groups.size === 0) return named;
  const isIn = (arc: number) => {
    const of = changes.get(arc)?.srlgs ?? srlgs.subarray(srlgStart[arc], srlgStart[arc + 1]);
    return of.some((group) => groups.has(group));
  };
  return [...named, ...Array.from({ length: arcCount }, (_, arc) => arc).filter(isIn)];
}
