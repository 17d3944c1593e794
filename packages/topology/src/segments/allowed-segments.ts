import { commonLayer, layerAfterArc, type IncludeStep } from '../engine/search-problem.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { foldBranches } from './fold-branches.js';
import type { EcmpBranches } from './ecmp-branches.js';
import type { IgpReach } from './igp-reach.js';

/** A node to which the IGP takes packets over nothing but allowed arcs. */
export interface ReachedNode {
  readonly node: number;
  /** Include entries that every branch has passed. */
  readonly layer: number;
  /** Per weight: the sum over the branch where it is largest. */
  readonly worst: readonly number[];
  readonly isSinglePath: boolean;
}

export interface SegmentRules {
  readonly snapshot: Snapshot;
  /** 1: a branch may cross the arc. */
  readonly allowed: Uint8Array;
  readonly weights: readonly Float64Array[];
  readonly include: readonly IncludeStep[];
  /** A host that is reached over its own links like a stub network; -1 for none. */
  readonly leaf: number;
}

/** What can be reached from a router with one segment, every ECMP branch of which is allowed. */
export class AllowedSegments {
  readonly #rules: SegmentRules;
  readonly #reach: IgpReach;
  #work = 0;

  constructor(rules: SegmentRules, reach: IgpReach) {
    this.#rules = rules;
    this.#reach = reach;
  }

  /** Arcs looked at so far. */
  get work(): number {
    return this.#work;
  }

