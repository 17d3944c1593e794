import type { MeshRequest } from '../../model/mesh.js';
import { metricOf } from '../../model/metric-of.js';
import type { NodeId } from '../../model/ted.js';
import { SourceProver, type ListProof } from '../../proof/source-prover.js';
import { packEntries } from '../../segments/containers.js';
import { entryLimitsOf } from '../../segments/entry-limits.js';
import { igpRowsOf } from '../../segments/igp-rows.js';
import { segmentCosts } from '../../segments/segment-costs.js';
import { encapModeOf } from '../../segments/segment-list.js';
import { NodeFlag } from '../../snapshot/snapshot-data.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { adjacenciesOf } from '../../spf/adjacency.js';
import { Eligibility } from '../eligibility.js';
import { engineState } from '../engine-state.js';
import { weightOf } from '../metric-values.js';
import { headendArcsOf, headendMsd } from '../prepare-request.js';
import { meshEndingOf, type Ending } from './endings.js';
import type { ProvedPath } from './found-paths.js';
import { LimitedLists } from './limited-lists.js';
import { SharedLists, type SharedList } from './shared-lists.js';

interface SourceProblem {
  readonly snapshot: Snapshot;
  readonly request: MeshRequest;
  /** The source. */
  readonly node: number;
  /** The only link that a host sends over; -1 of a router. */
  readonly headendArc: number;
  /** Where packets are before the first SID. */
  readonly start: number;
  readonly mask: Uint8Array;
  readonly weight: Float64Array;
  readonly maxEntries: number;
  /** By node; null: it is no destination, or no list can end there. */
  readonly endings: readonly (Ending | null)[];
  readonly unreservedBps: Float64Array;
  /** Called between units of work; it may throw. */
  readonly checkpoint: () => void;
}

/**
 * What the paths from one source have in common: the links allowed, the distances over them, and lists begun. These leave out
 * all that holds for the whole of a list only, such as bounds, MTUs and what endpoints can process; the proof holds that against each
 * list. So a list that is proved is the best there is, and of another nothing is known.
 */
export class SharedSource {
  readonly #problem: SourceProblem;
  /** Of the optimised metric, as the search sums it; Infinity where there is no path. */
  readonly #distance: Float64Array;
  readonly #lists: SharedLists;
  readonly #prover: SourceProver;
  readonly #packs: boolean;
  /** Computed when the headend cannot push what keeps packets on best paths. */
  #limited: LimitedLists | undefined;

