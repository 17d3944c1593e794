import { ArcFlag, FLEX_METRICS, type SnapshotData } from '../snapshot/snapshot-data.js';
import type { Snapshot } from '../snapshot/snapshot.js';

/** The definition in force of an algorithm where a node takes part in it; -1 where it computes nothing. */
export function definitionAt({ data }: Snapshot, node: number, algorithm: number): number {
  for (let i = data.flexStart[node] as number; i < (data.flexStart[node + 1] as number); i++) {
    if (data.flexAlgorithm[i] === algorithm) return data.flexDefinition[i] as number;
  }
  return -1;
}

/** Flexible algorithms that some router computes paths for and some locator is of, ascending. */
export function flexAlgorithmsInUse({ data }: Snapshot): number[] {
  const located = new Set(data.locatorAlgorithm);
  const computed = data.flexAlgorithm.filter(
    (algorithm, i) => located.has(algorithm) && (data.flexDefinition[i] as number) >= 0,
  );
  return [...new Set(computed)].sort((a, b) => a - b);
}

/** By arc, the metric of a flexible algorithm (RFC 9350 section 13); NaN where the arc is none of its links. */
export function flexMetric(snapshot: Snapshot, algorithm: number): Float64Array {
  const { data, nodeCount, arcCount } = snapshot;
  const metric = new Float64Array(arcCount).fill(Number.NaN);
  for (let node = 0; node < nodeCount; node++) {
    const definition = snapshot.isHost(node) ? -1 : definitionAt(snapshot, node, algorithm);
    if (definition < 0) continue;
    const own = metricOf(data, FLEX_METRICS[data.definitionMetric[definition] as number]);
    for (const arc of snapshot.linksOf(node)) {
      const to = data.arcTo[arc] as number;
      const flags = data.arcFlags[arc] as number;
      const leadsOn = (flags & ArcFlag.Igp) !== 0 || ((flags & ArcFlag.Usable) !== 0 && snapshot.isHost(to));
      if (leadsOn && takesPart(data, to, algorithm) && isAllowed(data, arc, definition)) {
        metric[arc] = own[arc] as number;
      }
    }
  }
  return metric;
}

function takesPart({ flexStart, flexAlgorithm }: SnapshotData, node: number, algorithm: number): boolean {
  return flexAlgorithm.subarray(flexStart[node], flexStart[node + 1]).includes(algorithm);
}

function metricOf(data: SnapshotData, type: (typeof FLEX_METRICS)[number] | undefined): Float64Array {
  return type === 'te' ? data.advertisedTeMetric : type === 'min-delay' ? data.advertisedDelayMinUs : data.igpMetric;
}

function isAllowed(data: SnapshotData, arc: number, definition: number): boolean {
  const { affinityWords, advertisedAffinities, definitionAffinities } = data;
  let needsAny = false;
  let hasAny = false;
  for (let word = 0; word < affinityWords; word++) {
    const has = advertisedAffinities[arc * affinityWords + word] as number;
    const rule = (number: number) => definitionAffinities[(3 * definition + number) * affinityWords + word] as number;
    const [excludeAny, includeAny, includeAll] = [rule(0), rule(1), rule(2)];
    if ((has & excludeAny) !== 0 || (has & includeAll) >>> 0 !== includeAll) return false;
    needsAny ||= includeAny !== 0;
    hasAny ||= (has & includeAny) !== 0;
  }
  if (needsAny && !hasAny) return false;
  const { advertisedSrlgs, advertisedSrlgStart, definitionSrlgs, definitionSrlgStart } = data;
  const excluded = definitionSrlgs.subarray(definitionSrlgStart[definition], definitionSrlgStart[definition + 1]);
  return !advertisedSrlgs
    .subarray(advertisedSrlgStart[arc], advertisedSrlgStart[arc + 1])
    .some((group) => excluded.includes(group));
}
