import { srhEntries } from '../model/encapsulation.js';
import { metricOf } from '../model/metric-of.js';
import type { ComputedPath, PathMetrics, PathsFound } from '../model/path-answer.js';
import type { MetricType } from '../model/path-request.js';
import type { ViolationKind } from '../model/proof.js';
import type { NodeId } from '../model/ted.js';
import type { ExactProof } from '../proof/prove.js';
import { packEntries } from '../segments/containers.js';
import { encodePath } from '../segments/encode-path.js';
import { segmentOf } from '../segments/resolve-segments.js';
import { proveFamilies } from '../segments/segment-list.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { lossUnits, ppmOfLoss } from './loss-units.js';
import { reportedValue } from './metric-values.js';
import type { PreparedRequest } from './prepare-request.js';
import { sumOver, type IncludeStep } from './search-problem.js';

export interface Finished {
  readonly kind: 'finished';
  readonly path: ComputedPath;
  /** Optimised metric on the worst branch of the worst list, as the search sums it. */
  readonly worst: number;
  /** Of the longest list. */
  readonly entries: number;
  /** Every arc that packets of one of the lists can cross, and the share that does: of the list where it is largest. */
  readonly load: ReadonlyMap<number, number>;
}

/** A path with its segment lists, or why it has none that may be used. */
export type FinishedPath =
  | Finished
  | { readonly kind: 'too-deep'; readonly srhEntries: number }
  | { readonly kind: 'unencodable'; readonly arc: number }
  | {
      readonly kind: 'refuted';
      readonly violation: ViolationKind;
      readonly node: NodeId | null;
      readonly message: string;
    };

/** Encodes a path, proves every list of it, and measures it. `allowed`: arcs that ECMP branches may take. */
export function finishPath(
  prepared: PreparedRequest,
  arcs: readonly number[],
  allowed: Uint8Array,
  needsOnePath = prepared.isOnePath,
): FinishedPath {
  const finished = finishAlong(prepared, arcs, allowed, needsOnePath);
  // A branch can pass the nodes of strict entries too, with others between them; the path itself does not.
  const hasStrict = prepared.problem.include.some((step) => step.isStrict);
  if (finished.kind !== 'refuted' || finished.violation !== 'include-missed' || !hasStrict) return finished;
  return finishAlong(prepared, arcs, allowed, true);
}

function finishAlong(
  prepared: PreparedRequest,
  arcs: readonly number[],
  allowed: Uint8Array,
  singlePath: boolean,
): FinishedPath {
  const { snapshot, problem, finalSids } = prepared;
  const encoding = encodePath(
    {
      snapshot,
      sids: prepared.state.sids,
      cSids: prepared.state.cSids,
      source: problem.source,
      destination: problem.destination,
      arcs,
      headendArcs: prepared.headendArcs,
      finalSids,
      encapMode: prepared.encapMode,
      allowed,
      kept: [problem.weight, ...problem.include.map((step) => passingWeight(snapshot, step))],
      bounds: problem.bounds,
      singlePath,
    },
    prepared.state.reaches,
  );
  if (encoding.kind === 'unencodable') return encoding;
  return finishList(prepared, encoding.transport, arcs);
}

/** Proves and measures what a headend does with SIDs in front of the final ones. `arcs`: the branch to show. */
export function finishList(
  prepared: PreparedRequest,
  sidsInFront: readonly number[],
  arcs: readonly number[],
): FinishedPath {
  const { snapshot, request, state, problem, families, finalSids, msd, encapMode, unreservedBps } = prepared;
  const packed = finalSids.map((sid) => packEntries(snapshot, state.cSids, [...sidsInFront, sid], encapMode));
  const entries = Math.max(...packed.map((list) => list.length));
  const depth = srhEntries(encapMode, entries);
  if (depth > msd) return { kind: 'too-deep', srhEntries: depth };
  const transport = [...sidsInFront, ...(families[0] === null ? finalSids : [])];

  const requirement = {
    constraints: request.constraints,
    ...(request.maxSegments === undefined ? {} : { maxSegments: request.maxSegments }),
  };
  const proved = proveFamilies(snapshot, request.source, transport, families, request.destination, requirement, {
    unreservedBps,
  });
  const violation = proved.find(({ proof }) => !proof.ok)?.proof.violation;
  if (violation) {
    const { kind, node, message } = violation;
    return { kind: 'refuted', violation: kind, node, message };
  }
  const worst = proved.map(({ proof }) => sumOf(proof, request.metric));
  return {
    kind: 'finished',
    worst: Math.max(...worst),
    entries,
    load: largestLoad(
      snapshot,
      proved.map(({ proof }) => proof),
    ),
    path: {
      weight: 1,
      nodes: nodesAlong(snapshot, problem.source, arcs),
      links: arcs.map((arc) => snapshot.linkIdOf(arc)),
      metrics: metricsOf(snapshot, arcs),
      bottleneck: bottleneckOf(snapshot, arcs, unreservedBps),
      transport: transport.map((sid) => segmentOf(snapshot, sid)),
      segmentLists: proved.map(({ list }) => list),
    },
  };
}

