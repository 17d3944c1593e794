import type { AlgorithmReaches } from './algorithm-reaches.js';
import { entriesOf } from './containers.js';
import { entryLimitsOf } from './entry-limits.js';
import { FewestEntries } from './fewest-entries.js';
import { PathSegments, type EncodingTask, type Step } from './path-segments.js';

export type Encoding =
  | { readonly kind: 'encoded'; readonly transport: readonly number[] }
  /** No SID makes routers cross this arc of the path. */
  | { readonly kind: 'unencodable'; readonly arc: number };

/**
 * The list of the fewest entries that keeps packets on a path, or on branches of the IGP that are as good. An End SID
 * covers the IGP's branches to a node; an End.X SID covers those to its owner, and then the link.
 */
export function encodePath(task: EncodingTask, reaches: AlgorithmReaches): Encoding {
  const { bounds, kept, cSids, finalSids, encapMode } = task;
  // Branches need not keep each bound as well as the path does, when the sum of what they take still does.
  const relaxed = new PathSegments(task, reaches, kept.length);
  const furthest = encodeFurthest(task, relaxed);
  const limits = entryLimitsOf(task.snapshot);
  if (cSids.isInUse || limits.isInUse) {
    const isLeast = (transport: readonly number[]) =>
      finalSids.every((sid) => {
        const all = [...transport, sid];
        const entries = cSids.isInUse ? [all] : all.map((one) => [one]);
        return entriesOf(cSids, all) <= entries.length && limits.canProcess(encapMode, entries);
      });
    if (furthest.kind === 'encoded' && isLeast(furthest.transport)) return furthest;
    const transport = new FewestEntries(task, relaxed).find();
    return transport === null ? furthest : { kind: 'encoded', transport };
  }
  if (furthest.kind === 'encoded' || bounds.length === 0) return furthest;
  return encodeFurthest(task, new PathSegments(task, reaches, kept.length + bounds.length));
}

/**
 * The fewest SIDs: from each point the furthest reach, which is optimal because a segment that holds from one point of the
 * path holds from every later one.
 */
function encodeFurthest(task: EncodingTask, segments: PathSegments): Encoding {
  const { arcs, kept, bounds } = task;
  const { totals, ...start } = segments.start();
  let { position, origins } = start;
  const addWorst = (worst: readonly number[]) => worst.forEach((sum, i) => (totals[i] = (totals[i] as number) + sum));
  const transport: number[] = [];
  for (;;) {
    const end = segments.finish(position, origins);
    if (end !== null) {
      addWorst(end.worst);
      const isWithin = bounds.every((bound, i) => (totals[kept.length + i] as number) <= bound.max);
      return isWithin ? { kind: 'encoded', transport } : { kind: 'unencodable', arc: arcs[0] as number };
    }
    const step = furthest(segments.steps(position, origins, false));
    if (step === undefined) return { kind: 'unencodable', arc: arcs[Math.min(position, arcs.length - 1)] as number };
    transport.push(step.sid);
    addWorst(step.worst);
    position = step.position;
    origins = [segments.nodeAt(position)];
  }
}

/** Where several get as far: of the lowest algorithm, and of those the last one. */
function furthest(steps: readonly Step[]): Step | undefined {
  return steps.reduce<Step | undefined>((best, step) => {
    const isNoNearer = best === undefined || step.position > best.position;
    return isNoNearer || (step.position === best.position && step.algorithm === best.algorithm) ? step : best;
  }, undefined);
}
