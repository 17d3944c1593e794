/**
 * Does a controller stay as large as it is, and an agent? A controller as it is shipped, in a process of its own, under a constant
 * mix (support/soak-mix.mjs): path computations, changed constraints, link events, policies that come and go, batches, streams of
 * events whose readers come and go or do not read, agents that reconnect with and without what they held, keys that are made,
 * used, guessed and deleted, requests that are given up. One of the agents is the shipped program too, with the dry-run data
 * plane; REDIS_URL lets it have deltas, otherwise it gets snapshots. Every so often garbage is collected and what is left is
 * counted, and so are the rows of each table.
 *
 *   npx tsc -b && node bench/soak.mjs [--minutes 45] [--hosts 60] [--every 20] [--tick 1000] [--seed 1] [--events 4096]
 *     [--snapshots <folder>]
 *
 * What keeps a bounded number of things grows until it has as many. So at first the mix comes as fast as it can, until the
 * controller's log of events is full (`--events`), which takes longest, and then at its pace until V8 has compiled what it will: that code is a
 * part of the heap, and by then no more than 0.1 MiB in five minutes comes to it. Only then the fit begins: prints memory, handles and
 * rows, the slope of memory by a linear fit with its 95 % confidence, and which tables grew. History and audit are meant to grow
 * for WAYMARK_HISTORY_DAYS. `--minutes` is how long it goes on from there, and how long it waits for that at most.
 *
 * With --snapshots, heap snapshots of controller and agent at the fit's beginning and end; support/heap-growth.mjs compares them. They
 * disturb the figures of that run.
 */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { AgentFleet } from './support/agent-fleet.mjs';