function largestLoad(snapshot: Snapshot, proofs: readonly ExactProof[]): Map<number, number> {
  const load = new Map<number, number>();
  for (const { linkId, share } of proofs.flatMap((proof) => proof.load)) {
    const arc = snapshot.arcOf(linkId);
    load.set(arc, Math.max(share, load.get(arc) ?? 0));
  }
  return load;
}

/**
 * The answer that holds finished paths. `lowerBound`: of the first one's metric, as the search sums it; `leastOfPaths` likewise, as
 * `Best` has it.
 */
export function answerWith(
  prepared: PreparedRequest,
  paths: readonly ComputedPath[],
  isOptimal: boolean,
  lowerBound: number,
  leastOfPaths?: number,
): PathsFound {
  const { snapshot, request } = prepared;
  return {
    status: 'computed',
    revision: snapshot.revision,
    metric: request.metric,
    optimality: isOptimal ? 'optimal' : 'feasible',
    lowerBound: reportedValue(request.metric, lowerBound),
    ...(leastOfPaths !== undefined && { leastOfPaths: reportedValue(request.metric, leastOfPaths) }),
    optional: [],
    paths,
    shared: null,
  };
}

/** -1 on the arcs that pass an include entry: a branch that misses what the path passes has a greater sum. */
function passingWeight(snapshot: Snapshot, step: IncludeStep): Float64Array {
  const { arcTo } = snapshot.data;
  return Float64Array.from(arcTo, (to, arc) => (arc === step.arc || to === step.node ? -1 : 0));
}

function nodesAlong(snapshot: Snapshot, source: number, arcs: readonly number[]): string[] {
  return [source, ...arcs.map((arc) => snapshot.data.arcTo[arc] as number)].map((node) => snapshot.nodeIdOf(node));
}

/** The optimised metric on the worst branch, as the search sums it. */
function sumOf({ worst, worstLossUnits }: ExactProof, metric: MetricType): number {
  return metric === 'loss' ? worstLossUnits : (metricOf(worst, metric) ?? Number.NaN);
}

export function metricsOf(snapshot: Snapshot, arcs: readonly number[]): PathMetrics {
  const { igpMetric, teMetric, delayUs, delayVariationUs } = snapshot.data;
  const known = (sum: number) => (Number.isNaN(sum) ? null : sum);
  return {
    igp: sumOver(igpMetric, arcs),
    te: sumOver(teMetric, arcs),
    delayUs: known(sumOver(delayUs, arcs)),
    delayVariationUs: known(sumOver(delayVariationUs, arcs)),
    lossPpm: known(ppmOfLoss(sumOver(lossUnits(snapshot), arcs))),
    hops: arcs.length,
  };
}

function bottleneckOf(
  snapshot: Snapshot,
  arcs: readonly number[],
  unreservedBps: Float64Array,
): ComputedPath['bottleneck'] {
  let least: number | undefined;
  for (const arc of arcs) {
    const here = unreservedBps[arc] as number;
    if (!Number.isNaN(here) && (least === undefined || here < (unreservedBps[least] as number))) least = arc;
  }
  return least === undefined
    ? null
    : { linkId: snapshot.linkIdOf(least), unreservedBps: unreservedBps[least] as number };
}
