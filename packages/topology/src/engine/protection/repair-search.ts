import type { IgpReach } from '../../segments/igp-reach.js';
import { leadsOnlyTo, type Anycast } from '../../segments/sid-route.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { adjacenciesOf } from '../../spf/adjacency.js';
import type { DistanceTree } from '../../spf/distance-tree.js';
import type { EngineState } from '../engine-state.js';
import { RELAXATION, type WorkBudget } from '../work-budget.js';
import type { Failure } from './failed-element.js';

/** Where packets are to get, and by whose paths. */
export interface RepairTarget {
  readonly node: number;
  readonly algorithm: number;
  /** The active SID is anycast: these share it. */
  readonly anycast: Anycast | null;
  /** The repair has to end there: what packets carry next is not for the target (RFC 9855, adjacency segments). */
  readonly isEnd: boolean;
}

/** A first link, and the SIDs that lead from its far end along a post-convergence path. */
export interface FoundRepair {
  readonly sids: readonly number[];
  /** From the point of local repair to the target; one of the branches. */
  readonly arcs: readonly number[];
}

/** A node to which some SIDs bring packets. */
interface Reached {
  readonly node: number;
  readonly sids: readonly number[];
  readonly arcs: readonly number[];
}

/**
 * Repairs around one failure for packets to one target (RFC 9855). Only the point of local repair knows of the failure: a
 * node segment of a repair list holds where all shortest paths from before the failure, from where it begins, avoid what
 * failed, and are as short as those after.
 */
export class RepairSearch {
  readonly #snapshot: Snapshot;
  readonly #state: EngineState;
  readonly #failure: Failure;
  readonly #target: RepairTarget;
  readonly #budget: WorkBudget;
  readonly #reach: IgpReach;
  readonly #leaf: number;
  readonly #mask: Uint8Array;
  readonly #after: DistanceTree;

  constructor(snapshot: Snapshot, state: EngineState, failure: Failure, target: RepairTarget, budget: WorkBudget) {
    this.#snapshot = snapshot;
    this.#state = state;
    this.#failure = failure;
    this.#target = target;
    this.#budget = budget;
    this.#leaf = snapshot.isHost(target.node) ? target.node : -1;
    this.#reach = state.reaches.of(target.algorithm);
    this.#reach.startAt(target.node, this.#leaf);
    this.#mask = Uint8Array.from(snapshot.data.arcFrom, (_, arc) =>
      this.#reach.carries(arc) && !failure.arcs.has(arc) ? 1 : 0,
    );
    const graph = { adjacencies: adjacenciesOf(snapshot.data), length: this.#reach.metric, mask: this.#mask };
    this.#after = state.trees.grow(graph, target.node, 'to');
    budget.spend(snapshot.arcCount * RELAXATION);
  }

  /** From a node to the target once everybody has converged; Infinity where there is no path. */
  distanceAfter(node: number): number {
    return this.#after.distance[node] as number;
  }

