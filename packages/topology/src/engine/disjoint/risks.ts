import type { Disjointness } from '../../model/path-request.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { Level } from './disjointness-level.js';

/**
 * What can fail as a whole and take several paths with it: links (both directions as one), nodes, SRLGs and sites, each
 * kind numbered after the one before.
 */
export class Risks {
  readonly #snapshot: Snapshot;
  readonly #firstNode: number;
  readonly #firstSrlg: number;
  readonly #firstSite: number;
  /** Group numbers in ascending order, and the arcs of each: a link is in the groups of both of its directions. */
  readonly #srlgs: readonly number[];
  readonly #arcsOfSrlg: readonly (readonly number[])[];
  readonly #srlgsOfArc = new Map<number, readonly number[]>();
  readonly #nodesOfSite: readonly (readonly number[])[];

  private constructor(snapshot: Snapshot) {
    const { srlgStart, srlgs, nodeSite } = snapshot.data;
    this.#snapshot = snapshot;
    this.#firstNode = snapshot.arcCount;
    this.#srlgs = [...new Set(srlgs)].sort((a, b) => a - b);
    this.#firstSrlg = this.#firstNode + snapshot.nodeCount;
    this.#firstSite = this.#firstSrlg + this.#srlgs.length;
    const index = new Map(this.#srlgs.map((group, i) => [group, i]));
    const own = (arc: number) => Array.from(srlgs.subarray(srlgStart[arc], srlgStart[arc + 1]));
    const arcsOfSrlg = this.#srlgs.map((): number[] => []);
    for (let arc = 0; arc < snapshot.arcCount; arc++) {
      const reverse = snapshot.reverseOf(arc);
      const groups = new Set([...own(arc), ...(reverse < 0 ? [] : own(reverse))]);
      if (groups.size === 0) continue;
      const indices = [...groups].map((group) => index.get(group) as number);
      this.#srlgsOfArc.set(arc, indices);
      for (const i of indices) arcsOfSrlg[i]?.push(arc);
    }
    this.#arcsOfSrlg = arcsOfSrlg;
    const nodesOfSite = snapshot.siteNames.map((): number[] => []);
    nodeSite.forEach((site, node) => nodesOfSite[site]?.push(node));
    this.#nodesOfSite = nodesOfSite;
  }

  static readonly #known = new WeakMap<Snapshot, Risks>();

  static of(snapshot: Snapshot): Risks {
    const known = Risks.#known.get(snapshot) ?? new Risks(snapshot);
    Risks.#known.set(snapshot, known);
    return known;
  }

  /** Risks that a level counts, of arcs and of the nodes at their ends. */
  ofArcs(arcs: Iterable<number>, level: Level): Set<number> {
    const { arcFrom, arcTo } = this.#snapshot.data;
    const risks = new Set<number>();
    for (const arc of arcs) {
      if (level.link) risks.add(this.linkRisk(arc));
      if (level.srlg) for (const group of this.#srlgsOfArc.get(arc) ?? []) risks.add(this.#firstSrlg + group);
      this.#addNode(arcFrom[arc] as number, level, risks);
      this.#addNode(arcTo[arc] as number, level, risks);
    }
    return risks;
  }

  ofNodes(nodes: Iterable<number>, level: Level): Set<number> {
    const risks = new Set<number>();
    for (const node of nodes) this.#addNode(node, level, risks);
    return risks;
  }

  /** Every arc that a path without the risk must leave alone. */
  arcsOf(risk: number): readonly number[] {
    const snapshot = this.#snapshot;
    const around = (node: number) => [...snapshot.linksOf(node), ...snapshot.linksInto(node)];
    switch (this.kindOf(risk)) {
      case 'link': {
        const reverse = snapshot.reverseOf(risk);
        return reverse < 0 ? [risk] : [risk, reverse];
      }
      case 'node':
        return around(risk - this.#firstNode);
      case 'srlg':
        return this.#arcsOfSrlg[risk - this.#firstSrlg] ?? [];
      case 'site':
        return (this.#nodesOfSite[risk - this.#firstSite] ?? []).flatMap(around);
    }
  }

  /** Arcs of which every simple path that uses a link, or passes a node other than its source, crosses exactly one. */
  arcsCharged(risk: number): readonly number[] {
    return this.kindOf(risk) === 'node' ? this.#snapshot.linksInto(risk - this.#firstNode) : this.arcsOf(risk);
  }

  kindOf(risk: number): Disjointness {
    if (risk < this.#firstNode) return 'link';
    if (risk < this.#firstSrlg) return 'node';
    return risk < this.#firstSite ? 'srlg' : 'site';
  }

  /** A link's id, in one of its directions, a node's, the number of an SRLG, or the name of a site. */
  nameOf(risk: number): string {
    switch (this.kindOf(risk)) {
      case 'link':
        return this.#snapshot.linkIdOf(risk);
      case 'node':
        return this.#snapshot.nodeIdOf(risk - this.#firstNode);
      case 'srlg':
        return String(this.#srlgs[risk - this.#firstSrlg]);
      case 'site':
        return this.#snapshot.siteNames[risk - this.#firstSite] as string;
    }
  }

  linkRisk(arc: number): number {
    const reverse = this.#snapshot.reverseOf(arc);
    return reverse < 0 ? arc : Math.min(arc, reverse);
  }

  nodeRisk(node: number): number {
    return this.#firstNode + node;
  }

  #addNode(node: number, level: Level, risks: Set<number>): void {
    if (level.node) risks.add(this.nodeRisk(node));
    const site = level.site ? (this.#snapshot.data.nodeSite[node] as number) : -1;
    if (site >= 0) risks.add(this.#firstSite + site);
  }
}
