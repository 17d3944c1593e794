import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Snapshot } from '@waymark/topology';
import type { ComputePool } from '../compute/compute-pool.js';
import { singleFailures } from '../compute/failure-overlay.js';
import type { SweptPolicies } from '../compute/failure-sweep.js';
import type { JobRun, Jobs } from '../compute/jobs.js';
import { requireKnownIds } from '../compute/request-ids.js';
import type { Failure, FailureImpact, FailureSweepRequest, PolicyAtRisk } from '../model/failure-sweep.js';
import type { JobView } from '../model/jobs.js';
import type { FailureSweepService, Page, PageRequest } from '../model/ports.js';
import type { Database } from '../storage/database.js';
import { bookedPerLink } from './bookings.js';
import { loadPolicies, type LoadedPolicies } from './evaluation-input.js';

const KIND = 'failure sweep';

/** Failures that are read at a time, between which others are served. */
const FAILURES_READ_AT_A_TIME = 64;

/** Failures that a worker tries at a time. */
const FAILURES_AT_A_TIME = 4;

/** Pieces that are asked for at once; how many of them run, the pool decides. */
const LANES = 4;

export interface FailureSweepsParts {
  readonly db: Database;
  readonly newest: () => Promise<Snapshot>;
  readonly pool: ComputePool;
  readonly jobs: Jobs;
}

/** Sweeps over single failures, as jobs of this controller. */
export class FailureSweeps implements FailureSweepService {
  readonly #parts: FailureSweepsParts;
  #next = 1;

  constructor(parts: FailureSweepsParts) {
    this.#parts = parts;
  }

  /** Throws Problem node-unknown, already-exists, overloaded. */
  async start(request: FailureSweepRequest): Promise<JobView> {
    // Whatever has become of the topology since: who lost the answer can ask again.
    const known = this.#parts.jobs.askedAgain(KIND, request.id, request);
    if (known !== undefined) return known;
    const snapshot = await this.#parts.newest();
    const { headend, endpoint } = request.policies ?? {};
    requireKnownIds(snapshot, [
      ...(headend === undefined ? [] : [{ field: '/policies/headend', node: headend }]),
      ...(endpoint === undefined ? [] : [{ field: '/policies/endpoint', node: endpoint }]),
    ]);
    const failures = singleFailures(snapshot, request.kinds);
    return this.#parts.jobs.start<FailureImpact>({
      kind: KIND,
      id: request.id,
      request,
      revision: snapshot.revision,
      total: failures.length,
      outcomeOf: ({ outcome }) => outcome,
      work: (run) => this.#work(snapshot, request, failures, run),
    });
  }

  sweep(id: string): JobView {
    return this.#parts.jobs.job(KIND, id);
  }

  failures(id: string, page: PageRequest): Page<FailureImpact> {
    return this.#parts.jobs.items<FailureImpact>(KIND, id, page);
  }

  /** Of the failures that were tried so far. */
  async atRisk(id: string, { limit, after }: PageRequest): Promise<Page<PolicyAtRisk>> {
    const risks = new Map<string, { loses: Failure[]; recovers: Failure[] }>();
    for await (const { failure, policies } of this.#impacts(id)) {
      for (const { policyId, afterReaction } of policies) {
        if (after !== undefined && policyId <= after) continue;
        const risk = risks.get(policyId) ?? { loses: [], recovers: [] };
        risks.set(policyId, risk);
        const isInside = afterReaction === 'kept' || afterReaction === 'moved';
        (isInside ? risk.recovers : risk.loses).push(failure);
      }
    }
    const ids = [...risks.keys()].sort();
    const items = ids.slice(0, limit).map((policyId) => ({ policyId, ...risks.get(policyId) }) as PolicyAtRisk);
    return { items, next: ids.length > limit ? (ids[limit - 1] ?? null) : null };
  }

  async *#impacts(id: string): AsyncGenerator<FailureImpact> {
    const { available } = this.sweep(id);
    for (let next = 0; next < available;) {
      const { items } = this.failures(id, { limit: FAILURES_READ_AT_A_TIME, after: String(next) });
      // Deleted, and begun anew.
      if (items.length === 0) return;
      yield* items;
      next += items.length;
      await setImmediate();
    }
  }

  delete(id: string): void {
    this.#parts.jobs.delete(KIND, id);
  }

  async #work(
    snapshot: Snapshot,
    request: FailureSweepRequest,
    failures: readonly Failure[],
    run: JobRun<FailureImpact>,
  ): Promise<void> {
    const swept = sharedText(await this.#swept(request));
    const sweep = String(this.#next++);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < failures.length) {
        const first = next;
        next += FAILURES_AT_A_TIME;
        const input = { sweep, swept, failures: failures.slice(first, next) };
        run.keep(first, await this.#parts.pool.runPiece('sweep-failures', snapshot, input, run.signal));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  /** All policies with their bookings, of one state of the database. */
  #swept({ policies: filter }: FailureSweepRequest): Promise<SweptPolicies> {
    const transaction = this.#parts.db.transaction().setIsolationLevel('repeatable read');
    return transaction.execute(async (tx) => {
      const { rows } = await sql<{ readonly id: string }>`select id from sr_policy order by id`.execute(tx);
      const ids = rows.map(({ id }) => id);
      const loaded = await loadPolicies(tx, ids, () => false);
      const booked = await bookedPerLink(tx);
      return { policies: loaded.policies, booked, reported: filter && matching(loaded, filter) };
    });
  }
}

function matching({ intents }: LoadedPolicies, filter: NonNullable<FailureSweepRequest['policies']>): string[] {
  const { headend, endpoint, color, mesh } = filter;
  return [...intents.values()]
    .filter(
      (intent) =>
        (headend ?? intent.headend) === intent.headend &&
        (endpoint ?? intent.endpoint) === intent.endpoint &&
        (color ?? intent.color) === intent.color &&
        (mesh ?? intent.mesh) === intent.mesh,
    )
    .map(({ id }) => id);
}

function sharedText(value: SweptPolicies): Uint8Array<SharedArrayBuffer> {
  const text = Buffer.from(JSON.stringify(value));
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  shared.set(text);
  return shared;
}
