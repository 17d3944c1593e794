import type { MeshRequest } from '../../model/mesh.js';
import { metricOf } from '../../model/metric-of.js';
import type { NodeId } from '../../model/ted.js';
import { SourceProver, type ListProof } from '../../proof/source-prover.js';
import { packEntries } from '../../segments/containers.js';
import { entryLimitsOf } from '../../segments/entry-limits.js';
import { igpRowsOf } from '../../segments/igp-rows.js';
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
import { SharedLists, type SharedList } from './shared-lists.js';

/**
 * What the paths from one source have in common: the links allowed, the distances over them, and lists begun. These leave out
 * all that holds for the whole of a list only, such as bounds, MTUs and what endpoints can process; the proof holds that against each
 * list. So a list that is proved is the best there is, and of another nothing is known.
 */
export class SharedSource {
  readonly #snapshot: Snapshot;
  readonly #request: MeshRequest;
  readonly #endings: readonly (Ending | null)[];
  /** Of the optimised metric, as the search sums it; Infinity where there is no path. */
  readonly #distance: Float64Array;
  readonly #lists: SharedLists;
  readonly #prover: SourceProver;
  readonly #packs: boolean;
  readonly #source: number;

  private constructor(
    snapshot: Snapshot,
    request: MeshRequest,
    problem: {
      readonly source: NodeId;
      readonly node: number;
      /** Where packets are before the first SID. */
      readonly start: number;
      readonly mask: Uint8Array;
      readonly endings: readonly (Ending | null)[];
      readonly unreservedBps: Float64Array;
    },
  ) {
    const { node, start, mask, endings, unreservedBps } = problem;
    const state = engineState(snapshot);
    const weight = weightOf(snapshot, request.metric);
    const graph = { adjacencies: adjacenciesOf(snapshot.data), length: weight, mask };
    this.#snapshot = snapshot;
    this.#request = request;
    this.#source = node;
    this.#endings = endings;
    this.#distance = state.trees.grow(graph, node, 'from').distance;
    this.#packs = state.cSids.isInUse || entryLimitsOf(snapshot).isInUse;
    this.#prover = new SourceProver(
      snapshot,
      {
        headend: problem.source,
        constraints: request.constraints,
        ...(request.maxSegments === undefined ? {} : { maxSegments: request.maxSegments }),
      },
      { unreservedBps },
    );
    const msd = Math.min(headendMsd(snapshot, node), request.maxSegments ?? Infinity);
    this.#lists = new SharedLists({
      snapshot,
      rows: igpRowsOf(snapshot),
      sids: state.sids,
      cSids: state.cSids,
      start,
      best: bestArcs(snapshot, mask, weight, this.#distance),
      singlePath: request.constraints.bandwidthBps !== undefined,
      maxEntries: encapModeOf(snapshot, node) === 'full' ? msd : msd + 1,
      endings,
      destinations: endings.filter((ending) => ending !== null && this.#distance[ending.node] !== Infinity).length,
    });
    this.#lists.run();
  }

  /** null where every pair has to be computed by itself: nothing of what is shared would be right. */
  static of(
    snapshot: Snapshot,
    source: NodeId,
    request: MeshRequest,
    unreservedBps: Float64Array,
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
    const start = headendArcs.length === 0 ? node : (snapshot.data.arcTo[headendArcs[0] as number] as number);
    return new SharedSource(snapshot, request, { source, node, start, mask, endings, unreservedBps });
  }

  /** The best path; `none`: there is none; null: nothing is known. */
  pathTo(destination: NodeId): ProvedPath | 'none' | null {
    const node = this.#snapshot.nodeIndexOf(destination);
    const ending = this.#endings[node];
    if (ending === undefined || ending === null) return 'none';
    if (this.#isExempt(node) || ending.route === null) return null;
    if (this.#distance[node] === Infinity) return 'none';
    const list = this.#lists.to(node);
    return list === null ? null : this.#proved(destination, ending, list);
  }

  /** As an endpoint a node may be drained, or at a site that is excluded; then links at it are allowed for this pair only. */
  #isExempt(node: number): boolean {
    const { nodeFlags, nodeSite } = this.#snapshot.data;
    if (((nodeFlags[node] as number) & NodeFlag.Drained) !== 0) return true;
    const { sites = [] } = this.#request.constraints.exclude ?? {};
    return sites.length > 0 && sites.includes(this.#snapshot.siteNames[nodeSite[node] as number] ?? '');
  }

  #proved(destination: NodeId, ending: Ending, { transport, entries }: SharedList): ProvedPath | null {
    const proofs: ListProof[] = [];
    for (const sid of ending.finalSids) {
      const pushed = this.#pushed([...transport, sid]);
      const proof = this.#prover.prove(pushed, destination);
      if (!proof.ok || pushed.length > entries) return null;
      proofs.push(proof);
    }
    const least = this.#distance[ending.node] as number;
    const isBest = proofs.every((proof) => this.#costOf(proof) <= least);
    if (!isBest) return null;
    return {
      transport: ending.families[0] === null ? [...transport, ...ending.finalSids] : transport,
      entries,
      proofs,
    };
  }

  #costOf({ worst, worstLossUnits }: ListProof): number {
    const { metric } = this.#request;
    return metric === 'loss' ? worstLossUnits : (metricOf(worst, metric) ?? Number.NaN);
  }

  /** The addresses of a list. */
  #pushed(sids: readonly number[]): string[] {
    const { sidTexts } = this.#snapshot;
    if (!this.#packs) return sids.map((sid) => sidTexts[sid] as string);
    const state = engineState(this.#snapshot);
    const packed = packEntries(this.#snapshot, state.cSids, sids, encapModeOf(this.#snapshot, this.#source));
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
