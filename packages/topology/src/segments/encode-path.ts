import type { CompiledBound } from '../engine/search-problem.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { IgpReach } from './igp-reach.js';
import { adjacencySidOf, endSidOf, reachOf } from './owned-sids.js';

/** A path to express in SIDs, and what the branches of an ECMP segment may do. */
export interface EncodingTask {
  readonly snapshot: Snapshot;
  readonly source: number;
  readonly destination: number;
  /** Source to destination. */
  readonly arcs: readonly number[];
  /** Where a host's first packet can go; the path's first arc is one of them. Empty when the source is a router. */
  readonly headendArcs: readonly number[];
  /** The SIDs that end the finished lists, all of them the destination's. */
  readonly finalSids: readonly number[];
  /** 1: a branch may cross the arc. */
  readonly allowed: Uint8Array;
  /** Arc values of which no branch may have more than the path: the optimised metric, and what stands for includes. */
  readonly kept: readonly Float64Array[];
  /** Metrics that the sum over all segments must keep within a maximum. */
  readonly bounds: readonly CompiledBound[];
  /** No segment may have more than one branch. */
  readonly singlePath: boolean;
}

export type Encoding =
  | { readonly kind: 'encoded'; readonly transport: readonly number[] }
  /** No SID makes routers cross this arc of the path. */
  | { readonly kind: 'unencodable'; readonly arc: number };

/**
 * The fewest SIDs that keep packets on a path, or on branches of the IGP that are as good: from each point the furthest
 * reach, which is optimal because a segment that holds from one point of the path holds from every later one. An End
 * SID covers the IGP's branches to a node; an End.X SID covers those to its owner, and then the link.
 */
export function encodePath(task: EncodingTask, reach: IgpReach): Encoding {
  // Branches need not keep each bound as well as the path does, when the sum of what they take still does.
  const relaxed = new PathEncoder(task, reach, task.kept.length).encode();
  if (relaxed.kind === 'encoded' || task.bounds.length === 0) return relaxed;
  return new PathEncoder(task, reach, task.kept.length + task.bounds.length).encode();
}

interface Step {
  readonly sid: number;
  /** Index into the nodes of the path. */
  readonly position: number;
  readonly worst: readonly number[];
}

interface Branches {
  readonly isSinglePath: boolean;
  readonly worst: readonly number[];
}

class PathEncoder {
  readonly #task: EncodingTask;
  readonly #reach: IgpReach;
  readonly #nodes: readonly number[];
  /** Arc values that are summed over branches: those to keep, then the bounds. */
  readonly #weights: readonly Float64Array[];
  /** How many of them no branch may exceed the path in. */
  readonly #compared: number;

  constructor(task: EncodingTask, reach: IgpReach, compared: number) {
    this.#task = task;
    this.#reach = reach;
    this.#nodes = [task.source, ...task.arcs.map((arc) => task.snapshot.data.arcTo[arc] as number)];
    this.#weights = [...task.kept, ...task.bounds.map((bound) => bound.weight)];
    this.#compared = compared;
  }

