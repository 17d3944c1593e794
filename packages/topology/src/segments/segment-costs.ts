import type { Snapshot } from '../snapshot/snapshot.js';
import { igpRowsOf } from './igp-rows.js';
import type { SidChoice } from './sid-choice.js';
import { SourceSegments } from './source-segments.js';

/** Rows kept, in bytes; the oldest go first. */
const CACHE_BYTES = 128 * 1024 * 1024;

/** What one SID costs from one router, by the node that it takes packets to. */
export interface CostRow {
  /** The least sum over the worst branch of all SIDs that lead to the node; Infinity where none does. */
  readonly cost: Float64Array;
  /** The SID that has it; -1 for none. */
  readonly sid: Int32Array;
  /** By algorithm: the sum over the worst branch when the algorithm alone takes packets to the node. */
  readonly reach: ReadonlyMap<number, Float64Array>;
}

/** What a SID costs depends on. Anycast SIDs and C-SIDs there are none. */
export interface CostRules {
  readonly snapshot: Snapshot;
  readonly sids: SidChoice;
  /** By arc, 1: branches may cross it. None of them leaves a host. */
  readonly allowed: Uint8Array;
  readonly weight: Float64Array;
  readonly singlePath: boolean;
}

/**
 * The SR graph: an arc from every router to every node that one SID takes packets to, of two that lead there the cheaper one. Rows
 * are computed when somebody asks, and kept.
 */
export class SegmentCosts {
  readonly rules: CostRules;
  readonly #segments: SourceSegments;
  readonly #rows = new Map<number, CostRow>();
  readonly #capacity: number;

  constructor(rules: CostRules) {
    const { snapshot, allowed, singlePath, weight, sids } = rules;
    this.rules = rules;
    this.#segments = new SourceSegments(snapshot, igpRowsOf(snapshot), allowed, singlePath, weight);
    const rowBytes = (12 + 8 * sids.algorithms.length) * Math.max(1, snapshot.nodeCount);
    this.#capacity = Math.max(16, Math.floor(CACHE_BYTES / rowBytes));
  }

  from(router: number): CostRow {
    const known = this.#rows.get(router);
    if (known !== undefined) return known;
    const row = this.#compute(router);
    this.#rows.set(router, row);
    const oldest = this.#rows.keys().next();
    if (this.#rows.size > this.#capacity && oldest.done !== true) this.#rows.delete(oldest.value);
    return row;
  }

  #compute(router: number): CostRow {
    const { snapshot, sids } = this.rules;
    const { nodeCount } = snapshot;
    const row = { cost: new Float64Array(nodeCount).fill(Infinity), sid: new Int32Array(nodeCount).fill(-1) };
    const reach = new Map<number, Float64Array>();
    for (const algorithm of sids.algorithms) {
      const count = this.#segments.from(router, algorithm);
      const { nodes, worst } = this.#segments;
      const sums = new Float64Array(nodeCount).fill(Infinity);
      for (let i = 0; i < count; i++) {
        const node = nodes[i] as number;
        const sum = worst[node] as number;
        sums[node] = sum;
        if (snapshot.isHost(node)) continue;
        const [end] = i === 0 ? [] : sids.endSids(node, algorithm);
        if (end !== undefined) improve(row, node, sum, end);
        // Where packets are already they need no route: once for all algorithms.
        if (i > 0 || algorithm === 0) this.#crossLinks(row, node, sum, i === 0 ? -1 : algorithm);
      }
      reach.set(algorithm, sums);
    }
    return { ...row, reach };
  }

  /** `algorithm`: -1 where packets are at the node already. */
  #crossLinks(row: Omit<CostRow, 'reach'>, node: number, sum: number, algorithm: number): void {
    const { snapshot, sids, allowed, weight } = this.rules;
    const { arcTo, outStart } = snapshot.data;
    const end = outStart[node + 1] as number;
    for (let arc = outStart[node] as number; arc < end; arc++) {
      if (allowed[arc] === 0) continue;
      const over = sum + (weight[arc] as number);
      if (over >= (row.cost[arcTo[arc] as number] as number)) continue;
      const [sid] = algorithm < 0 ? sids.adjacencySidsAtOwner(arc) : sids.adjacencySids(arc, algorithm);
      if (sid !== undefined) improve(row, arcTo[arc] as number, over, sid);
    }
  }
}

function improve({ cost, sid }: Omit<CostRow, 'reach'>, node: number, sum: number, by: number): void {
  if (sum >= (cost[node] as number)) return;
  cost[node] = sum;
  sid[node] = by;
}

/** Of the snapshots in use: the costs that were asked for last. */
const last = new WeakMap<Snapshot, SegmentCosts>();

/** The costs by these rules: those computed before where the rules are the same as the last time. */
export function segmentCosts(rules: CostRules): SegmentCosts {
  const known = last.get(rules.snapshot);
  if (known !== undefined && areSame(known.rules, rules)) return known;
  const made = new SegmentCosts(rules);
  last.set(rules.snapshot, made);
  return made;
}

function areSame(a: CostRules, b: CostRules): boolean {
  return (
    a.weight === b.weight &&
    a.singlePath === b.singlePath &&
    a.allowed.every((allowed, arc) => allowed === b.allowed[arc])
  );
}
