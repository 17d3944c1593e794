import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { overlaidTed, type Snapshot, type Ted } from '@waymark/topology';
import type { ComputePool } from '../compute/compute-pool.js';
import { settledAfter, type Booking } from '../compute/evaluate-policies-model.js';
import { singleFailures } from '../compute/failure-overlay.js';
import type { SweptPolicies } from '../compute/failure-sweep.js';
import { cut, inLanes } from '../compute/job-lanes.js';
import type { JobRun, Jobs } from '../compute/jobs.js';
import { requireKnownOverlay } from '../compute/overlay-ids.js';
import { overlaidBy } from '../compute/overlaid-by.js';
import { requireKnownIds } from '../compute/request-ids.js';
import { snapshotOf } from '../compute/snapshot-of.js';
import type { Failure, FailureImpact, FailureSweepRequest, PolicyAtRisk } from '../model/failure-sweep.js';
import type { JobView } from '../model/jobs.js';
import type { FailureSweepService, Page, PageRequest, TopologyService } from '../model/ports.js';
import type { Database } from '../storage/database.js';
import { bookedPerLink, returned } from './bookings.js';
import { evaluateBatch } from './evaluate-batch.js';
import { loadPolicies, type LoadedPolicies } from './evaluation-input.js';
import { examinedPolicies } from './examined-policies.js';

const KIND = 'failure sweep';

/** Failures that are read at a time, between which others are served. */
const FAILURES_READ_AT_A_TIME = 64;

/** Failures that a worker is sent at a time: it tries as many of them as a piece of a job may take. */
const FAILURES_AT_A_TIME = 64;

/** Policies that react to an overlay at a time. */
const POLICIES_AT_A_TIME = 64;

export interface FailureSweepsParts {
  readonly db: Database;
  readonly topology: Pick<TopologyService, 'ted'>;
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

  /** Throws Problem request-invalid, node-unknown, link-unknown, already-exists, overloaded. */
  async start(request: FailureSweepRequest): Promise<JobView> {
    // Whatever has become of the topology since: who lost the answer can ask again.
    const known = this.#parts.jobs.askedAgain(KIND, request.id, request);
    if (known !== undefined) return known;
    const ted = await this.#parts.topology.ted();
    const base = snapshotOf(ted);
    const { overlay, policies: { headend, endpoint } = {} } = request;
    requireKnownIds(base, [
      ...(headend === undefined ? [] : [{ field: '/policies/headend', node: headend }]),
      ...(endpoint === undefined ? [] : [{ field: '/policies/endpoint', node: endpoint }]),
    ]);
    if (overlay !== undefined) requireKnownOverlay(base, overlay);
    const { snapshot, booked, hypothetical } = await overlaidBy(this.#parts.pool, base, overlay);
    const failures = singleFailures(snapshot, request.kinds);
    return this.#parts.jobs.start<FailureImpact>({
      kind: KIND,
      id: request.id,
      request,
      revision: snapshot.revision,
      hypothetical,
      total: failures.length,
      outcomeOf: ({ outcome }) => outcome,
      work: (run) => this.#work({ ted, snapshot, request, demanded: booked }, failures, run),
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

  async #work(base: SweptBase, failures: readonly Failure[], { keep, signal }: JobRun<FailureImpact>): Promise<void> {
    const { pool } = this.#parts;
    const swept = sharedText(await this.#swept(base, signal));
    const sweep = String(this.#next++);
    await inLanes(pool, cut(failures.length, FAILURES_AT_A_TIME), async ({ first, end }) => {
      for (let next = first; next < end;) {
        const input = { sweep, swept, failures: failures.slice(next, end) };
        const impacts = await pool.runPiece('sweep-failures', base.snapshot, input, signal);
        keep(next, impacts);
        next += impacts.length;
      }
    });
  }

  /** All policies with their bookings, of one state of the database: under an overlay, as they are once all have reacted to it. */
  #swept({ ted, snapshot, request, demanded }: SweptBase, signal: AbortSignal): Promise<SweptPolicies> {
    const { overlay, policies: filter } = request;
    const transaction = this.#parts.db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
    return transaction.execute(async (tx) => {
      const { rows } = await sql<{ readonly id: string }>`select id from sr_policy order by id`.execute(tx);
      const ids = rows.map(({ id }) => id);
      const loaded = await loadPolicies(tx, ids, () => false);
      const booked = await bookedPerLink(tx);
      const reported = filter && matching(loaded, filter);
      if (overlay === undefined) return { policies: loaded.policies, booked, reported };
      const examined = await examinedPolicies(tx, ted, overlaidTed(ted, overlay), demanded);
      const asked = await loadPolicies(tx, [...examined.keys()], (id) => examined.get(id) ?? false);
      const { evaluations } = await evaluateBatch(tx, asked, {
        heldLinks: [],
        parallelism: Math.ceil(examined.size / POLICIES_AT_A_TIME),
        evaluate: (task) => this.#parts.pool.runPiece('evaluate-policies', snapshot, task, signal),
        reoptimise: () => false,
        booked: [...booked, ...demanded],
      });
      const reactions = new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
      const policies = loaded.policies.map((policy) => {
        const reaction = reactions.get(policy.policyId);
        return reaction === undefined ? policy : settledAfter(policy, reaction);
      });
      const left = loaded.policies.flatMap(({ bookings }) => bookings.map(returned));
      const taken = policies.flatMap(({ bookings }) => bookings);
      return { policies, booked: [...booked, ...left, ...taken, ...demanded], reported };
    });
  }
}

/** What a sweep lets fail. */
interface SweptBase {
  readonly ted: Ted;
  /** The overlay laid over it. */
  readonly snapshot: Snapshot;
  readonly request: FailureSweepRequest;
  /** By the overlay. */
  readonly demanded: readonly Booking[];
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
