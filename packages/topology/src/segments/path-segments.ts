import type { CompiledBound } from '../engine/search-problem.js';
import type { EncapMode } from '../model/ted.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { AlgorithmReaches } from './algorithm-reaches.js';
import type { CSids } from './c-sids.js';
import { hostLinks } from './host-links.js';
import type { IgpReach } from './igp-reach.js';
import type { SidChoice } from './sid-choice.js';
import { leadsOnlyTo } from './sid-route.js';

/** A path to express in SIDs, and what the branches of an ECMP segment may do. */
export interface EncodingTask {
  readonly snapshot: Snapshot;
  readonly source: number;
  readonly destination: number;
  readonly sids: SidChoice;
  readonly cSids: CSids;
  /** Source to destination. */
  readonly arcs: readonly number[];
  /** Where a host's first packet can go; the path's first arc is one of them. Empty when the source is a router. */
  readonly headendArcs: readonly number[];
  /** The SIDs that end the finished lists, all of them the destination's. */
  readonly finalSids: readonly number[];
  readonly encapMode: EncapMode;
  /** 1: a branch may cross the arc. */
  readonly allowed: Uint8Array;
  /** Arc values of which no branch may have more than the path: the optimised metric, and what stands for includes. */
  readonly kept: readonly Float64Array[];
  /** Metrics that the sum over all segments must keep within a maximum. */
  readonly bounds: readonly CompiledBound[];
  /** No segment may have more than one branch. */
  readonly singlePath: boolean;
}

/** One SID and where it takes packets. */
export interface Step {
  readonly sid: number;
  /** By whose paths packets get there. */
  readonly algorithm: number;
  /** Index into the nodes of the path. */
  readonly position: number;
  /** Per weight, those to keep before the bounds: the sum over the branch where it is largest. */
  readonly worst: readonly number[];
}

export interface Branches {
  readonly isSinglePath: boolean;
  readonly worst: readonly number[];
}

/** The segments of which a list that follows a path, or branches of the IGP that are as good, can consist. */
export class PathSegments {
  readonly #task: EncodingTask;
  readonly #reaches: AlgorithmReaches;
  readonly #nodes: readonly number[];
  /** Arc values that are summed over branches: those to keep, then the bounds. */
  readonly #weights: readonly Float64Array[];
  /** How many of them no branch may exceed the path in. */
  readonly #compared: number;

  constructor(task: EncodingTask, reaches: AlgorithmReaches, compared: number) {
    this.#task = task;
    this.#reaches = reaches;
    this.#nodes = [task.source, ...task.arcs.map((arc) => task.snapshot.data.arcTo[arc] as number)];
    this.#weights = [...task.kept, ...task.bounds.map((bound) => bound.weight)];
    this.#compared = compared;
  }

  nodeAt(position: number): number {
    return this.#nodes[position] as number;
  }

  /** Where packets are before the first SID: of a host, wherever its links lead. `totals`: per weight, on the worst link. */
  start(): { readonly position: number; readonly origins: readonly number[]; readonly totals: number[] } {
    const { snapshot, source, headendArcs } = this.#task;
    const totals = this.#weights.map((weight) => Math.max(0, ...headendArcs.map((arc) => weight[arc] as number)));
    if (headendArcs.length === 0) return { position: 0, origins: [source], totals };
    return { position: 1, origins: headendArcs.map((arc) => snapshot.data.arcTo[arc] as number), totals };
  }

  /** Branches of the final SIDs from a point of the path; null when one of them does not arrive as it must. */
  finish(position: number, origins: readonly number[]): Branches | null {
    const results = this.#task.finalSids.map((sid) => this.#finishWith(sid, position, origins));
    return results.reduce((a, b) => (a === null || b === null ? null : worseOf(a, b)));
  }