  /** The router itself first, then the others from the nearest on. `layer`: include entries passed on the way to it. */
  from(router: number, layer: number): ReachedNode[] {
    const { snapshot, allowed, leaf } = this.#rules;
    const { arcTo, outStart } = snapshot.data;
    const reach = this.#reach;
    reach.startAt(router, leaf);
    const start = { node: router, layer, worst: this.#rules.weights.map(() => 0), isSinglePath: true };
    const near = this.#fromKnownLinks(start);
    if (near !== null) return near;
    const reached = new Map<number, ReachedNode>();
    /** Not visited yet, and behind an allowed arc of a node that was reached: without any the rest is out of reach. */
    const open = new Set([router]);
    const unclear = new Set<number>();
    let visited = 0;
    for (; open.size > 0; visited++) {
      // The router itself is the nearest; where it leads nowhere, nothing need be known of the IGP's paths.
      const node = visited === 0 ? router : reach.nth(visited);
      if (node < 0) break;
      // No branch to it is allowed all the way; over metric zero it can come before what leads to it.
      if (!open.delete(node) && !reach.hasZeroArcInto(node)) continue;
      const found = node === router ? start : this.#arriveAt(node, reached, unclear, router, layer);
      if (found === null && !unclear.has(node)) continue;
      if (found !== null) reached.set(node, found);
      const end = outStart[node + 1] as number;
      this.#work += this.#degreeOf(node);
      for (let arc = outStart[node] as number; arc < end; arc++) {
        const to = arcTo[arc] as number;
        const leadsOn = allowed[arc] === 1 && reach.carries(arc) && !reach.isKnownLonger(arc);
        const isBehind = visited === 0 ? to === router : reach.isAmongFirst(visited + 1, to);
        if (leadsOn && !isBehind) open.add(to);
      }
    }
    // Whoever asks next for segments from here, or over here, need not go as far for links that no shortest path crosses.
    const end = outStart[router + 1] as number;
    for (let arc = outStart[router] as number; visited > 1 && arc < end; arc++) {
      if (allowed[arc] === 1 && reach.isAmongFirst(visited, arcTo[arc] as number)) reach.isDirect(arc);
    }
    return [...reached.values()];
  }

  /**
   * The same from what is known of single links, without a look at the paths between other nodes; null where that is not enough. It is
   * where few links are allowed: they lead a link far, or nowhere.
   */
  #fromKnownLinks(start: ReachedNode): ReachedNode[] | null {
    const { arcTo } = this.#rules.snapshot.data;
    const reach = this.#reach;
    if (reach.hasZeroMetric) return null;
    const near: number[] = [];
    for (const arc of this.#usefulArcs(start.node)) {
      if (!reach.isKnownSole(arc) || this.#usefulArcs(arcTo[arc] as number).length > 0) return null;
      near.push(arc);
    }
    const nodes = near.map((arc) => this.#merge(arcTo[arc] as number, [arc], () => start));
    const distance = new Map(near.map((arc) => [arcTo[arc] as number, reach.metric[arc] as number]));
    nodes.sort((a, b) => (distance.get(a.node) as number) - (distance.get(b.node) as number) || a.node - b.node);
    const all = [start, ...nodes];
    for (const { node } of all) this.#work += this.#degreeOf(node);
    return all;
  }

  /** Arcs out of a node that branches may cross, unless the IGP is known to go around them. */
  #usefulArcs(node: number): number[] {
    const { snapshot, allowed } = this.#rules;
    const { outStart } = snapshot.data;
    const arcs: number[] = [];
    const end = outStart[node + 1] as number;
    for (let arc = outStart[node] as number; arc < end; arc++) {
      if (allowed[arc] === 1 && this.#reach.carries(arc) && !this.#reach.isKnownLonger(arc)) arcs.push(arc);
    }
    return arcs;
  }

  #degreeOf(node: number): number {
    const { outStart } = this.#rules.snapshot.data;
    return (outStart[node + 1] as number) - (outStart[node] as number);
  }

  #arriveAt(
    node: number,
    reached: ReadonlyMap<number, ReachedNode>,
    unclear: Set<number>,
    router: number,
    layer: number,
  ): ReachedNode | null {
    const { snapshot, allowed } = this.#rules;
    const { arcFrom } = snapshot.data;
    // Over metric zero "as near" does not mean "on the way"; whatever lies behind is asked for one by one.
    if (this.#reach.hasZeroArcInto(node)) unclear.add(node);
    const arcs = this.#reach.shortestArcsInto(node);
    if (unclear.has(node) || arcs.some((arc) => unclear.has(arcFrom[arc] as number))) {
      unclear.add(node);
      const branches = this.#reach.branchesTo(node, []);
      return branches === null ? null : this.#follow(branches, router, node, layer);
    }
    const isAllowed = (arc: number) => allowed[arc] === 1 && reached.has(arcFrom[arc] as number);
    if (arcs.length === 0 || !arcs.every(isAllowed)) return null;
    return this.#merge(node, arcs, (from) => reached.get(from) as ReachedNode);
  }

  #follow(branches: EcmpBranches, router: number, node: number, layer: number): ReachedNode | null {
    const { snapshot, allowed, weights } = this.#rules;
    this.#work += branches.arcs.length;
    if (branches.arcs.some((arc) => allowed[arc] === 0)) return null;
    const start = { node: router, layer, worst: weights.map(() => 0), isSinglePath: true };
    const merge = (at: number, arcs: readonly number[], before: (from: number) => ReachedNode) =>
      this.#merge(at, arcs, before);
    return foldBranches(snapshot, branches.arcs, router, node, start, merge);
  }

  #merge(node: number, arcs: readonly number[], at: (from: number) => ReachedNode): ReachedNode {
    const { snapshot, weights, include } = this.#rules;
    let layer = include.length;
    let isSinglePath = arcs.length === 1;
    const worst = weights.map(() => -Infinity);
    for (const arc of arcs) {
      const before = at(snapshot.data.arcFrom[arc] as number);
      layer = commonLayer(include, layer, layerAfterArc(include, before.layer, arc, node));
      isSinglePath &&= before.isSinglePath;
      for (let i = 0; i < worst.length; i++) {
        const sum = (before.worst[i] as number) + ((weights[i] as Float64Array)[arc] as number);
        worst[i] = Math.max(worst[i] as number, sum);
      }
    }
    return { node, layer, worst, isSinglePath };
  }
}