import { startController } from './support/controller-process.mjs';
import { lineFit } from './support/line-fit.mjs';
import { randomSource } from './support/random-source.mjs';
import { startAgent } from './support/real-agent.mjs';
import { host, meshesOf, ringOfHosts } from './support/ring-of-hosts.mjs';
import { soakMix } from './support/soak-mix.mjs';
import { WatchedMemory } from './support/watched-memory.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '45' },
    hosts: { type: 'string', default: '60' },
    every: { type: 'string', default: '20' },
    tick: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    events: { type: 'string', default: '4096' },
    snapshots: { type: 'string' },
  },
});
const [minutes, hosts, everyS, tickMs, seed, firstEvents] = ['minutes', 'hosts', 'every', 'tick', 'seed', 'events'].map(
  (name) => Number(values[name]),
);
const MIB = 1024 * 1024;
/** While the log of events fills. Twice as fast, and the wrong keys of the mix would lock it out. */
const FILLING_TICK_MS = 200;
const SETTLING_MINUTES = 5;
const SETTLED_BYTES = 0.1 * MIB;
const mib = (bytes) => (bytes / MIB).toFixed(1);
const print = (line) => process.stdout.write(`${line}\n`);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
const server = await startEmbeddedPostgres(join(folder, 'postgres'));
const memory = new WatchedMemory(join(folder, 'memory.json'));
const agentMemory = new WatchedMemory(join(folder, 'agent-memory.json'));
let controller;
let fleet;
let agent;
const db = createDatabase(server.url, 2);
try {
  controller = await startController({
    DATABASE_URL: server.url,
    REDIS_URL: process.env.REDIS_URL ?? '',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_DEMO: 'off',
    WAYMARK_HOLD_MS: '0',
    ...memory.environment,
  });
  await soak();
} finally {
  await agent?.stop();
  await fleet?.close();
  await controller?.stop();
  await db.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function soak() {
  const nodes = Array.from({ length: hosts }, (_, index) => host(index));
  const [watched, ...others] = nodes;
  await controller.request('POST', '/v1/topology/imports', {
    format: 'native',
    source: 'bench',
    content: ringOfHosts(hosts),
  });
  for (const mesh of meshesOf(hosts, 6)) await controller.request('POST', '/v1/meshes', mesh);
  const controllers = [controller.grpcAddress];
  fleet = await AgentFleet.start({ processes: 1, folder: join(folder, 'agents'), controllers, nodes: others });
  await fleet.start();
  agent = startAgent({
    node: watched,
    controller: controller.grpcAddress,
    folder: join(folder, 'agent'),
    environment: agentMemory.environment,
  });
  while (!(await isConnected(watched))) await sleep(100);
  const { rows } = await sql`
    select distinct link_id as id from link_layer where from_node like 'r%' and to_node like 'r%' order by 1
  `.execute(db);
  const links = rows.map(({ id }) => id);
  const random = randomSource(seed);
  const mix = soakMix({ controller, fleet, nodes, links, deltasTo: watched, random });

  print(`${hosts} hosts, ${links.length} directed links between routers, seed ${seed}; RSS, heap, external in MiB`);
  print(
    'minute  events  RSS  heap  code  workers  external  handles  files  connected  operations  agent: RSS  heap  code  generation',
  );
  const started = Date.now();
  const goOn = async (milliseconds, tick) => {
    const until = Date.now() + milliseconds;
    while (Date.now() < until) {
      const next = Date.now() + tick;
      await mix.tick();
      await sleep(Math.max(0, next - Date.now()));
    }
    return sample(started, mix, watched);
  };
  let newest = await goOn(0);
  while (newest.events < firstEvents) newest = await goOn(everyS * 1_000, FILLING_TICK_MS);
  print(
    `There were ${newest.events} events; the log is full with 4,096 (docs/load.md). From now on a tick each ${tickMs} ms.`,
  );
  const settling = [newest];
  const patience = Date.now() + minutes * 60_000;
  while (!isSettled(settling) && Date.now() < patience) settling.push(await goOn(everyS * 1_000, tickMs));
  const howSettled = isSettled(settling) ? 'less' : `after ${minutes} minutes still more`;
  print(
    `In ${SETTLING_MINUTES} minutes ${howSettled} than ${mib(SETTLED_BYTES)} MiB of code was compiled. The fit begins.`,
  );
  await takeSnapshots('first');
  const firstRows = await rowsByTable();
  const samples = [];
  const end = Date.now() + minutes * 60_000;
  while (Date.now() < end) samples.push(await goOn(everyS * 1_000, tickMs));
  mix.stop();
  await takeSnapshots('last');
  report(samples, firstRows, await rowsByTable(), mix);
}

async function isConnected(node) {
  const { items } = await controller.request('GET', '/v1/agents?limit=1000&state=connected');
  return items.some((one) => one.node === node);
}

/** Has no more code been compiled in the last minutes than may be? What is not used is forgotten, so it comes and goes. */
function isSettled(samples) {
  const since = samples.at(-1).hours - SETTLING_MINUTES / 60;
  const [first] = samples;
  if (first.hours > since) return false;
  const before = samples.filter(({ hours }) => hours <= since).map(({ code }) => code);
  const lately = samples.filter(({ hours }) => hours > since).map(({ code }) => code);
  return Math.max(...lately) - Math.max(...before) < SETTLED_BYTES;
}

/** Measures and prints a line of it. */
async function sample(started, mix, watched) {
  const own = await memory.measure(controller.pid);
  const agents = await agentMemory.measure(agent.pid);
  const { connected } = await fleet.status();
  const events = await eventCount();
  const { rows } = await sql`select max(generation) as generation from desired where headend = ${watched}`.execute(db);
  const minute = (Date.now() - started) / 60_000;
  const cells = [
    [minute.toFixed(1), 6],
    [events, 6],
    [mib(own.rss), 5],
    [mib(own.heapUsed), 5],
    [mib(own.code), 4],
    [mib(own.workersHeap), 6],
    [mib(own.external), 8],
    [own.handles, 7],
    [own.files, 5],
    [connected, 9],
    [mix.total(), 10],
    [mib(agents.rss), 10],
    [mib(agents.heapUsed), 4],
    [mib(agents.code), 4],
    [rows[0].generation ?? 0, 10],
  ];
  print(cells.map(([text, width]) => String(text).padStart(width)).join('  '));
  return {
    ...{ hours: minute / 60, events, ...own, data: own.heapUsed - own.code },
    ...{ agentRss: agents.rss, agentHeap: agents.heapUsed, agentData: agents.heapUsed - agents.code },
  };
}

async function eventCount() {
  const text = await (await fetch(`${controller.url}/metrics`, { headers: controller.headers })).text();
  const counts = [...text.matchAll(/^waymark_events_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function takeSnapshots(name) {
  if (values.snapshots === undefined) return;
  await mkdir(values.snapshots, { recursive: true });
  await memory.snapshot(controller.pid, join(values.snapshots, `controller-${name}.heapsnapshot`));
  await agentMemory.snapshot(agent.pid, join(values.snapshots, `agent-${name}.heapsnapshot`));
}

async function rowsByTable() {
  const { rows } = await sql`
    select relname as name from pg_stat_user_tables where schemaname = 'public' order by 1
  `.execute(db);
  const counts = new Map();
  for (const { name } of rows) {
    const counted = await sql`select count(*)::int as rows from ${sql.table(name)}`.execute(db);
    counts.set(name, counted.rows[0].rows);
  }
  return counts;
}

function report(samples, firstRows, lastRows, mix) {
  print(`\nOperations: ${[...mix.counts].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  print(`Answers: ${[...mix.statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`);
  if (samples.length < 10) {
    print('too few samples to say whether memory is flat');
    return;
  }
  const [{ hours: first }] = samples;
  print(`Over ${minutes} minutes, ${samples.length} samples:`);
  for (const [name, key] of [
    ['heap', 'heapUsed'],
    ['of it compiled code', 'code'],
    ['the rest of it', 'data'],
    ['heap of worker threads', 'workersHeap'],
    ['external', 'external'],
    ['RSS', 'rss'],
    ["the agent's heap", 'agentHeap'],
    ['of it all but compiled code', 'agentData'],
    ["the agent's RSS", 'agentRss'],
  ]) {
    const inMib = samples.map((one) => one[key] / MIB);
    const { slope, half } = lineFit(samples.map(({ hours }, index) => [hours - first, inMib[index]]));
    const verdict = slope - half > 0 ? 'grows' : 'does not grow';
    const range = `${Math.min(...inMib).toFixed(1)} to ${Math.max(...inMib).toFixed(1)} MiB`;
    print(`  ${name}: ${slope.toFixed(2)} ± ${half.toFixed(2)} MiB per hour: ${verdict}; ${range}`);
  }
  const most = Math.max(...samples.map(({ handles }) => handles));
  print(`  handles: at most ${most}; files: at most ${Math.max(...samples.map(({ files }) => files))}`);
  const grown = [...lastRows]
    .map(([name, rows]) => ({ name, rows, more: rows - (firstRows.get(name) ?? 0) }))
    .filter(({ more }) => more > 0);
  print('Tables that grew meanwhile:');
  for (const { name, rows, more } of grown) print(`  ${name}: ${rows} rows, ${more} more`);
}
