/**
 * A controller is killed and started again, and all agents come back at once: real sessions with state files, in processes
 * apart from the controller, which is the shipped one in a process of its own. Twice:
 *
 *   unchanged   every agent holds what it should: nobody needs a snapshot
 *   behind      while their controller was away another one changed what every agent should hold: each needs one
 *
 *   npx tsc -b && node bench/reconnect.mjs [agents] [processes]     1,000 agents in 4 processes unless told otherwise
 *
 * Prints the time until all are settled, what the controller did for that and what was needed, and its highest memory.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { AgentFleet } from './support/agent-fleet.mjs';
import { startController } from './support/controller-process.mjs';
import { host, meshesOf, ringOfHosts } from './support/ring-of-hosts.mjs';

const agents = Number(process.argv[2] ?? 1_000);
const processes = Number(process.argv[3] ?? 4);
const MESH = 10;
const print = (line) => process.stdout.write(`${line}\n`);
const progress = (what) =>
  process.stderr.isTTY && process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const nodes = Array.from({ length: agents }, (_, index) => host(index));

const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
const server = await startEmbeddedPostgres(join(folder, 'postgres'));
const db = createDatabase(server.url, 2);
const settings = {
  DATABASE_URL: server.url,
  REDIS_URL: process.env.REDIS_URL ?? '',
  WAYMARK_DATA_DIR: folder,
  WAYMARK_DEMO: 'off',
  WAYMARK_HOLD_MS: '0',
};
let controller;
let fleet;
try {
  controller = await startController(settings);
  await controller.request('POST', '/v1/topology/imports', {
    format: 'native',
    source: 'bench',
    content: ringOfHosts(agents),
  });
  for (const mesh of meshesOf(agents, MESH)) await controller.request('POST', '/v1/meshes', mesh);
  const controllers = [controller.grpcAddress];
  fleet = await AgentFleet.start({ processes, folder: join(folder, 'agents'), controllers, nodes });
  await fleet.start();
  await settled();
  progress('all agents hold what they should');
  const { rows } = await sql`select count(*)::int as policies from desired where not deleted`.execute(db);
  print(
    `${agents} agents in ${processes} processes, ${rows[0].policies} policies; the controller is killed and started again`,
  );
  print(
    '              settled s  sessions  snapshots  unchanged  policies  peak under way  peak waiting  queries  RSS MiB',
  );
  await again('unchanged', () => Promise.resolve());
  await again('behind', changeAll);
} finally {
  await fleet?.close();
  await controller?.stop();
  await db.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Meanwhile: what happens while the agents have no controller. */
async function again(what, meanwhile) {
  const snapshotsBefore = (await fleet.status()).snapshots;
  const grpcPort = controller.grpcAddress.split(':').at(-1);
  await controller.kill();
  await meanwhile();
  const queriesBefore = await queries();
  const started = performance.now();
  controller = await startController({ ...settings, WAYMARK_GRPC_PORT: grpcPort });
  const peak = { underWay: 0, waiting: 0 };
  await settled(async () => {
    const read = await metrics();
    peak.underWay = Math.max(peak.underWay, read('waymark_snapshots{state="under-way"}'));
    peak.waiting = Math.max(peak.waiting, read('waymark_snapshots{state="waiting"}'));
  });
  const seconds = (performance.now() - started) / 1_000;
  const read = await metrics();
  const cells = [
    [seconds.toFixed(1), 9],
    [read('waymark_agent_sessions_total'), 8],
    [read('waymark_snapshots_total{outcome="sent"}'), 9],
    [read('waymark_snapshots_total{outcome="unchanged"}'), 9],
    [read('waymark_snapshot_policies_total'), 8],
    [peak.underWay, 14],
    [peak.waiting, 12],
    [(await queries()) - queriesBefore, 7],
    [(await highestMib()).toFixed(0), 7],
  ];
  print(`${what.padEnd(12)}  ${cells.map(([text, width]) => String(text).padStart(width)).join('  ')}`);
  const asked = (await fleet.status()).snapshots - snapshotsBefore;
  print(`${''.padEnd(12)}  agents asked for ${asked} snapshots; ${what === 'behind' ? agents : 0} were needed`);
}

/** Another controller, which no agent knows, adds as many policies of another color as there are. */
async function changeAll() {
  const elsewhere = await startController(settings);
  for (const mesh of meshesOf(agents, MESH)) {
    await elsewhere.request('POST', '/v1/meshes', { ...mesh, id: `${mesh.id}-more`, color: 2 });
  }
  for (let done = false; !done; await sleep(100)) {
    const { revision, computedThrough } = await elsewhere.request('GET', '/v1/topology');
    done = computedThrough >= revision;
  }
  await elsewhere.stop();
}

/** Every agent is connected and holds what the database wants of its node; `meanwhile` is called again and again until then. */
async function settled(meanwhile = () => Promise.resolve()) {
  for (;;) {
    await meanwhile();
    const { rows } = await sql`
      select node_id as node, encode(state_hash, 'hex') as hash from headend where (select computed_through >= revision from head)
    `.execute(db);
    const { connected, hashes } = await fleet.status();
    if (connected === agents && rows.length === agents && rows.every(({ node, hash }) => hashes[node] === hash)) return;
    await sleep(50);
  }
}

async function metrics() {
  const text = await (await fetch(`${controller.url}/metrics`, { headers: controller.headers })).text();
  return (name) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length + 1) ?? 0,
    );
}

/** Transactions of this database so far; those of this benchmark are among them, but few. */
async function queries() {
  const { rows } = await sql`
    select xact_commit::int as count from pg_stat_database where datname = current_database()
  `.execute(db);
  return rows[0].count;
}

async function highestMib() {
  const status = await readFile(`/proc/${controller.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)[1]) / 1024;
}
