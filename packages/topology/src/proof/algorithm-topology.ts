import { ArcFlag, FLEX_METRICS } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** What routers compute an algorithm's paths over. */
export interface AlgorithmTopology {
  /** By arc. */
  readonly metric: Float64Array;
  /** Is the arc one of the algorithm's? Into a host it leads to packets for that host only. */
  readonly has: (arc: number) => boolean;
}

/** A topology as distances towards a node are found: the arcs into each node in the order of `inArcs`. */
export interface IncomingArcs {
  /** Where each comes from. */
  readonly from: Uint32Array;
  /** Infinity where it is none of the topology's, or leaves a host, which forwards nothing. */
  readonly length: Float64Array;
}

export function incomingArcs(snapshot: Snapshot, { metric, has }: AlgorithmTopology): IncomingArcs {
  const { arcFrom, inArcs } = snapshot.data;
  const from = inArcs.map((arc) => arcFrom[arc] as number);
  const isTaken = (arc: number, i: number) => has(arc) && !snapshot.isHost(from[i] as number);
  return {
    from,
    length: Float64Array.from(inArcs, (arc, i) => (isTaken(arc, i) ? (metric[arc] as number) : Infinity)),
  };
}

/** Algorithm 0: every usable link of the IGP, by its IGP metric. */
export function igpTopology(snapshot: Snapshot): AlgorithmTopology {
  const { igpMetric } = snapshot.data;
  return { metric: igpMetric, has: (arc) => isUsableForPaths(snapshot, arc) };
}

/**
 * A flexible algorithm: links between nodes that take part in it, unless the definition in force excludes them or their
 * metric is not advertised (RFC 9350 section 13). Of any other algorithm: nothing.
 */
export function flexTopology(snapshot: Snapshot, algorithm: number): AlgorithmTopology {
  const { arcFrom, arcTo, flexDefinition } = snapshot.data;
  const metric = new Float64Array(snapshot.arcCount).fill(Number.NaN);
  for (let arc = 0; arc < snapshot.arcCount; arc++) {
    const here = participation(snapshot, arcFrom[arc] as number, algorithm);
    const there = participation(snapshot, arcTo[arc] as number, algorithm);
    if (here < 0 || there < 0 || !isUsableForPaths(snapshot, arc)) continue;
    const definition = flexDefinition[here] as number;
    if (definition >= 0 && !isExcluded(snapshot, arc, definition)) metric[arc] = metricOf(snapshot, arc, definition);
  }
  return { metric, has: (arc) => !Number.isNaN(metric[arc]) };
}

/** Does a node take part in an algorithm? All do in algorithm 0. */
export function takesPart(snapshot: Snapshot, node: number, algorithm: number): boolean {
  return algorithm === 0 || participation(snapshot, node, algorithm) >= 0;
}

/** The entry that says so; -1 where there is none. */
function participation(snapshot: Snapshot, node: number, algorithm: number): number {
  const { flexStart, flexAlgorithm } = snapshot.data;
  const start = flexStart[node] as number;
  const entry = flexAlgorithm.subarray(start, flexStart[node + 1]).indexOf(algorithm);
  return entry < 0 ? -1 : start + entry;
}

function isUsableForPaths(snapshot: Snapshot, arc: number): boolean {
  const { arcFlags, arcFrom, arcTo } = snapshot.data;
  const flags = arcFlags[arc] as number;
  if ((flags & ArcFlag.Igp) !== 0) return true;
  const isIntoHost = snapshot.isHost(arcTo[arc] as number) && !snapshot.isHost(arcFrom[arc] as number);
  return (flags & ArcFlag.Usable) !== 0 && isIntoHost;
}

function isExcluded(snapshot: Snapshot, arc: number, definition: number): boolean {
  const { affinityNames, data } = snapshot;
  const { affinityWords, definitionAffinities, advertisedAffinities, advertisedSrlgs, advertisedSrlgStart } = data;
  const { definitionSrlgs, definitionSrlgStart } = data;
  const setOf = (sets: Uint32Array, row: number) =>
    affinityNames.filter((_, bit) => ((sets[row * affinityWords + (bit >>> 5)] as number) & (1 << (bit & 31))) !== 0);
  const carried = new Set(setOf(advertisedAffinities, arc));
  const [excludeAny, includeAny, includeAll] = [0, 1, 2].map((rule) =>
    setOf(definitionAffinities, 3 * definition + rule),
  ) as [string[], string[], string[]];
  const srlgs = advertisedSrlgs.subarray(advertisedSrlgStart[arc], advertisedSrlgStart[arc + 1]);
  const excludedSrlgs = definitionSrlgs.subarray(definitionSrlgStart[definition], definitionSrlgStart[definition + 1]);
  return (
    excludeAny.some((name) => carried.has(name)) ||
    srlgs.some((group) => excludedSrlgs.includes(group)) ||
    (includeAny.length > 0 && !includeAny.some((name) => carried.has(name))) ||
    !includeAll.every((name) => carried.has(name))
  );
}

/** NaN when it is not advertised. */
function metricOf(snapshot: Snapshot, arc: number, definition: number): number {
  const { definitionMetric, igpMetric, advertisedTeMetric, advertisedDelayMinUs } = snapshot.data;
  const by = { igp: igpMetric, te: advertisedTeMetric, 'min-delay': advertisedDelayMinUs };
  return by[FLEX_METRICS[definitionMetric[definition] as number] as keyof typeof by][arc] as number;
}
