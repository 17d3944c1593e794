import type { Overlay } from '../model/overlay.js';
import { ArcFlag, NodeFlag } from './snapshot-data.js';
import { Snapshot } from './snapshot.js';

/**
 * What freezing the TED under this overlay (`overlaidTed`) would give, at the cost of what it changes. The base stays as
 * it is, and shares with the answer whatever the overlay leaves alone. Demands are not part of it: they are bookings.
 * Ids that the base lacks are passed over.
 */
export function overlaidSnapshot(base: Snapshot, overlay: Pick<Overlay, 'down'>): Snapshot {
  const { data } = base;
  const nodeFlags = copyOf(data.nodeFlags);
  const arcFlags = copyOf(data.arcFlags);
  for (const node of nodesDown(base, overlay)) {
    nodeFlags[node] = (nodeFlags[node] as number) & ~NodeFlag.Up;
    for (const arc of [...base.linksOf(node), ...base.linksInto(node)]) close(arc);
  }
  for (const arc of arcsDown(base, overlay)) {
    close(arc);
    const reverse = base.reverseOf(arc);
    if (reverse >= 0 && base.reverseOf(reverse) === arc) close(reverse);
  }
  function close(arc: number): void {
    arcFlags[arc] = (arcFlags[arc] as number) & ~(ArcFlag.Usable | ArcFlag.Igp);
  }
  return new Snapshot({ ...data, nodeFlags, arcFlags });
}

/** Numbers of the nodes that the overlay takes down. */
export function nodesDown(base: Snapshot, { down }: Pick<Overlay, 'down'>): number[] {
  const named = (down?.nodes ?? []).map((id) => base.nodeIndexOf(id)).filter((node) => node >= 0);
  const sites = new Set((down?.sites ?? []).map((name) => base.siteNames.indexOf(name)).filter((site) => site >= 0));
  const there = sites.size === 0 ? [] : numbersOf(base.data.nodeSite, (site) => sites.has(site));
  return [...new Set([...named, ...there])];
}

/** Numbers of the arcs that the overlay takes down by themselves, not for a node that they lead to. */
export function arcsDown(base: Snapshot, { down }: Pick<Overlay, 'down'>): number[] {
  const { srlgs, srlgStart, arcCount } = base.data;
  const named = (down?.links ?? []).map((id) => base.arcOf(id)).filter((arc) => arc >= 0);
  const groups = new Set(down?.srlgs);
  const together: number[] = [];
  for (let arc = 0; groups.size > 0 && arc < arcCount; arc++) {
    const isIn = srlgs.subarray(srlgStart[arc], srlgStart[arc + 1]).some((group) => groups.has(group));
    if (isIn) together.push(arc);
  }
  return [...new Set([...named, ...together])];
}

function numbersOf(values: Int32Array, isMeant: (value: number) => boolean): number[] {
  const numbers: number[] = [];
  values.forEach((value, i) => {
    if (isMeant(value)) numbers.push(i);
  });
  return numbers;
}

function copyOf(array: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(array.length));
  copy.set(array);
  return copy;
}
