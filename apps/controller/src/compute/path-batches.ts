import { maxMeshPairs, maxSynchronised } from '@waymark/http-contract';
import { constraintsOf, type PathRequest, type Snapshot } from '@waymark/topology';
import { Problem } from '../model/errors.js';
import type { JobView } from '../model/jobs.js';
import type { BatchItem, PathBatch, PathBatchOfMesh, PathBatchOfRequests } from '../model/path-batch.js';
import type { Page, PageRequest, PathBatchService } from '../model/ports.js';
import { workOnMesh, workOnRequests, workTogether, type BatchWork, type Unreserved } from './batch-work.js';
import { requireCompatible } from './compatible-request.js';
import type { ComputePool } from './compute-pool.js';
import type { Jobs } from './jobs.js';
import { idsInConstraints, requireConstraints, requireKnownIds, type NamedId } from './request-ids.js';
import type { SnapshotCache } from './snapshot-cache.js';
import type { FindHeldSource } from './stale-topology.js';

const KIND = 'path computation batch';

export interface PathBatchesParts {
  readonly jobs: Jobs;
  readonly snapshots: SnapshotCache;
  readonly pool: ComputePool;
  /** Of one moment: by setup priority, reservable bandwidth minus what policies have booked, per arc of the snapshot in bit/s. */
  readonly unreservedNow: (snapshot: Snapshot) => Promise<Unreserved>;
  readonly findHeldSource: FindHeldSource;
}

/** Many paths at once, as jobs of this controller. They change nothing. */
export class PathBatches implements PathBatchService {
  readonly #parts: PathBatchesParts;

  constructor(parts: PathBatchesParts) {
    this.#parts = parts;
  }

  /** Throws Problem request-invalid, node-unknown, link-unknown, already-exists, overloaded, revision-pruned. */
  async create(batch: PathBatch): Promise<JobView> {
    const { jobs, snapshots, pool, unreservedNow, findHeldSource } = this.#parts;
    // Whatever has become of the topology since: who lost the answer can ask again.
    const known = jobs.askedAgain(KIND, batch.id, batch);
    if (known !== undefined) return known;
    if (batch.kind === 'requests') requireWellFormed(batch);
    else requirePairs(batch);
    const { revision } = batch;
    const snapshot = revision === undefined ? await snapshots.newest() : await snapshots.at(revision);
    requireKnownIds(snapshot, batch.kind === 'requests' ? idsInRequests(batch) : idsInMesh(batch));
    const work: BatchWork = {
      pool,
      snapshot,
      unreservedAt: revision === undefined ? await unreservedNow(snapshot) : undefined,
      findHeldSource: revision === undefined ? findHeldSource : () => Promise.resolve(undefined),
    };
    return jobs.start<BatchItem>({
      kind: KIND,
      id: batch.id,
      request: batch,
      revision: snapshot.revision,
      total: batch.kind === 'requests' ? batch.requests.length : pairsOf(batch),
      outcomeOf: (item) => (item.kind === 'pair' ? item.status : item.answer.status),
      work: (run) => {
        if (batch.kind === 'mesh') return workOnMesh(work, batch, run);
        return batch.synchronised === true
          ? workTogether(work, batch.requests, run)
          : workOnRequests(work, batch.requests, run);
      },
    });
  }

  batch(id: string): JobView {
    return this.#parts.jobs.job(KIND, id);
  }

  answers(id: string, page: PageRequest): Page<BatchItem> {
    return this.#parts.jobs.items(KIND, id, page);
  }

  delete(id: string): void {
    this.#parts.jobs.delete(KIND, id);
  }
}

function requireWellFormed({ requests, synchronised }: PathBatchOfRequests): void {
  if (synchronised === true && requests.length > maxSynchronised) {
    throw new Problem('request-invalid', {
      detail: `At most ${maxSynchronised} requests can be placed together: divide them, or leave out synchronised.`,
      field: '/requests',
    });
  }
  for (const [i, request] of requests.entries()) {
    within(`/requests/${i}`, () => {
      requireCompatible(request);
      requireConstraints(constraintsOf(request), request.optional);
      if (synchronised === true) requireOnePath(request);
    });
  }
}

/** What takes bandwidth together must be one path, or one demand. */
function requireOnePath({ k = 1, disjoint, coRouted }: PathRequest): void {
  const several = disjoint !== undefined ? 'disjoint' : coRouted !== undefined ? 'coRouted' : k > 1 ? 'k' : undefined;
  if (several === undefined) return;
  throw new Problem('request-invalid', {
    detail:
      `Each of the requests that share bandwidth has one path, or one demand over several lists: leave out ${several}, or ` +
      'leave out synchronised. Paths that must be disjoint: /v1/disjoint-path-computations.',
    field: `/${several}`,
  });
}

/** Lets problems of a part point into the whole. */
function within(at: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { field, errors, ...info } = error.info;
    throw new Problem(error.code, {
      ...info,
      ...(field !== undefined && { field: at + field }),
      ...(errors && { errors: errors.map((one) => ({ ...one, field: at + one.field })) }),
    });
  }
}

function requirePairs(batch: PathBatchOfMesh): void {
  const pairs = pairsOf(batch);
  if (pairs > maxMeshPairs) {
    throw new Problem('request-invalid', {
      detail: `These are ${pairs} pairs, and a batch has at most ${maxMeshPairs}: divide the sources among several batches.`,
      field: '/sources',
    });
  }
}

/** A node has no path to itself. */
function pairsOf({ sources, destinations = sources }: PathBatchOfMesh): number {
  const known = new Set(destinations);
  return sources.length * destinations.length - sources.filter((source) => known.has(source)).length;
}

function idsInRequests({ requests }: PathBatchOfRequests): NamedId[] {
  return requests.flatMap(({ source, destination, constraints }, i) => [
    { field: `/requests/${i}/source`, node: source },
    { field: `/requests/${i}/destination`, node: destination },
    ...idsInConstraints(constraints, `/requests/${i}/constraints`),
  ]);
}

function idsInMesh({ sources, destinations = [], constraints }: PathBatchOfMesh): NamedId[] {
  return [
    ...sources.map((node, i) => ({ field: `/sources/${i}`, node })),
    ...destinations.map((node, i) => ({ field: `/destinations/${i}`, node })),
    ...idsInConstraints(constraints),
  ];
}
