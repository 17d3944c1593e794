import type { Overlay, Snapshot } from '@waymark/topology';
import type { Failure, FailureKind } from '../model/failure-sweep.js';

/** Every single thing of these kinds that can still fail, by kind and id: links that are usable, nodes that are up. */
export function singleFailures(snapshot: Snapshot, kinds: readonly FailureKind[]): Failure[] {
  return [...new Set(kinds)].flatMap((kind) => failuresOf(snapshot, kind));
}

function failuresOf(snapshot: Snapshot, kind: FailureKind): Failure[] {
  const { arcCount, srlgStart, srlgs } = snapshot.data;
  const arcs = Array.from({ length: arcCount }, (_, arc) => arc).filter((arc) => snapshot.isUsable(arc));
  switch (kind) {
    case 'link':
      return arcs
        .map((arc) => ({ link: snapshot.linkIdOf(arc), reverse: snapshot.linkIdOf(snapshot.reverseOf(arc)) }))
        .filter(({ link, reverse }) => link < reverse)
        .sort((a, b) => (a.link < b.link ? -1 : 1))
        .map((link) => ({ kind, ...link }));
    case 'node':
      return nodesInUse(snapshot, arcs).map((node) => ({ kind, node: snapshot.nodeIdOf(node) }));
    case 'srlg': {
      const used = new Set(arcs.flatMap((arc) => [...srlgs.subarray(srlgStart[arc], srlgStart[arc + 1])]));
      return [...used].sort((a, b) => a - b).map((srlg) => ({ kind, srlg }));
    }
    case 'site': {
      const sites = new Set(nodesInUse(snapshot, arcs).map((node) => snapshot.data.nodeSite[node] as number));
      const names = [...sites].filter((site) => site >= 0).sort((a, b) => a - b);
      return names.map((site) => ({ kind, site: snapshot.siteNames[site] as string }));
    }
  }
}

/** Nodes with a usable link: the failure of any other changes nothing. */
function nodesInUse(snapshot: Snapshot, usable: readonly number[]): number[] {
  return [...new Set(usable.map((arc) => snapshot.data.arcFrom[arc] as number))].sort((a, b) => a - b);
}

export function overlayOf(failure: Failure): Overlay {
  switch (failure.kind) {
    case 'link':
      return { down: { links: [failure.link, failure.reverse] } };
    case 'node':
      return { down: { nodes: [failure.node] } };
    case 'srlg':
      return { down: { srlgs: [failure.srlg] } };
    case 'site':
      return { down: { sites: [failure.site] } };
  }
}