  #finishWith(sid: number, position: number, origins: readonly number[]): Branches | null {
    const { destination, sids } = this.#task;
    const last = this.#nodes.length - 1;
    if (position === last && origins.length === 1) return { isSinglePath: true, worst: this.#weights.map(() => 0) };
    const route = sids.routeOf(sid);
    if (route.kind === 'igp') {
      const reach = this.#reaches.of(route.algorithm);
      return this.#arrives(sid, reach, origins, destination) ? this.#along(reach, position, last, origins) : null;
    }
    if (route.kind === 'unrouted' || position !== last - 1) return null;
    const isOnPath = (links: readonly number[]) =>
      origins.length > 1 || links.includes(this.#task.arcs[position] as number);
    const branches = origins.map((origin) => this.#overHostLinks(origin, route.others, isOnPath));
    return this.#accept(branches, position, last, origins);
  }

  /** What an attachment router does with a packet for its host: even split over its host links of least metric. */
  #overHostLinks(
    router: number,
    others: readonly number[],
    isOnPath: (links: readonly number[]) => boolean,
  ): Branches | null {
    const { snapshot, allowed, destination } = this.#task;
    const links = hostLinks(snapshot, router, destination, others);
    if (links.length === 0 || !isOnPath(links) || links.some((arc) => allowed[arc] === 0)) return null;
    const worst = this.#weights.map((weight) => Math.max(...links.map((arc) => weight[arc] as number)));
    return { isSinglePath: links.length === 1, worst };
  }

  /**
   * What one SID can do from a point of the path: those that get least far first. `crossHostLink`: also into the destination
   * itself, where its attachment router delivers without being told.
   */
  steps(position: number, origins: readonly number[], crossHostLink: boolean): Step[] {
    return this.#task.sids.algorithms.flatMap((algorithm) =>
      this.#stepsBy(algorithm, position, origins, crossHostLink),
    );
  }

  /** End SIDs of the router where packets are: of use only to remove the SRH, or to keep it. */
  stepsInPlace(position: number): Step[] {
    const { snapshot, sids } = this.#task;
    const node = this.nodeAt(position);
    if (snapshot.isHost(node)) return [];
    const worst = this.#weights.map(() => 0);
    return sids.endSidsAtOwner(node).map((sid) => ({ sid, algorithm: 0, position, worst }));
  }