  encode(): Encoding {
    const { snapshot, headendArcs, arcs, kept, bounds } = this.#task;
    const weights = this.#weights;
    const entries = headendArcs.map((arc) => snapshot.data.arcTo[arc] as number);
    let position = entries.length > 0 ? 1 : 0;
    let origins = entries.length > 0 ? entries : [this.#task.source];
    const totals = weights.map((weight) => Math.max(0, ...headendArcs.map((arc) => weight[arc] as number)));
    const addWorst = (worst: readonly number[]) => worst.forEach((sum, i) => (totals[i] = (totals[i] as number) + sum));
    const transport: number[] = [];
    for (;;) {
      const end = this.#finish(position, origins);
      if (end !== null) {
        addWorst(end.worst);
        const isWithin = bounds.every((bound, i) => (totals[kept.length + i] as number) <= bound.max);
        return isWithin ? { kind: 'encoded', transport } : { kind: 'unencodable', arc: arcs[0] as number };
      }
      const step = this.#furthest(position, origins);
      if (step === null) return { kind: 'unencodable', arc: arcs[Math.min(position, arcs.length - 1)] as number };
      transport.push(step.sid);
      addWorst(step.worst);
      position = step.position;
      origins = [this.#nodes[position] as number];
    }
  }

  /** Branches of the final SIDs from a point of the path; null when one of them does not arrive as it must. */
  #finish(position: number, origins: readonly number[]): Branches | null {
    const results = this.#task.finalSids.map((sid) => this.#finishWith(sid, position, origins));
    return results.reduce((a, b) => (a === null || b === null ? null : worseOf(a, b)));
  }

  #finishWith(sid: number, position: number, origins: readonly number[]): Branches | null {
    const { snapshot, destination } = this.#task;
    const last = this.#nodes.length - 1;
    if (position === last && origins.length === 1) return { isSinglePath: true, worst: this.#weights.map(() => 0) };
    const how = reachOf(snapshot, sid);
    if (how === 'igp') return this.#along(position, last, origins);
    if (how === 'unrouted' || position !== last - 1) return null;
    const isOnPath = (links: readonly number[]) =>
      origins.length > 1 || links.includes(this.#task.arcs[position] as number);
    const branches = origins.map((origin) => this.#overHostLinks(origin, destination, isOnPath));
    return this.#accept(branches, position, last, origins);
  }

  /** What an attachment router does with a packet for its host: even split over its host links of least metric. */
  #overHostLinks(router: number, host: number, isOnPath: (links: readonly number[]) => boolean): Branches | null {
    const { snapshot, allowed } = this.#task;
    const links = hostLinks(snapshot, router, host);
    if (links.length === 0 || !isOnPath(links) || links.some((arc) => allowed[arc] === 0)) return null;
    const worst = this.#weights.map((weight) => Math.max(...links.map((arc) => weight[arc] as number)));
    return { isSinglePath: links.length === 1, worst };
  }

  /** The step that gets furthest along the path with one SID. */
  #furthest(position: number, origins: readonly number[]): Step | null {
    const { snapshot, arcs, destination } = this.#task;
    const weights = this.#weights;
    const last = this.#nodes.length - 1;
    const endsAtHost = snapshot.isHost(destination);
    const hostLinkNeedsSid = endsAtHost && this.#finish(last - 1, [this.#nodes[last - 1] as number]) === null;
    let best: Step | null = null;
    let known: Branches | null = null;
    for (let j = position; j <= (endsAtHost ? last - 1 : last); j++) {
      known = this.#extend(known, position, j, origins);
      if (known === null) {
        // From a single origin a longer segment contains the shorter one, and with it what is wrong with it.
        if (origins.length === 1) break;
        continue;
      }
      const node = this.#nodes[j] as number;
      const end = j > position || origins.length > 1 ? endSidOf(snapshot, node) : -1;
      if (end >= 0) best = { sid: end, position: j, worst: known.worst };
      const arc = arcs[j];
      if (arc === undefined || (j === last - 1 && endsAtHost && !hostLinkNeedsSid)) continue;
      const adjacency = adjacencySidOf(snapshot, arc);
      const isAtOwner = j === position && origins.length === 1;
      if (adjacency < 0 || !(isAtOwner || reachOf(snapshot, adjacency) === 'igp')) continue;
      const worst = known.worst.map((sum, i) => sum + ((weights[i] as Float64Array)[arc] as number));
      best = { sid: adjacency, position: j + 1, worst };
    }
    return best;
  }

  /** Branches from `position` to `j`, from those to `j - 1` where the last arc is the only way in. */
  #extend(known: Branches | null, position: number, j: number, origins: readonly number[]): Branches | null {
    const { arcs } = this.#task;
    const weights = this.#weights;
    if (origins.length > 1 || j === position) return this.#along(position, j, origins);
    const arc = arcs[j - 1] as number;
    this.#startAt(origins[0] as number);
    if (known === null || this.#reach.distanceTo(this.#nodes[j] as number) !== this.#igpLength(position, j))
      return null;
    if (this.#reach.soleArcInto(this.#nodes[j] as number) !== arc) return this.#along(position, j, origins);
    const worst = known.worst.map((sum, i) => sum + ((weights[i] as Float64Array)[arc] as number));
    return { isSinglePath: known.isSinglePath, worst };
  }

  /** Branches of the IGP from the origins to a node of the path, when the path is one of them and as bad as any. */
  #along(position: number, j: number, origins: readonly number[]): Branches | null {
    if (origins.length === 1 && !this.#staysShortest(position, j)) return null;
    const branches = origins.map((origin) => this.#igpBranches(origin, this.#nodes[j] as number));
    return this.#accept(branches, position, j, origins);
  }

  #igpBranches(origin: number, node: number): Branches | null {
    const { allowed } = this.#task;
    const weights = this.#weights;
    if (origin === node) return { isSinglePath: true, worst: weights.map(() => 0) };
    this.#startAt(origin);
    const branches = this.#reach.branchesTo(node, weights);
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
  #staysShortest(position: number, j: number): boolean {
    if (position < j) this.#startAt(this.#nodes[position] as number);
    let length = 0;
    for (let i = position; i < j; i++) {
      length += this.#task.snapshot.data.igpMetric[this.#task.arcs[i] as number] as number;
      if (this.#reach.distanceTo(this.#nodes[i + 1] as number) !== length) return false;
    }
    return true;
  }

  #startAt(router: number): void {
    const { snapshot, destination } = this.#task;
    this.#reach.startAt(router, snapshot.isHost(destination) ? destination : -1);
  }

  #igpLength(position: number, j: number): number {
    const { igpMetric } = this.#task.snapshot.data;
    return this.#task.arcs.slice(position, j).reduce((sum, arc) => sum + (igpMetric[arc] as number), 0);
  }
}

/** Usable links of least IGP metric from an attachment router to its host. */
export function hostLinks(snapshot: Snapshot, router: number, host: number): number[] {
  const { arcTo, igpMetric } = snapshot.data;
  const links = snapshot.linksOf(router).filter((arc) => arcTo[arc] === host && snapshot.isUsable(arc));
  const least = Math.min(...links.map((arc) => igpMetric[arc] as number));
  return links.filter((arc) => igpMetric[arc] === least);
}

function worseOf(a: Branches, b: Branches): Branches {
  return {
    isSinglePath: a.isSinglePath && b.isSinglePath,
    worst: a.worst.map((sum, i) => Math.max(sum, b.worst[i] as number)),
  };
}
