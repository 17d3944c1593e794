import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEARTBEAT_INTERVAL_MS, MemoryBus, RedisBus, type Bus } from '@waymark/agent-protocol';
import { ipv6FromBytes, type EndpointBehavior } from '@waymark/topology';
import type { Logger } from 'pino';
import { AccessControl } from './access/access-control.js';
import { ApiKeys } from './access/api-keys.js';
import { AuditLog } from './access/audit-log.js';
import { IssuerKeys } from './access/issuer-keys.js';
import { KnownKeys } from './access/known-keys.js';
import { Tokens } from './access/tokens.js';
import type { OidcSettings } from './access/oidc-settings.js';
import { buildApp } from './api/app.js';
import { isOutage } from './model/outage.js';
import { ComputePool } from './compute/compute-pool.js';
import { Jobs } from './compute/jobs.js';
import { PathBatches } from './compute/path-batches.js';
import { PathComputation } from './compute/path-computation.js';
import { SnapshotCache } from './compute/snapshot-cache.js';
import { isEmbeddedOnLoopback, repositoryRoot, type ControllerConfig } from './config.js';
import { DemoAgents, loadDemoTopology } from './demo.js';
import { certificateAccess, openAccess, type AgentAccess } from './distribution/agent-access.js';
import type { AgentCapabilities } from './distribution/agent-server.js';
import { writeDesired, type PendingDelta } from './distribution/desired-store.js';
import { Distribution } from './distribution/distribution.js';
import { EventHub } from './event-hub.js';
import { withdrawUnfollowed } from './kubernetes/classes/withdraw-unfollowed.js';
import { Kubernetes } from './kubernetes/kubernetes.js';
import { readKubernetesConfig } from './kubernetes/kubernetes-config.js';
import type { Health, Services } from './model/ports.js';
import { StartFault } from './model/start-fault.js';
import { openTlsFiles } from './tls-files.js';
import { bookedPerLink } from './policies/bookings.js';
import { FailureSweeps } from './policies/failure-sweeps.js';
import { SrPolicyService } from './policies/policy-service.js';
import { ServiceClasses } from './policies/service-classes.js';
import { UnreservedBandwidth } from './policies/unreserved-bandwidth.js';
import { onAcked } from './policies/headend-acks.js';
import type { BookDemands, Evaluate } from './policies/reaction-dependencies.js';
import { ReactionLoop } from './policies/reaction-loop.js';
import { DatabaseClock } from './storage/database-clock.js';
import { createDatabase, type Database } from './storage/database.js';
import { startEmbeddedPostgres } from './storage/embedded-postgres.js';
import { announceEvents } from './storage/event-channel.js';
import { possessionsOf } from './storage/owners.js';
import { migrate } from './storage/migrate.js';
import { announceChanges } from './ted/announce-changes.js';
import { heldSourceOf } from './ted/held-sources.js';
import { pruneHistory } from './ted/history.js';
import { TedService } from './ted/ted-service.js';

const DAY_MS = 86_400_000;

export interface Controller {
  /** What the API stands on. */
  readonly services: Services;
  /** http://host:port */
  readonly url: string;
  readonly grpcAddress: string;
  /** Ends the controller itself when its embedded Postgres has gone: it can do nothing without. */
  readonly failed: Promise<Error>;
  /** Gives up leadership, ends sessions and requests, then what they stand on. */
  stop(): Promise<void>;
}

/**
 * Wires the rooms of the controller and starts them, in the order in which they stand on each other:
 *
 *   Postgres ─► TED ─► compute ─► distribution (gRPC, leader) ─► reaction loop ─► API ─► demo
 *
 * What was started is stopped again, in reverse, when something later cannot start.
 */
