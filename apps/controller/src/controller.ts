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
import { pruneAudit } from './access/prune-audit.js';
import { Tokens } from './access/tokens.js';
import type { OidcSettings } from './access/oidc-settings.js';
import { buildApp } from './api/app.js';
import { isEmbeddedOnLoopback, isReadableOnTheWay, repositoryRoot, type ControllerConfig } from './config.js';
import { createCore } from './core.js';
import { DemoAgents, loadDemoTopology } from './demo.js';
import { leadsEntry } from './distribution/agent-entries.js';
import { certificateAccess, openAccess, type AgentAccess } from './distribution/agent-access.js';
import type { AgentCapabilities } from './distribution/agent-server.js';
import { ControllerPresence } from './distribution/controller-presence.js';
import type { PendingDelta } from './distribution/desired-store.js';
import { Distribution } from './distribution/distribution.js';
import { Leadership } from './distribution/leadership.js';
import { EventHub } from './event-hub.js';
import { Recorder } from './journal/recorder.js';
import { withdrawUnfollowed } from './kubernetes/classes/withdraw-unfollowed.js';
import { Kubernetes } from './kubernetes/kubernetes.js';
import { readKubernetesConfig } from './kubernetes/kubernetes-config.js';
import { healthOf } from './health.js';
import { LogQuota } from './log-quota.js';
import { unrecorded, type Journal } from './model/journal.js';
import { isOutage } from './model/outage.js';
import type { Services } from './model/ports.js';
import { StartFault } from './model/start-fault.js';
import { openRevokedCertificates, openTlsFiles } from './tls-files.js';
import { ReactionLoop } from './policies/reaction-loop.js';
import { DatabaseClock } from './storage/database-clock.js';
import { createDatabase, type Database } from './storage/database.js';
import { startEmbeddedPostgres } from './storage/embedded-postgres.js';
import { possessionsOf } from './storage/owners.js';
import { migrate } from './storage/migrate.js';
import { announceChanges } from './ted/announce-changes.js';
import { pruneHistory } from './ted/history.js';

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
 * What was started is stopped again, in reverse, when something later cannot start. Throws StartFault when an operator can put
 * it right, also for a database that goes away meanwhile.
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
    if (!isOutage(error)) throw error;
    throw new StartFault(`the database of DATABASE_URL does not answer: ${describeOutage(error)}`, { cause: error });
  }
}