  #stepsBy(algorithm: number, position: number, origins: readonly number[], crossHostLink: boolean): Step[] {
    const { snapshot, arcs, destination, sids } = this.#task;
    const reach = this.#reaches.of(algorithm);
    const weights = this.#weights;
    const last = this.#nodes.length - 1;
    const endsAtHost = snapshot.isHost(destination);
    const hostLinkNeedsSid = endsAtHost && this.finish(last - 1, [this.#nodes[last - 1] as number]) === null;
    const steps: Step[] = [];
    let known: Branches | null = null;
    for (let j = position; j <= (endsAtHost ? last - 1 : last); j++) {
      known = this.#extend(reach, known, position, j, origins);
      if (known === null) {
        // From a single origin a longer segment contains the shorter one, and with it what is wrong with it.
        if (origins.length === 1) break;
        continue;
      }
      const { worst } = known;
      const node = this.#nodes[j] as number;
      const ends = j > position || origins.length > 1 ? sids.endSids(node, algorithm) : [];
      for (const sid of this.#usable(ends, reach, origins, node)) steps.push({ sid, algorithm, position: j, worst });
      const arc = arcs[j];
      if (arc === undefined || (j === last - 1 && endsAtHost && !hostLinkNeedsSid && !crossHostLink)) continue;
      const isAtOwner = j === position && origins.length === 1;
      if (isAtOwner && algorithm !== 0) continue;
      const over = worst.map((sum, i) => sum + ((weights[i] as Float64Array)[arc] as number));
      const crossing = isAtOwner
        ? sids.adjacencySidsAtOwner(arc)
        : this.#usable(sids.adjacencySids(arc, algorithm), reach, origins, node);
      for (const sid of crossing) steps.push({ sid, algorithm, position: j + 1, worst: over });
    }
    return steps;
  }

  /** The SIDs that lead to this owner, anycast ones first. */
  #usable(
    candidates: readonly number[],
    reach: IgpReach,
    origins: readonly number[],
    owner: number,
  ): readonly number[] {
    const { sids } = this.#task;
    if (!sids.hasAnycast || !candidates.some((sid) => sids.isAnycast(sid))) return candidates;
    const anycast = candidates.filter((sid) => sids.isAnycast(sid) && this.#arrives(sid, reach, origins, owner));
    return [...anycast, ...candidates.filter((sid) => !sids.isAnycast(sid))];
  }

  /** Do packets for a SID that is routed get to this owner? Those for an anycast SID may get to another. */
  #arrives(sid: number, reach: IgpReach, origins: readonly number[], owner: number): boolean {
    const { sids, snapshot } = this.#task;
    const route = sids.routeOf(sid);
    if (route.kind !== 'igp' || route.anycast === null) return true;
    const { anycast } = route;
    return origins.every((origin) => {
      if (origin === owner) return true;
      this.#startAt(reach, origin);
      return leadsOnlyTo(snapshot, reach, owner, anycast);
    });
  }

  /** Branches from `position` to `j`, from those to `j - 1` where the last arc is the only way in. */
  #extend(
    reach: IgpReach,
    known: Branches | null,
    position: number,
    j: number,
    origins: readonly number[],
  ): Branches | null {
    const { arcs } = this.#task;
    const weights = this.#weights;
    if (origins.length > 1 || j === position) return this.#along(reach, position, j, origins);
    const arc = arcs[j - 1] as number;
    if (known === null || reach.isKnownLonger(arc)) return null;
    this.#startAt(reach, origins[0] as number);
    const isFirst = j === position + 1;
    if (isFirst ? !reach.isDirect(arc) : !reach.isAt(this.#nodes[j] as number, this.#lengthBy(reach, position, j)))
      return null;
    const isSole = isFirst ? reach.isKnownSole(arc) : reach.soleArcInto(this.#nodes[j] as number) === arc;
    if (!isSole) return this.#along(reach, position, j, origins);
    const worst = known.worst.map((sum, i) => sum + ((weights[i] as Float64Array)[arc] as number));
    return { isSinglePath: known.isSinglePath, worst };
  }

  /** Branches of the IGP from the origins to a node of the path, when the path is one of them and as bad as any. */
  #along(reach: IgpReach, position: number, j: number, origins: readonly number[]): Branches | null {
    if (origins.length === 1 && !this.#staysShortest(reach, position, j)) return null;
    const branches = origins.map((origin) => this.#igpBranches(reach, origin, this.#nodes[j] as number));
    return this.#accept(branches, position, j, origins);
  }

  #igpBranches(reach: IgpReach, origin: number, node: number): Branches | null {
    const { allowed } = this.#task;
    const weights = this.#weights;
    if (origin === node) return { isSinglePath: true, worst: weights.map(() => 0) };
    this.#startAt(reach, origin);
    const branches = reach.branchesTo(node, weights);
    return branches === null || branches.arcs.some((arc) => allowed[arc] === 0) ? null : branches;
  }

  /**
   * With one origin no branch may be worse than the path. A host that splits over several attachment routers has no such
   * choice; what that costs is left to the proof.
   */
  #accept(
    branches: readonly (Branches | null)[],
    position: number,
    j: number,
    origins: readonly number[],
  ): Branches | null {
    const merged = branches.reduce((a, b) => (a === null || b === null ? null : worseOf(a, b)));
    if (merged === null || (this.#task.singlePath && !merged.isSinglePath)) return null;
    if (origins.length > 1) return merged;
    const part = this.#task.arcs.slice(position, j);
    for (let i = 0; i < this.#compared; i++) {
      const weight = this.#weights[i] as Float64Array;
      if ((merged.worst[i] as number) > part.reduce((sum, arc) => sum + (weight[arc] as number), 0)) return null;
    }
    return merged;
  }

  /** Asks node by node, so that the reach grows no further than to where the path leaves the IGP's. */
  #staysShortest(reach: IgpReach, position: number, j: number): boolean {
    const { arcs } = this.#task;
    for (let i = position; i < j; i++) if (reach.isKnownLonger(arcs[i] as number)) return false;
    if (position < j) this.#startAt(reach, this.#nodes[position] as number);
    let length = 0;
    for (let i = position; i < j; i++) {
      const arc = arcs[i] as number;
      length += reach.metric[arc] as number;
      const isShortest = i === position ? reach.isDirect(arc) : reach.isAt(this.#nodes[i + 1] as number, length);
      if (!isShortest) return false;
    }
    return true;
  }

  #startAt(reach: IgpReach, router: number): void {
    const { snapshot, destination } = this.#task;
    reach.startAt(router, snapshot.isHost(destination) ? destination : -1);
  }

  #lengthBy(reach: IgpReach, position: number, j: number): number {
    return this.#task.arcs.slice(position, j).reduce((sum, arc) => sum + (reach.metric[arc] as number), 0);
  }
}

function worseOf(a: Branches, b: Branches): Branches {
  return {
    isSinglePath: a.isSinglePath && b.isSinglePath,
    worst: a.worst.map((sum, i) => Math.max(sum, b.worst[i] as number)),
  };
}