export async function startController(config: ControllerConfig, log: Logger): Promise<Controller> {
  const running: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let end = running.pop(); end !== undefined; end = running.pop()) await end();
  };
  try {
    return { ...(await start(config, log, running)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: ControllerConfig,
  log: Logger,
  running: (() => Promise<unknown>)[],
): Promise<Omit<Controller, 'stop'>> {
  const { databaseUrl, failed } = await openDatabase(config, running);
  await prepare(databaseUrl);
  const db = createDatabase(databaseUrl);
  running.push(() => db.destroy());

  const databaseClock = await DatabaseClock.start(db);
  running.push(() => {
    databaseClock.stop();
    return Promise.resolve();
  });
  const clock = () => new Date();
  const uptime = () => performance.now();
  const known = new KnownKeys(db, uptime);
  const tokens = config.oidc && new Tokens(config.oidc, issuerKeys(config.oidc, uptime, log), clock);
  const access = await AccessControl.open(
    { adminKeyFile: config.adminKeyFile, isEmbeddedOnLoopback: isEmbeddedOnLoopback(config) },
    { db, known, tokens, clock, log },
  );

  const events = new EventHub();
  const topology = new TedService({ db, url: databaseUrl, clock: databaseClock.date });
  await topology.start();
  running.push(() => topology.stop());
  if (config.demoTopology !== undefined) await loadDemoTopology(topology, config.demoTopology, log);
  const stopAnnouncing = await announceChanges(db, topology, events);
  running.push(() => {
    stopAnnouncing();
    return Promise.resolve();
  });

  const pool = new ComputePool({ threads: config.workers });
  running.push(() => pool.close());
  const jobs = new Jobs({ controller: config.name, now: databaseClock.date, log });
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

  const bus = openBus(config, log, running);
  running.push(() => bus.close());
  const bookDemands: BookDemands = (snapshot, demands) => pool.run('book-demands', snapshot, { demands });
  const policies = new SrPolicyService({
    db,
    topology,
    evaluate,
    dryRuns: { evaluate: (snapshot, task) => pool.evaluateAside(snapshot, task), bookDemands },
    predictDetours: (snapshot, input) => pool.run('predict-detours', snapshot, input),
    announceEvents,
  });
  const distribution = await Distribution.create({
    databaseUrl,
    db,
    bus,
    events,
    log,
    controller: config.name,
    access: openAgentAccess(config, log, running),
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    onAcked,
    onHellos: (hellos) =>
      topology.recordAgentCapabilities(
        hellos.map(({ node, capabilities }) => ({ node, capabilities: tedCapabilities(capabilities) })),
      ),
  });
  const serviceClasses = new ServiceClasses(db, (epoch, work) => distribution.leadership.fenced(epoch, work));
  const reaction = new ReactionLoop<PendingDelta>(
    {
      db,
      ted: (revision) => (revision === undefined ? topology.ted() : topology.tedAtRevision(revision)),
      tedAtHead: (tx, head) => topology.tedAtHead(tx, head),
      onRevision: (listener) => topology.onRevision(listener),
      fenced: (epoch, work) => distribution.leadership.fenced(epoch, work),
      writeDesired,
      publish: (deltas) => distribution.publisher.publish(deltas),
      evaluate,
      announceEvents,
      log,
      now: databaseClock.now,
      startTimer: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs);
        return () => clearTimeout(timer);
      },
    },
    { bsidPool: config.bsidPool, holdMs: config.holdMs, maxHoldMs: config.maxHoldMs, parallelism: config.workers },
  );
  distribution.leadership.onLead((epoch, signal) => reaction.lead(epoch, signal));
  const clusters = config.kubernetesFile === undefined ? undefined : readKubernetesConfig(config.kubernetesFile);
  const withClasses = clusters?.clusters.filter((cluster) => cluster.serviceClasses === true) ?? [];
  const followed = withClasses.map(({ name }) => name);
  distribution.leadership.onLead(
    (epoch, signal) => void withdrawUnfollowed({ classes: serviceClasses, followed, log }, signal, epoch),
  );
  const kubernetes =
    clusters === undefined
      ? undefined
      : await Kubernetes.create({
          settings: clusters,
          ...{ topology, log },
          objects: {
            ...{ topology, policies, events, classes: serviceClasses },
            possessionsOf: (prefix) => possessionsOf(db, prefix),
          },
        });
  if (kubernetes !== undefined) {
    kubernetes.start();
    running.push(() => kubernetes.stop());
    distribution.leadership.onLead((epoch, signal) => kubernetes.lead(signal, epoch));
  }
  const grpcListen = `${config.grpcHost}:${config.grpcPort}`;
  const grpcPort = await listening('WAYMARK_GRPC_PORT', grpcListen, distribution.start(grpcListen));
  running.push(() => distribution.stop());
  const grpcAddress = `${config.grpcHost}:${grpcPort}`;

  const services: Services = {
    topology,
    paths,
    pathBatches,
    policies,
    serviceClasses,
    agents: distribution.agents,
    sweeps,
    clusters: () => kubernetes?.clusters() ?? [],
    jobs,
    events,
    access,
    apiKeys: new ApiKeys(db, known, clock),
    audit: new AuditLog(db),
    health: healthOf(db, access, log),
  };
  const app = await buildApp(services, { version: version(), logger: log });
  running.push(() => app.close());
  const url = await listening(
    'WAYMARK_HTTP_PORT',
    `${config.httpHost}:${config.httpPort}`,
    app.listen({ host: config.httpHost, port: config.httpPort }),
  );

  const prune = (): void => {
    pruneHistory(db, new Date(databaseClock.now() - config.historyDays * DAY_MS)).catch((error: unknown) =>
      log.warn({ err: error }, 'old revisions could not be removed; tried again tomorrow'),
    );
  };
  // At the start too: a controller that is restarted every day would never do it.
  prune();
  const pruning = setInterval(prune, DAY_MS);
  running.push(() => {
    clearInterval(pruning);
    return Promise.resolve();
  });

  if (config.demoAgents) {
    const stateDirectory = join(config.dataDirectory, 'agents');
    const agents = new DemoAgents({ topology, bus, controller: grpcAddress, stateDirectory, log });
    running.push(() => agents.stop());
    await agents.start();
  }
  return { services, url, grpcAddress, failed };
}

