import { igpDistancesTo, LocatorFlag, type NodeId, type Segment, type Snapshot } from '@waymark/topology';
import type { ExpandedSegment } from './evaluate-policies-model.js';

/** One of the branches that a proved list can take, and what of it the IGP expanded. */
export interface Branch {
  readonly nodes: readonly number[];
  readonly arcs: readonly number[];
  readonly expanded: readonly ExpandedSegment[];
}

/** Do packets for a SID follow the shortest paths by IGP metric to one owner? */
export function followsIgp(snapshot: Snapshot, sid: string): boolean {
  const [longest = []] = snapshot.locators.covering(sid);
  return longest.length <= 1 && longest.every((locator) => snapshot.data.locatorAlgorithm[locator] === 0);
}

/**
 * Walks segment lists hop by hop, taking the smallest arc wherever the IGP has several. This is for showing a path and
 * for knowing which changes can shift it; whether a list may be used is the proof's word alone.
 */
export class BranchWalker {
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** undefined when the list leads nowhere. */
  walk(headend: NodeId, segments: readonly Segment[]): Branch | undefined {
    const start = this.#snapshot.nodeIndexOf(headend);
    if (start < 0) return undefined;
    const path: Path = { nodes: [start], arcs: [], expanded: [] };
    if (this.#snapshot.isHost(start) && !this.#leaveHost(path)) return undefined;
    for (const segment of segments) {
      if (!this.#follow(path, segment)) return undefined;
    }
    return path;
  }

  /** A host sends over its usable link of the lowest IGP metric, whatever the first SID is. */
  #leaveHost(path: Path): boolean {
    const arcs = this.#snapshot.linksOf(here(path)).filter((arc) => this.#snapshot.isUsable(arc));
    const arc = this.#nearest(arcs, () => 0);
    if (arc === undefined) return false;
    this.#cross(path, arc);
    return true;
  }

  #follow(path: Path, segment: Segment): boolean {
    const owner = this.#snapshot.nodeIndexOf(segment.node);
    if (owner < 0) return false;
    if (owner !== here(path)) {
      const arrived = this.#snapshot.isHost(owner)
        ? this.#enterHost(path, owner, segment.sid)
        : this.#travel(path, owner);
      if (!arrived) return false;
    }
    if (segment.linkId === null) return true;
    const arc = this.#snapshot.arcOf(segment.linkId);
    if (arc < 0 || !this.#snapshot.isUsable(arc)) return false;
    this.#cross(path, arc);
    return true;
  }

  #enterHost(path: Path, host: number, sid: string): boolean {
    const { data } = this.#snapshot;
    const locators = this.#snapshot.locators.covering(sid)[0] ?? [];
    const everywhere = locators.some(
      (locator) => ((data.locatorFlags[locator] as number) & LocatorFlag.IgpScope) !== 0,
    );
    const from = here(path);
    const arcs = this.#snapshot
      .linksInto(host)
      .filter((arc) => this.#snapshot.isUsable(arc) && (everywhere || data.arcFrom[arc] === from));
    const last = this.#nearest(arcs, (arc) => this.#distance(from, data.arcFrom[arc] as number));
    if (last === undefined || !this.#travel(path, data.arcFrom[last] as number)) return false;
    this.#cross(path, last);
    return true;
  }

  #travel(path: Path, destination: number): boolean {
    const { data } = this.#snapshot;
    const from = here(path);
    if (from === destination) return true;
    const igp = this.#distance(from, destination);
    if (!Number.isFinite(igp)) return false;
    path.expanded.push({ from: this.#snapshot.nodeIdOf(from), to: this.#snapshot.nodeIdOf(destination), igp });
    while (here(path) !== destination) {
      const remaining = this.#distance(here(path), destination);
      const arc = this.#snapshot
        .linksOf(here(path))
        .find(
          (candidate) =>
            this.#snapshot.isUsable(candidate) &&
            (data.igpMetric[candidate] as number) + this.#distance(data.arcTo[candidate] as number, destination) ===
              remaining,
        );
      // An IGP metric of 0 could lead around in a circle.
      if (arc === undefined || path.arcs.length > this.#snapshot.arcCount) return false;
      this.#cross(path, arc);
    }
    return true;
  }

  #nearest(arcs: readonly number[], before: (arc: number) => number): number | undefined {
    let best: number | undefined;
    let bestDistance = Infinity;
    for (const arc of arcs) {
      const distance = before(arc) + (this.#snapshot.data.igpMetric[arc] as number);
      if (distance >= bestDistance) continue;
      best = arc;
      bestDistance = distance;
    }
    return best;
  }

  #cross(path: Path, arc: number): void {
    path.arcs.push(arc);
    path.nodes.push(this.#snapshot.data.arcTo[arc] as number);
  }

  #distance(from: number, destination: number): number {
    return igpDistancesTo(this.#snapshot, destination)[from] as number;
  }
}

interface Path {
  readonly nodes: number[];
  readonly arcs: number[];
  readonly expanded: ExpandedSegment[];
}

function here(path: Path): number {
  return path.nodes.at(-1) as number;
}
