import { MeshMetrics, MeshStatus, type SourcePaths } from '../../model/mesh.js';
import { metricOf } from '../../model/metric-of.js';
import type { ComputedPath, NoPath, PathAnswer, PathMetrics } from '../../model/path-answer.js';
import type { MetricType } from '../../model/path-request.js';
import type { NodeId } from '../../model/ted.js';
import type { Snapshot } from '../../snapshot/snapshot.js';

/** A path that is as good as can be, with what the proofs of its lists say. */
export interface ProvedPath {
  readonly transport: readonly number[];
  readonly entries: number;
  /** Of the list of each family. */
  readonly proofs: readonly { readonly worst: PathMetrics; readonly singlePath: boolean }[];
}

/** Puts the paths from one source into flat arrays, one destination after the other. */
export class FoundPaths {
  readonly #snapshot: Snapshot;
  readonly #source: NodeId;
  readonly #arrays: Omit<SourcePaths, 'revision' | 'source' | 'sids' | 'computedAlone' | 'noPaths'>;
  readonly #sids: number[] = [];
  readonly #noPaths = new Map<number, NoPath>();
  #next = 0;
  #computedAlone = 0;

  constructor(snapshot: Snapshot, source: NodeId, count: number) {
    this.#snapshot = snapshot;
    this.#source = source;
    this.#arrays = {
      status: new Uint8Array(count),
      metric: new Float64Array(count).fill(Number.NaN),
      lowerBound: new Float64Array(count).fill(Infinity),
      entries: new Uint16Array(count),
      worst: new Float64Array(count * MeshMetrics.length).fill(Number.NaN),
      singlePath: new Uint8Array(count),
      start: new Uint32Array(count + 1),
    };
  }

  addWithout(status: number): void {
    this.#arrays.status[this.#next] = status;
    this.#end();
  }

  addProved(metric: MetricType, { transport, entries, proofs }: ProvedPath): void {
    const value = this.#measure(metric, proofs);
    this.#add(MeshStatus.computed, value, value, entries, transport);
  }

  /** What was computed for one pair by itself. */
  addAnswer(metric: MetricType, answer: PathAnswer): void {
    this.#computedAlone++;
    const path = answer.status === 'computed' ? answer.paths[0] : undefined;
    if (answer.status !== 'computed' || path === undefined) {
      if (answer.status === 'no-path') this.#noPaths.set(this.#next, answer);
      this.addWithout(MeshStatus.noPath);
      return;
    }
    const value = this.#measure(
      metric,
      path.segmentLists.map(({ proof }) => proof),
    );
    const status = answer.optimality === 'optimal' ? MeshStatus.computed : MeshStatus.feasible;
    const entries = Math.max(...path.segmentLists.map((list) => list.entries.length));
    this.#add(status, value, answer.lowerBound, entries, this.#numbersOf(path));
  }

  paths(): SourcePaths {
    return {
      revision: this.#snapshot.revision,
      source: this.#source,
      ...this.#arrays,
      sids: Uint32Array.from(this.#sids),
      computedAlone: this.#computedAlone,
      noPaths: this.#noPaths,
    };
  }

  #add(status: number, metric: number, lowerBound: number, entries: number, transport: readonly number[]): void {
    const at = this.#next;
    this.#arrays.status[at] = status;
    this.#arrays.metric[at] = metric;
    this.#arrays.lowerBound[at] = lowerBound;
    this.#arrays.entries[at] = entries;
    for (const sid of transport) this.#sids.push(sid);
    this.#end();
  }

  /** Of each metric the worst of all lists; returns that of the one optimised. */
  #measure(metric: MetricType, proofs: ProvedPath['proofs']): number {
    const { worst, singlePath } = this.#arrays;
    MeshMetrics.forEach((type, i) => {
      let most = -Infinity;
      for (const proof of proofs) most = Math.max(most, metricOf(proof.worst, type) ?? Number.NaN);
      worst[this.#next * MeshMetrics.length + i] = most;
    });
    singlePath[this.#next] = proofs.every((proof) => proof.singlePath) ? 1 : 0;
    return worst[this.#next * MeshMetrics.length + MeshMetrics.indexOf(metric)] as number;
  }

  #end(): void {
    this.#arrays.start[++this.#next] = this.#sids.length;
  }

  /** An anycast SID has several numbers: the one of its owner counts. */
  #numbersOf({ transport }: ComputedPath): number[] {
    const { sidNode } = this.#snapshot.data;
    return transport.map(({ sid, node }) => {
      const owner = this.#snapshot.nodeIndexOf(node);
      return this.#snapshot.sidsWith(sid).find((number) => sidNode[number] === owner) as number;
    });
  }
}