async function openDatabase(
  config: ControllerConfig,
  running: (() => Promise<unknown>)[],
): Promise<{ readonly databaseUrl: string; readonly failed: Promise<Error> }> {
  if (config.databaseUrl !== undefined) {
    return { databaseUrl: config.databaseUrl, failed: new Promise<Error>(() => undefined) };
  }
  const server = await startEmbeddedPostgres(join(config.dataDirectory, 'postgres'));
  let stopping = false;
  running.push(() => {
    stopping = true;
    return server.stop();
  });
  const failed = new Promise<Error>((resolve) => {
    void server.exited.then(() => {
      if (!stopping) resolve(new Error('the embedded Postgres ended'));
    });
  });
  return { databaseUrl: server.url, failed };
}

/** Says which setting to change when an address cannot be listened on. */
async function listening<Result>(variable: string, address: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = `set ${variable} to another port, or to 0 for a free one`;
    throw new StartFault(
      reason.includes('EADDRINUSE')
        ? `${address} is in use by another program: stop it, or ${remedy}`
        : `cannot listen on ${address}: ${reason}; ${remedy}`,
      { cause: error },
    );
  }
}

/** Migrates; says so when it is the operator's database that does not answer. */
async function prepare(databaseUrl: string): Promise<void> {
  try {
    await migrate(databaseUrl);
  } catch (error) {
    if (!isOutage(error)) throw error;
    throw new StartFault(`the database of DATABASE_URL does not answer: ${describeOutage(error)}`, { cause: error });
  }
}

function describeOutage(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

function issuerKeys({ issuer }: OidcSettings, now: () => number, log: Logger): IssuerKeys {
  const onTrouble = (error: unknown) => log.warn({ err: error }, 'the OIDC issuer does not tell its keys');
  return new IssuerKeys(issuer, { now, onTrouble });
}

function openBus(config: ControllerConfig, log: Logger, running: (() => Promise<unknown>)[]): Bus {
  if (config.redisUrl === undefined) return new MemoryBus();
  const tls = config.redisTls && openTlsFiles('REDIS', config.redisTls, log, running);
  return new RedisBus(
    config.redisUrl,
    (error) => log.warn({ err: error }, 'Redis cannot be used; agents converge by their heartbeats'),
    tls,
  );
}

function openAgentAccess(config: ControllerConfig, log: Logger, running: (() => Promise<unknown>)[]): AgentAccess {
  const { grpcTls, grpcInsecure, grpcHost } = config;
  if (grpcTls !== undefined) return certificateAccess(openTlsFiles('WAYMARK_GRPC', grpcTls, log, running));
  if (grpcInsecure) {
    log.warn(
      `WAYMARK_GRPC_INSECURE: whoever reaches ${grpcHost}, port ${config.grpcPort}, can pass for any node, and read and report what he likes`,
    );
  }
  return openAccess();
}

function tedCapabilities({ msdHEncaps, encapMode, ownedSids }: AgentCapabilities) {
  return {
    msdHEncaps,
    encapMode,
    // The gRPC server has checked the names.
    ownedSids: ownedSids.map(({ sid, behavior }) => ({
      sid: ipv6FromBytes(sid),
      behavior: behavior as EndpointBehavior,
    })),
  };
}

/** Anybody may ask: what is wrong is told in the log. */
function healthOf(db: Database, { isOpen }: AccessControl, log: Logger): () => Promise<Health> {
  const access = { ok: true, detail: isOpen ? 'open: whoever can reach this address is an admin' : 'by key or token' };
  let answered = true;
  return async () => {
    try {
      await db.selectFrom('head').select('revision').executeTakeFirstOrThrow();
      answered = true;
      return { live: true, ready: true, checks: { database: { ok: true, detail: 'answers' }, access } };
    } catch (error) {
      if (answered) log.warn({ err: error }, 'the database does not answer');
      answered = false;
      const database = { ok: false, detail: 'does not answer; the log of the controller says why' };
      return { live: true, ready: false, checks: { database, access } };
    }
  };
}

function version(): string {
  const file = join(repositoryRoot, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
