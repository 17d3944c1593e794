import type { Logger } from 'pino';
import { ComputePool } from './compute/compute-pool.js';
import { Jobs } from './compute/jobs.js';
import { PathBatches } from './compute/path-batches.js';
import { PathComputation } from './compute/path-computation.js';
import { SnapshotCache } from './compute/snapshot-cache.js';
import type { ControllerConfig } from './config.js';
import { writeDesired, type PendingDelta } from './distribution/desired-store.js';
import { recordCalls } from './journal/record-calls.js';
import type { Journal } from './model/journal.js';
import { bookedPerLink } from './policies/bookings.js';
import { FailureSweeps } from './policies/failure-sweeps.js';
import type { AgentDeparture } from './distribution/agent-service.js';
import { onAcked, onHeadendGone, type AckedOutcome } from './policies/headend-acks.js';
import { SrPolicyService } from './policies/policy-service.js';
import type { BookDemands, Evaluate, ReactionSettings, StepDependencies } from './policies/reaction-dependencies.js';
import { ServiceClasses } from './policies/service-classes.js';
import { UnreservedBandwidth } from './policies/unreserved-bandwidth.js';
import type { Database, Tables } from './storage/database.js';
import { databaseTime } from './storage/database-time.js';
import { announceEvents } from './storage/event-channel.js';
import { heldSourceOf } from './ted/held-sources.js';
import { TedService } from './ted/ted-service.js';
import type { Transaction } from 'kysely';
import type { NodeId } from '@waymark/topology';

export interface CoreOptions {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly journal: Journal;
  /** A transaction that commits only while the epoch is the newest. */
  readonly fenced: StepDependencies<PendingDelta>['fenced'];
  readonly settings: Pick<ControllerConfig, 'name' | 'workers' | 'bsidPool' | 'holdMs' | 'maxHoldMs'>;
  readonly log: Logger;
}

/** The services that answer and decide, on a database: what a controller has at its core, and what a replay runs again. */
export type Core = ReturnType<typeof createCore>;

/** Nothing runs yet but the threads; `topology` has to be started. What is to be stopped is added to `running`. */
export function createCore(
  { db, databaseUrl, journal, fenced, settings, log }: CoreOptions,
  running: (() => Promise<unknown>)[],
) {
  const ted = new TedService({ db, url: databaseUrl, clock: () => new Date(journal.now()) });
  const topology = recordCalls(journal, 'topology', ted, [
    ...(['importTopology', 'setLinkConstraints', 'applyClusterHosts', 'recordAgentCapabilities'] as const),
  ]);

  const pool = new ComputePool({ threads: settings.workers });
  running.push(() => pool.close());
  const jobs = new Jobs({ controller: settings.name, now: () => new Date(journal.now()), log });
  running.push(() => jobs.close());
  const snapshots = new SnapshotCache(topology);
  const unreserved = new UnreservedBandwidth(() => bookedPerLink(db));
  const paths = new PathComputation({
    snapshots,
    pool,
    unreservedBps: (snapshot, priority) => unreserved.of(snapshot, priority),
    findHeldSource: (elements) => heldSourceOf(db, elements),
  });
  const pathBatches = new PathBatches({
    jobs,
    snapshots,
    pool,
    unreservedNow: (snapshot) => unreserved.now(snapshot),
    findHeldSource: (elements) => heldSourceOf(db, elements),
  });

  const evaluate: Evaluate = (snapshot, task) => pool.run('evaluate-policies', snapshot, task);
  const sweeps = new FailureSweeps({ db, topology, pool, jobs });
  const bookDemands: BookDemands = (snapshot, demands) => pool.run('book-demands', snapshot, { demands });
  const policies = recordCalls(
    journal,
    'policies',
    new SrPolicyService({
      db,
      topology,
      evaluate,
      dryRuns: { evaluate: (snapshot, task, signal) => pool.evaluateAside(snapshot, task, signal), bookDemands },
      predictDetours: (snapshot, input, signal) => pool.run('predict-detours', snapshot, input, signal),
      announceEvents,
    }),
    ['createPolicy', 'replacePolicy', 'deletePolicy', 'createMesh', 'replaceMesh', 'deleteMesh'],
  );
  const serviceClasses = recordCalls(journal, 'serviceClasses', new ServiceClasses(db, fenced), [
    ...(['changeMembers', 'withdrawOtherClusters'] as const),
  ]);

  const readDatabaseTime = async (on: Parameters<typeof databaseTime>[0]): Promise<Date> =>
    new Date(await journal.fact(async () => (await databaseTime(on)).toISOString()));
  const stepDependencies: StepDependencies<PendingDelta> = {
    db,
    ted: (revision) => (revision === undefined ? ted.ted() : ted.tedAtRevision(revision)),
    tedAtHead: (tx, head) => ted.tedAtHead(tx, head),
    fenced,
    writeDesired,
    evaluate,
    announceEvents,
    journal,
    readDatabaseTime,
  };
  const { bsidPool, holdMs, maxHoldMs, workers } = settings;
  const reactionSettings: ReactionSettings = { bsidPool, holdMs, maxHoldMs, parallelism: workers };
  const acked = (tx: Transaction<Tables>, headend: NodeId, generation: number, outcomes: readonly AckedOutcome[]) =>
    onAcked(tx, headend, generation, outcomes, readDatabaseTime);
  const departure: AgentDeparture = {
    journal,
    withdraw: (node, actor, remove) => ted.withdrawAgent(node, actor, remove),
    onGone: (tx, headend) => onHeadendGone(tx, headend, readDatabaseTime),
  };
  return {
    ...{ topology, pool, jobs, paths, pathBatches, sweeps, policies, serviceClasses },
    ...{ onAcked: acked, departure, stepDependencies, reactionSettings },
  };
}
