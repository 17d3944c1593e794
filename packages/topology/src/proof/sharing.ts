import type { Shared } from '../model/path-answer.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** What packets of one path can cross, as its proofs measured it. */
export interface Crossing {
  readonly source: string;
  readonly destination: string;
  /** Arcs of the load of every list. */
  readonly arcs: Iterable<number>;
}

/** What at least two paths can use: links in either direction, nodes, SRLGs of either direction, and sites. */
export function sharedBetween(snapshot: Snapshot, crossings: readonly Crossing[]): Shared {
  const { arcFrom, arcTo, nodeSite } = snapshot.data;
  const links = new Users<number>();
  const nodes = new Users<number>();
  const srlgs = new Users<number>();
  const sites = new Users<number>();
  const crossed = new Set<number>();
  crossings.forEach((crossing, path) => {
    const ends = [crossing.source, crossing.destination].map((id) => snapshot.nodeIndexOf(id));
    const endSites = ends.map((node) => nodeSite[node]);
    const visit = (node: number): void => {
      nodes.add(node, path, ends.includes(node));
      const site = nodeSite[node] as number;
      if (site >= 0) sites.add(site, path, endSites.includes(site));
    };
    for (const arc of crossing.arcs) {
      crossed.add(arc);
      const reverse = snapshot.reverseOf(arc);
      links.add(reverse < 0 ? arc : Math.min(arc, reverse), path, false);
      for (const group of [...srlgsOf(snapshot, arc), ...srlgsOf(snapshot, reverse)]) srlgs.add(group, path, false);
      visit(arcFrom[arc] as number);
      visit(arcTo[arc] as number);
    }
  });
  const directions = links.shared().flatMap((arc) => [arc, snapshot.reverseOf(arc)]);
  return {
    nodes: nodes
      .shared()
      .map((node) => snapshot.nodeIdOf(node))
      .sort(),
    links: directions
      .filter((arc) => crossed.has(arc))
      .map((arc) => snapshot.linkIdOf(arc))
      .sort(),
    srlgs: srlgs.shared().sort((a, b) => a - b),
    sites: sites
      .shared()
      .map((site) => snapshot.siteNames[site] as string)
      .sort(),
  };
}

/** Which paths use a thing, and for how many of them it is not just an endpoint. */
class Users<T> {
  readonly #paths = new Map<T, Set<number>>();
  readonly #passed = new Set<T>();

  add(thing: T, path: number, isEnd: boolean): void {
    const paths = this.#paths.get(thing) ?? new Set();
    this.#paths.set(thing, paths.add(path));
    if (!isEnd) this.#passed.add(thing);
  }

  shared(): T[] {
    return [...this.#paths]
      .filter(([thing, paths]) => paths.size > 1 && this.#passed.has(thing))
      .map(([thing]) => thing);
  }
}

function srlgsOf(snapshot: Snapshot, arc: number): number[] {
  if (arc < 0) return [];
  const { srlgStart, srlgs } = snapshot.data;
  return Array.from(srlgs.subarray(srlgStart[arc], srlgStart[arc + 1]));
}