  private constructor(problem: SourceProblem) {
    const { snapshot, request, node, start, mask, weight, endings, unreservedBps, checkpoint } = problem;
    const { constraints, maxSegments } = request;
    const { trees, sids, cSids } = engineState(snapshot);
    this.#problem = problem;
    this.#distance = trees.grow(
      { adjacencies: adjacenciesOf(snapshot.data), length: weight, mask },
      node,
      'from',
    ).distance;
    this.#packs = cSids.isInUse || entryLimitsOf(snapshot).isInUse;
    const requirement = { headend: snapshot.nodeIdOf(node), constraints };
    this.#prover = new SourceProver(
      snapshot,
      maxSegments === undefined ? requirement : { ...requirement, maxSegments },
      { unreservedBps },
    );
    this.#lists = new SharedLists({
      snapshot,
      rows: igpRowsOf(snapshot),
      sids,
      cSids,
      start,
      best: bestArcs(snapshot, mask, weight, this.#distance),
      weight,
      singlePath: constraints.bandwidthBps !== undefined,
      maxEntries: problem.maxEntries,
      endings,
      destinations: endings.filter((ending) => ending !== null && this.#distance[ending.node] !== Infinity).length,
      checkpoint,
    });
    this.#lists.run();
  }

  /** null where every pair has to be computed by itself: nothing of what is shared would be right. */
  static of(
    snapshot: Snapshot,
    source: NodeId,
    request: MeshRequest,
    unreservedBps: Float64Array,
    checkpoint: () => void,
  ): SharedSource | null {
    const node = snapshot.nodeIndexOf(source);
    const { constraints, metric, families, destinations } = request;
    const state = engineState(snapshot);
    const rows = igpRowsOf(snapshot);
    const isShareable =
      node >= 0 &&
      (constraints.include ?? []).length === 0 &&
      !state.sids.hasAnycast &&
      state.sids.algorithms.every((algorithm) => !rows.linksOf(algorithm).hasZero);
    if (!isShareable) return null;
    const headendArcs = snapshot.isHost(node) ? headendArcsOf(snapshot, node, -1) : [];
    if (snapshot.isHost(node) && headendArcs.length !== 1) return null;
    const endings = new Array<Ending | null>(snapshot.nodeCount).fill(null);
    for (const id of destinations) {
      const to = snapshot.nodeIndexOf(id);
      if (to >= 0 && to !== node) endings[to] = meshEndingOf(snapshot, to, families);
    }
    const deliveryArcs = endings.flatMap((ending) => (ending === null ? [] : ending.deliveryArcs));
    const common = { snapshot, source: node, destination: node, metric, constraints, unreservedBps };
    const mask = new Eligibility({ ...common, headendArcs, deliveryArcs }).mask();
    const msd = Math.min(headendMsd(snapshot, node), request.maxSegments ?? Infinity);
    return new SharedSource({
      snapshot,
      request,
      node,
      headendArc: headendArcs[0] ?? -1,
      start: headendArcs.length === 0 ? node : (snapshot.data.arcTo[headendArcs[0] as number] as number),
      mask,
      weight: weightOf(snapshot, metric),
      maxEntries: encapModeOf(snapshot, node) === 'full' ? msd : msd + 1,
      endings,
      unreservedBps,
      checkpoint,
    });
  }

  /** The best path; `none`: there is none; null: nothing is known. */
  pathTo(destination: NodeId): ProvedPath | 'none' | null {
    const node = this.#problem.snapshot.nodeIndexOf(destination);
    const ending = this.#problem.endings[node];
    if (ending === undefined || ending === null) return 'none';
    if (this.#isExempt(node) || ending.route === null) return null;
    const least = this.#distance[node] as number;
    if (least === Infinity) return 'none';
    const list = this.#lists.to(node);
    if (list !== null) return this.#proved(destination, ending, list, least);
    // With C-SIDs what a SID costs in entries depends on those before it.
    const limited = engineState(this.#problem.snapshot).cSids.isInUse ? null : this.#limitedLists().to(node);
    return limited === null ? null : this.#proved(destination, ending, limited, limited.cost);
  }

  #limitedLists(): LimitedLists {
    if (this.#limited !== undefined) return this.#limited;
    const { snapshot, request, mask, weight, headendArc, start, endings, maxEntries, checkpoint } = this.#problem;
    const allowed = mask.slice();
    if (headendArc >= 0) allowed[headendArc] = 0;
    const singlePath = request.constraints.bandwidthBps !== undefined;
    const sought = (ending: Ending | null): ending is Ending =>
      ending !== null && this.#distance[ending.node] !== Infinity && this.#lists.to(ending.node) === null;
    const limited = new LimitedLists({
      costs: segmentCosts({ snapshot, sids: engineState(snapshot).sids, allowed, weight, singlePath }),
      start,
      startCost: this.#distance[start] as number,
      maxEntries,
      endings: endings.filter(sought),
      checkpoint,
    });
    limited.run();
    this.#limited = limited;
    return limited;
  }

  /** As an endpoint a node may be drained, or at a site that is excluded; then links at it are allowed for this pair only. */
  #isExempt(node: number): boolean {
    const { nodeFlags, nodeSite } = this.#problem.snapshot.data;
    if (((nodeFlags[node] as number) & NodeFlag.Drained) !== 0) return true;
    const { sites = [] } = this.#problem.request.constraints.exclude ?? {};
    return sites.length > 0 && sites.includes(this.#problem.snapshot.siteNames[nodeSite[node] as number] ?? '');
  }

  /** null: the proof refuses the list, or it is not as good as was believed. */
  #proved(destination: NodeId, ending: Ending, { transport, entries }: SharedList, cost: number): ProvedPath | null {
    const proofs: ListProof[] = [];
    for (const sid of ending.finalSids) {
      const pushed = this.#pushed([...transport, sid]);
      const proof = this.#prover.prove(pushed, destination);
      if (!proof.ok || pushed.length > entries) return null;
      proofs.push(proof);
    }
    if (!proofs.every((proof) => this.#costOf(proof) <= cost)) return null;
    return {
      transport: ending.families[0] === null ? [...transport, ...ending.finalSids] : transport,
      entries,
      proofs,
    };
  }

  #costOf({ worst, worstLossUnits }: ListProof): number {
    const { metric } = this.#problem.request;
    return metric === 'loss' ? worstLossUnits : (metricOf(worst, metric) ?? Number.NaN);
  }

  /** The addresses of a list. */
  #pushed(sids: readonly number[]): string[] {
    const { snapshot, node } = this.#problem;
    if (!this.#packs) return sids.map((sid) => snapshot.sidTextOf(sid));
    const packed = packEntries(snapshot, engineState(snapshot).cSids, sids, encapModeOf(snapshot, node));
    return packed.map(({ address }) => address);
  }
}

/** By arc, 1: the last one of a best path to some node. */
function bestArcs(snapshot: Snapshot, mask: Uint8Array, weight: Float64Array, distance: Float64Array): Uint8Array {
  const { arcFrom, arcTo } = snapshot.data;
  const best = new Uint8Array(mask.length);
  for (let arc = 0; arc < best.length; arc++) {
    const from = distance[arcFrom[arc] as number] as number;
    if (mask[arc] === 1 && from !== Infinity && from + (weight[arc] as number) === distance[arcTo[arc] as number]) {
      best[arc] = 1;
    }
  }
  return best;
}
