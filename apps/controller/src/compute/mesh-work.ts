import { maxExplainedPairs } from '@waymark/http-contract';
import type { PathRequest } from '@waymark/topology';
import type { MeshPath, PathBatchOfMesh } from '../model/path-batch.js';
import { LOWEST_PRIORITY } from '../model/sr-policy.js';
import { REQUESTS_AT_A_TIME, type BatchWork } from './batch-work.js';
import { inSharedMemory } from './in-shared-memory.js';
import { cut, inLanes } from './job-lanes.js';
import type { JobRun } from './jobs.js';
import { whyNot } from './mesh-paths.js';
import { staleOr } from './stale-topology.js';

/** Destinations of a source at a time. */
const DESTINATIONS_AT_A_TIME = 1000;

/** One request between many nodes: a source at a time, whose destinations share what they have in common. */
export async function workOnMesh(work: BatchWork, batch: PathBatchOfMesh, run: JobRun<MeshPath>): Promise<void> {
  const { pool, snapshot, unreservedAt } = work;
  const { sources, destinations = sources, metric, constraints, families, maxSegments, setupPriority } = batch;
  const request = {
    metric,
    constraints,
    ...(families && { families }),
    ...(maxSegments !== undefined && { maxSegments }),
  };
  const unreservedBps = unreservedAt && inSharedMemory(unreservedAt(setupPriority ?? LOWEST_PRIORITY));
  let next = 0;
  const pieces = sources.flatMap((source) =>
    cut(destinations.length, DESTINATIONS_AT_A_TIME).map(({ first, end }) => {
      const part = destinations.slice(first, end);
      const at = next;
      next += part.filter((destination) => destination !== source).length;
      return { source, part, at };
    }),
  );
  const explanations: Explanations = {
    ...work,
    request,
    unreservedBps,
    mayBeStale: (await work.findHeldSource({ links: [], nodes: [] })) !== undefined,
    mostPerPiece: Math.max(1, Math.floor(maxExplainedPairs / pieces.length)),
  };
  await inLanes(pool, pieces, async ({ source, part, at }) => {
    const input = { source, request: { ...request, destinations: part }, unreservedBps };
    const paths = await pool.runPiece('compute-from-source', snapshot, input, run.signal);
    run.keep(at, await explained(explanations, paths, run.signal));
  });
}

interface Explanations extends BatchWork {
  readonly request: Omit<PathRequest, 'source' | 'destination'>;
  readonly unreservedBps: Float64Array | undefined;
  /** A source is held. */
  readonly mayBeStale: boolean;
  /** So many of a piece whose reason the search for all did not tell; which ones does not depend on other pieces. */
  readonly mostPerPiece: number;
}

/** With the reason why there is no path: a computation for each pair by itself, in pieces of their own. */
async function explained(
  { pool, snapshot, request, unreservedBps, findHeldSource, mayBeStale, mostPerPiece }: Explanations,
  paths: readonly MeshPath[],
  signal: AbortSignal,
): Promise<MeshPath[]> {
  const all = [...paths];
  const unknown = paths.flatMap(({ status, why }, i) => (status === 'no-path' && why === null ? [i] : []));
  const asked = unknown.slice(0, mostPerPiece).map((at) => {
    const { source, destination } = paths[at] as MeshPath;
    return { at, request: { ...request, source, destination } };
  });
  const unreservedAt = unreservedBps && new Map([[LOWEST_PRIORITY, unreservedBps]]);
  for (let next = 0; next < asked.length;) {
    const requests = asked.slice(next, next + REQUESTS_AT_A_TIME).map((one) => one.request);
    const input = { requests, unreservedAt, skipConflict: true };
    const answers = await pool.runPiece('compute-each', snapshot, input, signal);
    for (const [i, answer] of answers.entries()) {
      if (answer.status !== 'no-path') continue;
      const { at } = asked[next + i] as (typeof asked)[number];
      all[at] = { ...(all[at] as MeshPath), why: whyNot(answer) };
    }
    next += answers.length;
  }
  if (!mayBeStale) return all;
  return Promise.all(
    all.map(async (path) => {
      const { source, destination, why } = path;
      return why === null ? path : { ...path, why: await staleOr(why, [source, destination], findHeldSource) };
    }),
  );
}
