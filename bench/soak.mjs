/**
 * Does a controller stay as large as it is? One as it is shipped, in a process of its own, under a constant mix: path
 * computations, changed constraints, link events, policies that come and go, batches, streams of events whose readers come and
 * go or do not read, agents that reconnect with and without what they held, keys that are made, used, guessed and deleted,
 * requests that are given up. Every so often its garbage is collected and what is left is counted, and so are the rows of each
 * table.
 *
 *   npx tsc -b && node bench/soak.mjs [--minutes 30] [--hosts 60] [--every 20] [--tick 1000] [--seed 1]
 *
 * Prints memory, handles and rows, then the slope of memory after the first third by a linear fit with its 95 % confidence, and
 * which tables grew. History and audit are meant to grow for WAYMARK_HISTORY_DAYS.
 */
import { mkdtemp, readFile, rm, unlink } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
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
import { host, meshesOf, plainPolicy, ringOfHosts } from './support/ring-of-hosts.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    hosts: { type: 'string', default: '60' },
    every: { type: 'string', default: '20' },
    tick: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});
const [minutes, hosts, everyS, tickMs, seed] = ['minutes', 'hosts', 'every', 'tick', 'seed'].map((name) =>
  Number(values[name]),
);
const MIB = 1024 * 1024;
const print = (line) => process.stdout.write(`${line}\n`);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const random = randomSource(seed);
const below = (limit) => Math.floor(random() * limit);