  /**
   * The repair of the fewest SIDs along post-convergence paths; ties fall to the smaller arcs. null: no list does, or the
   * budget ended.
   */
  find(router: number): FoundRepair | null {
    const { arcTo } = this.#snapshot.data;
    const { node: target, isEnd } = this.#target;
    const seen = new Set<number>([router]);
    let level = this.#onwards(router, router).map((arc): Reached => ({
      node: arcTo[arc] as number,
      sids: [],
      arcs: [arc],
    }));
    while (level.length > 0 && !this.#budget.isSpent) {
      const done = level.find(({ node }) => (isEnd ? node === target : this.reachesTarget(node)));
      if (done !== undefined) {
        return { sids: done.sids, arcs: [...done.arcs, ...this.#branch(done.node, target)] };
      }
      for (const { node } of level) seen.add(node);
      const next: Reached[] = [];
      for (const from of level) {
        for (const reached of this.#segmentsFrom(from, router)) {
          if (seen.has(reached.node)) continue;
          seen.add(reached.node);
          next.push(reached);
        }
      }
      level = next;
    }
    return null;
  }

  /** Q-space: do packets for the target get there, whatever branch they take, without what failed? */
  reachesTarget(node: number): boolean {
    const { node: target, anycast } = this.#target;
    if (node === target) return true;
    if (!this.#avoidsFailure(node, target)) return false;
    return anycast === null || leadsOnlyTo(this.#snapshot, this.#reach, target, anycast);
  }

  /** P-space: does a router reach the node so? */
  reaches(router: number, node: number): boolean {
    return router === node || this.#avoidsFailure(router, node);
  }

  /** Extended P-space: a neighbour of the router does, over a link that did not fail. */
  reachesByNeighbour(router: number, node: number): boolean {
    const { arcTo } = this.#snapshot.data;
    const neighbours = this.#snapshot.linksOf(router).filter((arc) => this.#mask[arc] === 1);
    return neighbours.some((arc) => this.reaches(arcTo[arc] as number, node));
  }

  *#segmentsFrom({ node, sids, arcs }: Reached, router: number): Generator<Reached> {
    const { arcTo } = this.#snapshot.data;
    const { sids: choice } = this.#state;
    const { algorithm } = this.#target;
    const plain = (all: readonly number[]) => all.find((sid) => !choice.isAnycast(sid));
    const along = new Set([node]);
    for (const at of along) for (const arc of this.#onwards(at, router)) along.add(arcTo[arc] as number);
    const ends = [...along]
      .filter((end) => !this.#snapshot.isHost(end) && this.#isShortest(node, end))
      .map((end) => ({ end, way: [...arcs, ...this.#branch(node, end)] }));
    // A node segment before an adjacency segment: routers prefer what survives another failure.
    for (const { end, way } of ends) {
      const sid = end === node ? undefined : plain(choice.endSids(end, algorithm));
      if (sid !== undefined) yield { node: end, sids: [...sids, sid], arcs: way };
    }
    for (const { end, way } of ends) {
      for (const arc of this.#onwards(end, router)) {
        const crossing = end === node ? choice.adjacencySidsAtOwner(arc) : choice.adjacencySids(arc, algorithm);
        const sid = plain(crossing);
        if (sid !== undefined) yield { node: arcTo[arc] as number, sids: [...sids, sid], arcs: [...way, arc] };
      }
    }
  }

  /** Arcs on which post-convergence paths to the target leave a node, never back to the point of local repair. */
  #onwards(node: number, router: number): number[] {
    const { arcTo } = this.#snapshot.data;
    const { metric } = this.#reach;
    const here = this.distanceAfter(node);
    return this.#snapshot
      .linksOf(node)
      .filter(
        (arc) =>
          this.#mask[arc] === 1 &&
          arcTo[arc] !== router &&
          here < Infinity &&
          here === (metric[arc] as number) + this.distanceAfter(arcTo[arc] as number),
      );
  }

  /** Is what routers take to a node on the way a part of post-convergence paths, without what failed? */
  #isShortest(from: number, to: number): boolean {
    if (from === to) return true;
    if (!this.#avoidsFailure(from, to)) return false;
    return this.#reach.distanceTo(to) === this.distanceAfter(from) - this.distanceAfter(to);
  }

  #avoidsFailure(from: number, to: number): boolean {
    const branches = this.#branchesTo(from, to);
    return branches !== null && branches.every((arc) => !this.#failure.arcs.has(arc));
  }

  #branchesTo(from: number, to: number): readonly number[] | null {
    if (this.#reach.start !== from) this.#budget.spend(this.#snapshot.arcCount * RELAXATION);
    this.#reach.startAt(from, this.#leaf);
    return this.#reach.branchesTo(to, [])?.arcs ?? null;
  }

  /** Of the branches that routers take, the one over the smallest arcs. */
  #branch(from: number, to: number): number[] {
    const { arcFrom, arcTo } = this.#snapshot.data;
    const branches = from === to ? [] : (this.#branchesTo(from, to) ?? []);
    const taken: number[] = [];
    for (let at = from; at !== to;) {
      const arc = Math.min(...branches.filter((one) => arcFrom[one] === at));
      taken.push(arc);
      at = arcTo[arc] as number;
    }
    return taken;
  }
}