async function start(
  config: ControllerConfig,
  log: Logger,
  running: (() => Promise<unknown>)[],
): Promise<Omit<Controller, 'stop'>> {
  const { databaseUrl, failed } = await openDatabase(config, running);
  await migrate(databaseUrl, undefined, {
    onLocked: (error) => log.warn({ err: error }, 'a migration found a table locked; it is tried again'),
  });
  const db = createDatabase(databaseUrl);
  running.push(() => db.destroy());

  const databaseClock = await DatabaseClock.start(db);
  running.push(() => {
    databaseClock.stop();
    return Promise.resolve();
  });
  const uptime = () => performance.now();
  const known = new KnownKeys(db, uptime);
  const tokens = config.oidc && new Tokens(config.oidc, issuerKeys(config.oidc, uptime, log), () => new Date());
  const access = await AccessControl.open(
    { adminKeyFile: config.adminKeyFile, isEmbeddedOnLoopback: isEmbeddedOnLoopback(config) },
    { db, known, tokens, clock: databaseClock.date, log },
  );

  const recorder = await openRecorder(config, db, databaseClock.now, log, running);
  const journal: Journal = recorder ?? { ...unrecorded, now: databaseClock.now };
  const events = new EventHub();
  const bus = openBus(config, log, running);
  running.push(() => bus.close());
  const leadership = new Leadership({ url: databaseUrl, db, log, holder: config.name });
  // Before anything that is done in the epoch.
  leadership.onLead((epoch) => void journal.take(leadsEntry(epoch), () => Promise.resolve(null)));
  const core = createCore(
    {
      ...{ db, databaseUrl, journal, log, settings: config },
      fenced: (epoch, work) => leadership.fenced(epoch, work),
    },
    running,
  );
  const { topology, policies, serviceClasses, stepDependencies } = core;
  await topology.start();
  running.push(() => topology.stop());
  if (config.demoTopology !== undefined) await loadDemoTopology(topology, config.demoTopology, log);
  const stopAnnouncing = await announceChanges(db, topology, events);
  running.push(() => {
    stopAnnouncing();
    return Promise.resolve();
  });

  const foreignSids = new LogQuota(() => performance.now());
  const distribution = await Distribution.create({
    databaseUrl,
    db,
    leadership,
    bus,
    events,
    log,
    controller: config.name,
    access: openAgentAccess(config, log, running),
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    onAcked: core.onAcked,
    journal,
    onHellos: async (hellos) => {
      const statements = hellos.map(({ node, capabilities }) => ({
        node,
        capabilities: tedCapabilities(capabilities),
      }));
      await topology.recordAgentCapabilities(statements);
      for (const foreign of await topology.foreignSids(statements)) {
        const line = foreignSids.take();
        if (line === undefined) continue;
        log.warn({ ...foreign, ...line }, 'a SID that an agent reports is not used: another node has it');
      }
    },
    departure: core.departure,
  });
  const reaction = new ReactionLoop<PendingDelta>(
    {
      ...stepDependencies,
      onRevision: (listener) => topology.onRevision(listener),
      publish: (deltas) => distribution.publisher.publish(deltas),
      log,
      startTimer: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs);
        return () => clearTimeout(timer);
      },
    },
    core.reactionSettings,
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

  const presence = new ControllerPresence({
    db,
    leadership: distribution.leadership,
    log,
    name: config.name,
    version: version(),
    seenRevision: () => topology.seenRevision,
  });
  presence.start();
  running.push(() => presence.stop());

  const services: Services = {
    ...{ topology, policies, serviceClasses },
    ...{ paths: core.paths, pathBatches: core.pathBatches, sweeps: core.sweeps, jobs: core.jobs },
    agents: distribution.agents,
    sessions: distribution.server,
    clusters: () => kubernetes?.clusters() ?? [],
    events,
    access,
    apiKeys: new ApiKeys(db, known, () => new Date(journal.now())),
    audit: new AuditLog(db),
    controllers: presence,
    health: healthOf({ controllers: () => presence.controllers(), isOpen: access.isOpen, log }),
  };
  if (isReadableOnTheWay(config)) {
    log.warn(
      `REST on ${config.httpHost} is in the clear: whoever is on the way reads keys, unless a proxy with TLS is in front; WAYMARK_TLS_CERT_FILE encrypts it`,
    );
  }
  const tls = config.httpTls && openTlsFiles('WAYMARK_TLS', config.httpTls, log, running);
  const app = await buildApp(services, {
    ...{ version: version(), logger: log, rates: config.rates },
    ...(tls && { tls }),
    ...(recorder && { journal: recorder }),
  });
  running.push(() => app.close());
  const url = await listening(
    'WAYMARK_HTTP_PORT',
    `${config.httpHost}:${config.httpPort}`,
    app.listen({ host: config.httpHost, port: config.httpPort }),
  );

  const prune = (): void => {
    const daysAgo = (days: number) => new Date(databaseClock.now() - days * DAY_MS);
    pruneHistory(db, daysAgo(config.historyDays)).catch((error: unknown) =>
      log.warn({ err: error }, 'old revisions could not be removed; tried again tomorrow'),
    );
    pruneAudit(db, daysAgo(config.auditDays)).catch((error: unknown) =>
      log.warn({ err: error }, 'old entries of the audit could not be removed; tried again tomorrow'),
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
  const { grpcTls, grpcRevokedFile, grpcInsecure, grpcHost } = config;
  if (grpcTls !== undefined) {
    const files = openTlsFiles('WAYMARK_GRPC', grpcTls, log, running);
    return certificateAccess(
      files,
      grpcRevokedFile === undefined ? undefined : openRevokedCertificates(grpcRevokedFile, log, running),
    );
  }
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

/** Records where that is wanted, until what was started after it has been stopped. */
async function openRecorder(
  { recordFile, recordMaxBytes, bsidPool, holdMs, maxHoldMs, workers }: ControllerConfig,
  db: Database,
  now: () => number,
  log: Logger,
  running: (() => Promise<unknown>)[],
): Promise<Recorder | undefined> {
  if (recordFile === undefined) return undefined;
  const settings = { bsidPool, holdMs, maxHoldMs, workers };
  const options = { path: recordFile, maxBytes: recordMaxBytes, db, now, engine: version(), settings, log };
  const recorder = await Recorder.start(options).catch((error: unknown) => {
    if (!isFileError(error)) throw error;
    throw new StartFault(`WAYMARK_RECORD_FILE cannot be written: ${error.message}`, { cause: error });
  });
  running.push(() => recorder.close());
  return recorder;
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

function version(): string {
  const file = join(repositoryRoot, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
