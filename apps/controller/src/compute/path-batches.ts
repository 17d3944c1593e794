import { reservableBps, type Snapshot } from '@waymark/topology';
import type { JobChange, JobView } from '../model/jobs.js';
import type { BatchItem, PathBatch } from '../model/path-batch.js';
import type { Page, PageRequest, PathBatchService } from '../model/ports.js';
import { idsInBatch, pairsOf, requireWellFormed } from './batch-checks.js';
import { workOnRequests, workTogether, type BatchWork, type Unreserved } from './batch-work.js';
import type { ComputePool } from './compute-pool.js';
import type { Jobs } from './jobs.js';
import { workOnMesh } from './mesh-work.js';
import { lessBooked, type Overlaid } from './overlaid.js';
import { requireKnownOverlay } from './overlay-ids.js';
import { overlaidBy } from './overlaid-by.js';
import { requireKnownIds } from './request-ids.js';
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
    requireWellFormed(batch);
    const { revision, overlay } = batch;
    const base = revision === undefined ? await snapshots.newest() : await snapshots.at(revision);
    requireKnownIds(base, idsInBatch(batch));
    if (overlay !== undefined) requireKnownOverlay(base, overlay);
    const overlaid = await overlaidBy(pool, base, overlay);
    const { snapshot } = overlaid;
    const unreservedAt = revision === undefined ? await unreservedNow(snapshot) : undefined;
    const work: BatchWork = {
      pool,
      snapshot,
      unreservedAt: overlay === undefined ? unreservedAt : lessDemands(overlaid, unreservedAt),
      findHeldSource: revision === undefined ? findHeldSource : () => Promise.resolve(undefined),
    };
    return jobs.start<BatchItem>({
      kind: KIND,
      id: batch.id,
      request: batch,
      revision: snapshot.revision,
      hypothetical: overlaid.hypothetical,
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

  follow(id: string, signal: AbortSignal): AsyncIterable<JobChange> {
    return this.#parts.jobs.follow(KIND, id, signal);
  }

  answers(id: string, page: PageRequest): Page<BatchItem> {
    return this.#parts.jobs.items(KIND, id, page);
  }

  delete(id: string): void {
    this.#parts.jobs.delete(KIND, id);
  }
}

function lessDemands(
  overlaid: Pick<Overlaid, 'snapshot' | 'booked'>,
  unreservedAt: Unreserved | undefined,
): Unreserved {
  const free = unreservedAt ?? (() => reservableBps(overlaid.snapshot));
  return (setupPriority) => lessBooked(free(setupPriority), overlaid, setupPriority);
}
