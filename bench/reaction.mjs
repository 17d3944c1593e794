/**
 * Time from a link event to the last stored ack, through the whole controller: POST /v1/sources/{id}/events, a revision in
 * PostgreSQL, the reaction loop, one delta per headend on the bus, reconcilers, dry-run data planes, acks over gRPC streams.
 *
 *   npx tsc -b && [REDIS_URL=redis://...] node bench/reaction.mjs [agents ...]
 *
 * 3 and 1,000 agents unless told otherwise. The controller is the shipped one in a process of its own, on an embedded
 * PostgreSQL. With REDIS_URL the agents run in another process, as in production but all in one; without it they run in
 * the controller's process on its in-memory bus, as under `npm start`, and take their time from it.
 *
 * The link that most policies use fails and returns, with a quiet time before each event, so that each is the first of its
 * kind (RFC 8405). Side by side: the same event for a link that no policy uses, through the same chain up to the point
 * where its consequences (none) are published.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { startController } from './support/controller-process.mjs';
import { quantile } from './support/quantile.mjs';
import { host, meshesOf, ringOfHosts } from './support/ring-of-hosts.mjs';

const AGENTS = fileURLToPath(new URL('support/dry-run-agents.mjs', import.meta.url));
const EVENTS = 10;
/** Longer than the hold-down of the delay machine. */
const QUIET_MS = 3_500;
/** Hosts of one mesh; a mesh of everyone would be a million policies. */
const MESH = 10;

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [3, 1_000];
const redisUrl = process.env.REDIS_URL;
const print = (line) => process.stdout.write(`${line}\n`);
/** A start with many agents takes minutes. */
const progress = (what) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(check) {
  while (!(await check())) await sleep(5);
}

async function startAgents(controller, hosts, folder) {
  const nodes = Array.from({ length: hosts }, (_, index) => host(index));
  const child = spawn(process.execPath, [AGENTS, controller.grpcAddress, redisUrl, folder, ...nodes], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    ended.then((code) => reject(new Error(`the agents ended with ${code}`)));
  });
  return async () => {
    child.stdin.end();
    await ended;
  };
}

/** All that was changed up to the revision is computed, published, and acknowledged by every agent. */
async function acknowledged(db, revision) {
  await until(async () => {
    const { rows } = await sql`
      select computed_through >= ${revision} and not exists (select from desired where outcome = 'pending') as done from head
    `.execute(db);
    return rows[0].done;
  });
}

async function measure(hosts, databaseUrl, folder) {
  const settings = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl ?? '',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_HOLD_MS: '0',
  };
  const loading = await startController({ ...settings, WAYMARK_DEMO: 'off' });
  await loading.request('POST', '/v1/topology/imports', {
    format: 'native',
    source: 'bench',
    content: ringOfHosts(hosts),
  });
  await loading.stop();
  // `on` loads no demo topology over another one; it runs an agent for each host.
  const controller = await startController({ ...settings, WAYMARK_DEMO: redisUrl === undefined ? 'on' : 'off' });
  const db = createDatabase(databaseUrl, 1);
  let stopAgents = () => Promise.resolve();
  try {
    progress(`${hosts} agents: topology loaded`);
    if (redisUrl !== undefined) stopAgents = await startAgents(controller, hosts, join(folder, 'agents'));
    for (const mesh of meshesOf(hosts, MESH)) await controller.request('POST', '/v1/meshes', mesh);
    const { revision } = await controller.request('GET', '/v1/topology');
    await until(async () => {
      const { rows } = await sql`select count(*)::int as agents from agent`.execute(db);
      return rows[0].agents === hosts;
    });
    progress('agents connected');
    await acknowledged(db, revision);
    progress('policies acknowledged; the events begin');
    await report(controller, db, hosts);
  } finally {
    await stopAgents();
    await controller.stop();
    await db.destroy();
  }
}

async function report(controller, db, hosts) {
  const { rows: policies } = await sql`select count(*)::int as count from policy_state`.execute(db);
  const { rows: busiest } = await sql`
    select l.from_node as "from", l.to_node as "to"
    from policy_state, unnest(link_ids) as used (link_id) join link_layer l using (link_id)
    where l.from_node like 'r%' and l.to_node like 'r%' and l.to_revision is null
    group by 1, 2 order by count(*) desc, 1, 2 limit 1
  `.execute(db);
  const { from, to } = busiest[0];
  let sequence = 0;
  const post = (links, state) =>
    controller.request('POST', '/v1/sources/igp/events', {
      sequence: ++sequence,
      full: false,
      events: links.map((link) => ({ kind: 'link-state', link, state })),
    });
  const react = async (links, state) => {
    await sleep(QUIET_MS);
    const start = performance.now();
    const { revision } = await post(links, state);
    const accepted = performance.now() - start;
    await acknowledged(db, revision);
    const all = performance.now() - start;
    const { rows } = await sql`
      select d.headend, greatest(0, extract(epoch from d.outcome_at - s.event_at) * 1000)::float8 as ms
      from policy_state s join desired d on d.policy_id = s.policy_id where s.changed_revision = ${revision}
    `.execute(db);
    return {
      accepted,
      all,
      moved: rows.map(({ ms }) => ms),
      headends: new Set(rows.map(({ headend }) => headend)).size,
    };
  };
  const idle = [];
  const busy = [];
  for (let event = 0; event < EVENTS; event++) {
    const state = event % 2 === 0 ? 'down' : 'up';
    idle.push(await react(['stub:r0000', 'r0000:stub'], state));
    busy.push(await react([`${from}:${to}`, `${to}:${from}`], state));
  }
  if (idle.some(({ moved }) => moved.length > 0)) throw new Error('the link that nobody uses moved policies');

  const bus =
    redisUrl === undefined ? 'in-memory bus, agents in the controller process' : 'Redis, agents in one process';
  const moved = busy.map((event) => event.moved.length);
  print(`\n${hosts} agents (${bus}), ${policies[0].count} policies; ${EVENTS} events, ${from} to ${to} down and up`);
  print(`  policies moved per event: ${moved.join(' ')}; headends: ${busy.map(({ headends }) => headends).join(' ')}`);
  print(`  ${'ms'.padEnd(58)}${'median'.padStart(9)}${'p90'.padStart(9)}${'max'.padStart(9)}`);
  const line = (what, values) =>
    print(`  ${what.padEnd(58)}${[0.5, 0.9, 1].map((q) => quantile(values, q).toFixed(0).padStart(9)).join('')}`);
  line(
    'event to all acks, per event',
    busy.map(({ all }) => all),
  );
  line(
    'event to its ack, per policy',
    busy.flatMap((event) => event.moved),
  );
  line(
    'of it: until REST has answered',
    busy.map(({ accepted }) => accepted),
  );
  line(
    'an event that moves nothing, until its (no) consequences',
    idle.map(({ all }) => all),
  );
}

const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
const server = await startEmbeddedPostgres(join(folder, 'postgres'));
try {
  for (const hosts of sizes) {
    const name = `agents_${hosts}`;
    const admin = createDatabase(server.url, 1);
    await sql`create database ${sql.id(name)}`.execute(admin);
    await admin.destroy();
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    await measure(hosts, url.href, join(folder, name));
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