const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
const memoryFile = join(folder, 'memory.json');
const server = await startEmbeddedPostgres(join(folder, 'postgres'));
const preload = new URL('support/tell-memory.mjs', import.meta.url);
let controller;
let fleet;
const db = createDatabase(server.url, 2);
try {
  controller = await startController({
    DATABASE_URL: server.url,
    REDIS_URL: process.env.REDIS_URL ?? '',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_DEMO: 'off',
    WAYMARK_HOLD_MS: '0',
    NODE_OPTIONS: `--import ${preload.href}`,
    WAYMARK_BENCH_MEMORY: memoryFile,
  });
  await soak();
} finally {
  await fleet?.close();
  await controller?.stop();
  await db.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function soak() {
  const nodes = Array.from({ length: hosts }, (_, index) => host(index));
  await controller.request('POST', '/v1/topology/imports', {
    format: 'native',
    source: 'bench',
    content: ringOfHosts(hosts),
  });
  for (const mesh of meshesOf(hosts, 6)) await controller.request('POST', '/v1/meshes', mesh);
  const controllers = [controller.grpcAddress];
  fleet = await AgentFleet.start({ processes: 1, folder: join(folder, 'agents'), controllers, nodes });
  await fleet.start();
  const { rows: links } = await sql`
    select distinct link_id as id from link_layer where from_node like 'r%' and to_node like 'r%' order by 1
  `.execute(db);

  print(`${hosts} hosts, ${links.length} directed links between routers, ${minutes} minutes, seed ${seed}`);
  const mix = mixOf(
    nodes,
    links.map(({ id }) => id),
  );
  const end = Date.now() + minutes * 60_000;
  const started = Date.now();
  const samples = [];
  print('minute  RSS MiB  heap MiB  external MiB  handles  files  connected  operations');
  let firstRows;
  while (Date.now() < end) {
    const until = Math.min(end, Date.now() + everyS * 1_000);
    while (Date.now() < until) {
      const tick = Date.now() + tickMs;
      await mix.tick();
      await sleep(Math.max(0, tick - Date.now()));
    }
    const sample = { hours: (Date.now() - started) / 3_600_000, ...(await measure()) };
    samples.push(sample);
    if (sample.hours * 60 >= minutes / 3) firstRows ??= { hours: sample.hours, rows: await rowsByTable() };
    const { connected } = await fleet.status();
    const cells = [
      [(sample.hours * 60).toFixed(1), 6],
      [(sample.rss / MIB).toFixed(1), 7],
      [(sample.heapUsed / MIB).toFixed(1), 8],
      [(sample.external / MIB).toFixed(1), 12],
      [sample.handles, 7],
      [sample.files, 5],
      [connected, 9],
      [mix.total(), 10],
    ];
    print(cells.map(([text, width]) => String(text).padStart(width)).join('  '));
  }
  await mix.stop();
  print(`\nEvents in the log of the controller, which keeps the newest 4,096: ${await eventCount()}`);
  report(samples, firstRows, await rowsByTable(), mix);
}

async function measure() {
  await unlink(memoryFile).catch(() => undefined);
  process.kill(controller.pid, 'SIGURG');
  for (;;) {
    const text = await readFile(memoryFile, 'utf8').catch(() => '');
    if (text !== '') return { ...JSON.parse(text), files: readdirSync(`/proc/${controller.pid}/fd`).length };
    await sleep(50);
  }
}

async function eventCount() {
  const text = await (await fetch(`${controller.url}/metrics`, { headers: controller.headers })).text();
  const counts = [...text.matchAll(/^waymark_events_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
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

function report(samples, first, last, mix) {
  const settled = samples.filter(({ hours }) => hours * 60 >= minutes / 3);
  print(`\nOperations: ${[...mix.counts].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  print(`Answers: ${[...mix.statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`);
  if (settled.length < 3) {
    print('too short a run to say whether memory is flat');
    return;
  }
  for (const [name, key] of [
    ['RSS', 'rss'],
    ['heap', 'heapUsed'],
    ['external', 'external'],
  ]) {
    const { slope, half } = lineFit(settled.map((sample) => [sample.hours, sample[key] / MIB]));
    const verdict = slope - half > 0 ? 'grows' : 'flat';
    print(`${name}: ${slope.toFixed(2)} ± ${half.toFixed(2)} MiB per hour: ${verdict}`);
  }
  const most = Math.max(...settled.map(({ handles }) => handles));
  print(`handles: at most ${most}; files: at most ${Math.max(...settled.map(({ files }) => files))}`);
  const grown = [...last]
    .map(([name, rows]) => ({ name, rows, more: rows - (first.rows.get(name) ?? 0) }))
    .filter(({ more }) => more > 0);
  print(`Tables that grew since minute ${(first.hours * 60).toFixed(0)}:`);
  for (const { name, rows, more } of grown) print(`  ${name}: ${rows} rows, ${more} more`);
}

/** With every tick a few of everything. Whatever is made is taken away again, so nothing has a reason to grow. */
function mixOf(nodes, links) {
  const counts = new Map();
  const statuses = new Map();
  const streams = [];
  const policies = [];
  const down = new Set();
  let sequence = 0;
  let ticks = 0;
  const any = (list) => list[below(list.length)];
  const count = (name) => counts.set(name, 1 + (counts.get(name) ?? 0));

  async function request(name, method, path, body, { headers = {}, signal } = {}) {
    count(name);
    const answer = await fetch(controller.url + path, {
      method,
      headers: { ...controller.headers, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      signal: signal ?? AbortSignal.timeout(60_000),
    });
    const text = await answer.text();
    statuses.set(answer.status, 1 + (statuses.get(answer.status) ?? 0));
    if (answer.status >= 500 && answer.status !== 503) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return { status: answer.status, text };
  }

  const aPath = () => ({ source: any(nodes), destination: any(nodes), metric: 'delay', constraints: {} });
  const changed = { headers: { 'if-match': '*' } };

  async function compute() {
    await request('computations', 'POST', '/v1/path-computations', aPath());
  }
  async function constrain() {
    const path = `/v1/links/${encodeURIComponent(any(links))}/constraints`;
    await request('constraints', 'PATCH', path, { teMetric: 1 + below(100) }, changed);
  }
  async function linkEvent() {
    const link = down.size > 2 ? [...down][0] : any(links);
    const state = down.delete(link) ? 'up' : 'down';
    if (state === 'down') down.add(link);
    const events = [{ kind: 'link-state', link, state }];
    await request('link events', 'POST', '/v1/sources/igp/events', { sequence: ++sequence, full: false, events });
  }
  async function policy() {
    if (policies.length > 20) {
      const id = policies.shift();
      await request('policies', 'DELETE', `/v1/sr-policies/${encodeURIComponent(id)}`, undefined, changed);
    }
    const headend = any(nodes);
    const endpoint = any(nodes.filter((node) => node !== headend));
    const color = 2 + below(50);
    const { status } = await request('policies', 'POST', '/v1/sr-policies', plainPolicy(color, headend, endpoint));
    if (status === 201) policies.push(`${headend}:${color}:${endpoint}`);
  }
  async function batch() {
    const id = `soak-${ticks}`;
    await request('batches', 'POST', '/v1/path-computation-batches', {
      kind: 'requests',
      id,
      requests: Array.from({ length: 10 }, aPath),
    });
    await request('batches', 'DELETE', `/v1/path-computation-batches/${id}`);
  }
  async function stream() {
    if (streams.length >= 6) streams.splice(below(streams.length), 1)[0].destroy();
    const { hostname, port } = new URL(controller.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${controller.headers.authorization}\r\n\r\n`,
    );
    // every third reads nothing
    if (ticks % 3 === 0) socket.pause();
    else socket.resume();
    streams.push(socket);
    count('streams');
  }
  async function reconnect() {
    const node = any(nodes);
    await fleet.stop([node], random() < 0.3);
    await fleet.start([node]);
    count('agents reconnected');
  }
  async function key() {
    const name = `soak-${ticks}`;
    const { text } = await request('keys', 'POST', '/v1/api-keys', { name, role: 'viewer' });
    const { secret } = JSON.parse(text);
    await request('keys', 'GET', '/v1/nodes?limit=1', undefined, { headers: { authorization: `Bearer ${secret}` } });
    await request('wrong keys', 'GET', '/v1/nodes', undefined, { headers: { authorization: `Bearer ${secret}x` } });
    await request('keys', 'DELETE', `/v1/api-keys/${name}`);
  }
  async function giveUp() {
    const signal = AbortSignal.timeout(1 + below(10));
    await request('given up', 'POST', '/v1/path-computations', aPath(), { signal }).catch((error) => {
      if (error.name !== 'TimeoutError') throw error;
    });
  }
  const bad = () => request('bad requests', 'POST', '/v1/path-computations', { ...aPath(), metric: 'beauty' });
  const read = () => request('reads', 'GET', any(['/v1/sr-policies?limit=100', '/v1/agents', '/metrics', '/v1/audit']));

  return {
    counts,
    statuses,
    total: () => [...counts.values()].reduce((sum, one) => sum + one, 0),
    async tick() {
      ticks += 1;
      const work = [compute(), compute(), compute(), constrain(), read(), giveUp(), bad()];
      if (ticks % 2 === 0) work.push(policy(), reconnect());
      if (ticks % 3 === 0) work.push(linkEvent());
      if (ticks % 4 === 0) work.push(stream());
      if (ticks % 10 === 0) work.push(batch(), key());
      await Promise.all(work);
    },
    async stop() {
      for (const socket of streams) socket.destroy();
    },
  };
}
