/**
 * Many agents in one process, each with its own gRPC connection, state directory and real session, and no data plane:
 * whatever they are told, they report as simulated. For benchmarks of the controller's side of distribution.
 *
 * As a program it shows what it is for: a controller's distribution on a database of its own, N agents (1,000 unless
 * told otherwise), one change of every headend, and the time until every agent has acknowledged it.
 *
 *   npx tsc -b apps/controller && DATABASE_URL=postgres://... node bench/session-agents.mjs [agents]
 *
 * Without DATABASE_URL it starts the embedded Postgres in a temporary directory; REDIS_URL chooses Redis as the bus.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { encodeDesiredPolicy, Family, MemoryBus, RedisBus, stateHashOf, TunnelAction } from '@waymark/agent-protocol';
import { AgentSession } from '@waymark/node-agent';
import { pino } from 'pino';

/** Takes everything at once and reports it as simulated. */
class InstantReconciler {
  #listeners = [];

  setDesired({ epoch, generation, policies }, changed) {
    const named = changed === 'all' ? policies.keys() : changed;
    const outcomes = Array.from(named, (policyId) => {
      const policy = policies.get(policyId);
      return policy === undefined
        ? { policyId, generation, outcome: 'removed', reason: '' }
        : { policyId, generation: policy.generation, outcome: 'simulated', reason: '' };
    });
    const readBackHash = stateHashOf(Array.from(policies, ([policyId, { body }]) => ({ policyId, body })));
    const report = { epoch, generation, outcomes, readBackHash };
    setImmediate(() => this.#listeners.forEach((listener) => listener(report)));
  }

  onReport(listener) {
    this.#listeners.push(listener);
  }
}

/**
 * Starts an agent per node against `controllers` (host:port), all on one bus (or null). Resolves once all are welcomed.
 * `stop()` ends them and removes their state.
 */
export async function startSessionAgents({ nodes, controllers, bus }) {
  const root = await mkdtemp(join(tmpdir(), 'waymark-agents-'));
  const sessions = nodes.map(
    (node) =>
      new AgentSession({
        identity: {
          nodeId: node,
          agentVersion: 'bench',
          dataplane: 'dry-run',
          msdHEncaps: 0,
          encapMode: 'reduced',
          ownedSids: [],
        },
        controllers,
        credentials: credentials.createInsecure(),
        bus,
        stateDirectory: join(root, node),
        reconciler: new InstantReconciler(),
        health: () => ({ error: null, driftRepairs: 0 }),
        log: pino({ level: 'silent' }),
      }),
  );
  await Promise.all(sessions.map((session) => session.start()));
  await until(() => sessions.every((session) => session.status().connected));
  return {
    sessions,
    stop: async () => {
      await Promise.all(sessions.map((session) => session.stop()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Polls until the check answers true. */
export async function until(check, everyMs = 5) {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}

async function main(count) {
  const { createDatabase } = await import('../apps/controller/dist/storage/database.js');
  const { migrate } = await import('../apps/controller/dist/storage/migrate.js');
  const { startEmbeddedPostgres } = await import('../apps/controller/dist/storage/embedded-postgres.js');
  const { Distribution } = await import('../apps/controller/dist/distribution/distribution.js');
  const { writeDesired } = await import('../apps/controller/dist/distribution/desired-store.js');
  const print = (text) => process.stdout.write(`${text}\n`);
  const closing = [];
  try {
    const { DATABASE_URL, REDIS_URL } = process.env;
    let url = DATABASE_URL;
    if (url === undefined) {
      const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
      const server = await startEmbeddedPostgres(folder);
      closing.push(async () => {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      });
      url = server.url;
    }
    await migrate(url);
    const db = createDatabase(url);
    closing.push(() => db.destroy());
    const bus = REDIS_URL === undefined ? new MemoryBus() : new RedisBus(REDIS_URL, () => undefined);
    closing.push(() => bus.close());
    const distribution = await Distribution.create({
      databaseUrl: url,
      db,
      bus,
      events: { emit: () => undefined, gap: () => undefined, subscribe: () => () => undefined },
      log: pino({ level: 'warn' }),
      controller: 'bench',
      credentials: ServerCredentials.createInsecure(),
      heartbeatIntervalMs: 2_000,
      onAcked: () => Promise.resolve(),
      onHello: () => Promise.resolve(),
    });
    const port = await distribution.start('127.0.0.1:0');
    closing.push(() => distribution.stop());
    await until(() => distribution.leadership.epoch !== undefined);

    const nodes = Array.from({ length: count }, (_, index) => `h${index}`);
    const begun = performance.now();
    const agents = await startSessionAgents({ nodes, controllers: [`127.0.0.1:${port}`], bus });
    closing.push(() => agents.stop());
    print(`${count} agents connected in ${seconds(begun)} s (bus: ${bus.kind})`);

    for (let round = 1; round <= 5; round++) {
      const changes = nodes.map((headend) => {
        const policyId = `${headend}:1:x`;
        return { headend, policies: [{ policyId, body: body(policyId, round) }] };
      });
      const start = performance.now();
      const { epoch } = distribution.leadership;
      const deltas = await distribution.leadership.fenced(epoch, (tx) => writeDesired(tx, epoch, changes));
      const committed = seconds(start);
      await distribution.publisher.publish(deltas);
      await until(async () => {
        const pending = await db
          .selectFrom('desired')
          .select('policy_id')
          .where('outcome', '=', 'pending')
          .limit(1)
          .execute();
        return pending.length === 0;
      });
      print(`change ${round}: committed after ${committed} s, all ${count} acknowledged after ${seconds(start)} s`);
    }
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function seconds(since) {
  return ((performance.now() - since) / 1_000).toFixed(3);
}

function body(policyId, variant) {
  const sid = (last) => Uint8Array.of(0xfc, ...new Array(13).fill(0), variant, last);
  return encodeDesiredPolicy({
    policyId,
    color: 1,
    endpoint: sid(1),
    usesPlannedSids: false,
    tunnels: [
      {
        family: Family.IPV6,
        action: TunnelAction.ENCAPSULATE,
        bsid: sid(2),
        alternateBsid: sid(3),
        segmentLists: [{ weight: 1, sids: [sid(4), sid(5)] }],
        steeredPrefixes: [{ family: Family.IPV6, address: new Uint8Array(16), length: 0 }],
      },
    ],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2] ?? 1_000));
