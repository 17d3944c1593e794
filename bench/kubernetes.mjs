/**
 * Large Kubernetes clusters behind one controller: their nodes come up as hosts, agents connect, a PolicyMesh object over some
 * of the hosts becomes policies, nodes go on telling of themselves, a block of pod addresses moves, a link fails.
 *
 *   npx tsc -b && [REDIS_URL=redis://...] node bench/kubernetes.mjs [nodes] [clusters] [hosts of the mesh] [run ...]
 *
 * 2,000 nodes in 4 clusters with a mesh of 448 hosts (200,256 policies) unless told otherwise. Runs, all unless some are
 * named: `clusters`; `one`, one cluster of them by itself with its part of the mesh; `rest`, the same hosts from a file and
 * the mesh through REST, without Kubernetes. Each has a controller process of its own on an embedded PostgreSQL; API servers are
 * stand-ins, each in a process of its own, and all agents are in another. Without REDIS_URL agents learn of changes
 * by their gRPC sessions alone.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { startCluster } from './support/clusters.mjs';
import { startController } from './support/controller-process.mjs';
import { ATTACHMENT_DELAY_US, nodeName, routerName, underlay } from './support/hosts-of-clusters.mjs';
import { ProcessFigures } from './support/process-figures.mjs';

const AGENTS = fileURLToPath(new URL('support/session-agents.mjs', import.meta.url));
const MIB = 1024 * 1024;
const MESH = 'bench';
const COLOR = 200;
const HEARTBEAT_MS_PER_NODE = 10;

const [nodes = 2_000, clusters = 4, meshHosts = 448] = process.argv.slice(2, 5).map(Number);
const named = process.argv.slice(5);
const perCluster = Math.floor(nodes / clusters);
const inMesh = Math.floor(meshHosts / clusters);
const routers = Math.max(4, Math.ceil(perCluster / 10));
const print = (line) => process.stdout.write(`${line}\n`);
const progress = (what) => {
  if (process.stderr.isTTY) process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
};
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(check) {
  while (!(await check())) await sleep(100);
}

const numbers = (count) => Array.from({ length: count }, (_, index) => index);
const hostsOf = (count, each) => numbers(count).flatMap((cluster) => numbers(each).map((i) => nodeName(cluster, i)));

/** The agents of all hosts; each owns the service SIDs of its node. Resolves when all are connected. */
async function startAgents(controller, count, folder) {
  const child = spawn(process.execPath, [AGENTS, controller.grpcAddress, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for (const cluster of numbers(count)) {
    for (const i of numbers(perCluster)) {
      const sid = (kind) => `fcff:${cluster}:${i.toString(16)}:${kind}::`;
      child.stdin.write(`${nodeName(cluster, i)} ${sid(4)} ${sid(6)}\n`);
    }
  }
  child.stdin.write('\n');
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    ended.then((code) => reject(new Error(`the agents ended with ${code}`)));
  });
  return async () => {
    child.stdin.end();
    await ended;
  };
}

const meshTerms = {
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }],
  fallback: 'shortest-path',
};

/** One controller with so many clusters; `source` says where its hosts and its mesh come from: `clusters` or `rest`. */
async function run({ title, count, source, databaseUrl, folder }) {
  const hosts = count * perCluster;
  const selected = hostsOf(count, inMesh);
  const pairs = selected.length * (selected.length - 1);
  const servers = [];
  const settings = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: process.env.REDIS_URL ?? '',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_DEMO: 'off',
    WAYMARK_HOLD_MS: '0',
  };
  if (source === 'clusters') {
    for (const cluster of numbers(count)) {
      servers.push(await startCluster({ cluster, nodes: perCluster, routers, folder }));
    }
    const file = join(folder, 'kubernetes.json');
    const config = servers.map(({ name, kubeconfig }, i) => ({
      attachmentDelayUs: ATTACHMENT_DELAY_US,
      name,
      kubeconfig,
      ...(i === 0 && { resources: true }),
    }));
    await writeFile(file, JSON.stringify({ clusters: config, prefixGraceSeconds: 2 }));
    settings.WAYMARK_KUBERNETES = file;
  }
  const db = createDatabase(databaseUrl, 1);
  const untouched = { ...(await callFigures(servers)), revisions: 0 };
  const started = performance.now();
  const controller = await startController(settings);
  const watch = new ProcessFigures(controller, started);
  let stopAgents = () => Promise.resolve();
  const phases = [];
  const phase = async (what, work) => {
    progress(`${title}: ${what}`);
    const before = phases.length === 0 ? untouched : await allFigures(servers, db);
    if (phases.length > 0) await watch.begin();
    await work();
    phases.push({ what, ...(await watch.end()), ...difference(before, await allFigures(servers, db)) });
  };
  const acknowledged = (revision) => until(() => isAcknowledged(db, revision));
  try {
    await phase('hosts come up', async () => {
      const content = underlay(count, routers, source === 'rest' ? perCluster : 0);
      await controller.request('POST', '/v1/topology/imports', { format: 'native', source: 'underlay', content });
      await until(async () => (await controller.request('GET', '/v1/topology')).hosts === hosts);
    });
    await phase('agents connect', async () => {
      stopAgents = await startAgents(controller, count, join(folder, 'agents'));
      await until(async () => (await number(db, sql`select count(*) from agent`)) === hosts);
      await until(async () => (await ownedSids(db)) === 2 * hosts);
    });
    await phase('the mesh, computed', async () => {
      const spec = { color: COLOR, selector: { nodes: selected }, ...meshTerms };
      if (source === 'clusters') {
        const body = { apiVersion: 'waymark.dev/v1alpha1', kind: 'PolicyMesh', metadata: { name: MESH }, spec };
        await servers[0].ask('create', { body });
      } else {
        const { color, selector } = spec;
        const intent = { id: MESH, color, selector, template: meshTerms, overrides: [] };
        await controller.request('POST', '/v1/meshes', intent);
      }
      await until(async () => (await number(db, sql`select count(*) from policy_state where status = 'up'`)) === pairs);
    });
    await phase('… and told, and acknowledged', async () => {
      await acknowledged(0);
      if (source !== 'clusters') return;
      await until(async () => {
        const status = await servers[0].ask('status', { kind: 'PolicyMesh', name: MESH });
        return status?.conditions?.every(({ status: is }) => is === 'True') && status.policies.installed === pairs;
      });
    });
    await phase('every node tells of itself', async () => {
      const milliseconds = perCluster * HEARTBEAT_MS_PER_NODE;
      if (source !== 'clusters') await sleep(milliseconds);
      await Promise.all(servers.map((server) => server.ask('heartbeat', { milliseconds })));
    });
    if (source === 'clusters') {
      await phase('a block moves', async () => {
        const block = await servers[0].ask('move-block', { from: 0, to: 1 });
        const holder = () => controller.request('GET', `/v1/nodes/${nodeName(0, 1)}`);
        await until(async () => (await holder()).effective.podPrefixes.includes(block));
        await acknowledged((await controller.request('GET', '/v1/topology')).revision);
      });
    }
    const [from, to] = [routerName(0, 0), routerName(0, 1)];
    for (const [sequence, state] of [
      [1, 'down'],
      [2, 'up'],
    ]) {
      await phase(`a link ${state === 'down' ? 'fails' : 'returns'}`, async () => {
        const events = [`${from}:${to}`, `${to}:${from}`].map((link) => ({ kind: 'link-state', link, state }));
        const body = { sequence, full: false, events };
        const { revision } = await controller.request('POST', '/v1/sources/igp/events', body);
        await acknowledged(revision);
      });
    }
    const { rows: tables } = await sql`
      select relname as name, pg_total_relation_size(oid) as bytes from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace order by 2 desc limit 5
    `.execute(db);
    return { title, hosts, pairs, phases, tables, figures: await allFigures(servers, db) };
  } finally {
    await watch.close();
    await stopAgents();
    await controller.stop();
    await db.destroy();
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function number(db, query) {
  const { rows } = await sql`select (${query})::float8 as number`.execute(db);
  return rows[0].number;
}

const ownedSids = (db) => number(db, sql`select count(*) from sid where source like 'agent:%' and to_revision is null`);

/** All that was changed up to the revision is computed, published, and acknowledged by every agent. */
async function isAcknowledged(db, revision) {
  const { rows } = await sql`
    select computed_through >= greatest(revision, ${revision}::bigint)
      and not exists (select from desired where outcome = 'pending') as done from head
  `.execute(db);
  return rows[0].done;
}

async function allFigures(servers, db) {
  return {
    ...(await callFigures(servers)),
    revisions: await number(db, sql`select revision from head`),
    databaseMib: (await number(db, sql`select pg_database_size(current_database())`)) / MIB,
  };
}

async function callFigures(servers) {
  const said = await Promise.all(servers.map((server) => server.ask('figures')));
  return {
    calls: Object.fromEntries(servers.map(({ name }, i) => [name, said[i].calls])),
    watches: said.reduce((sum, { watches }) => sum + watches, 0),
    watchEvents: said.reduce((sum, { watchEvents }) => sum + watchEvents, 0),
  };
}

function difference(before, after) {
  const callsOf = (cluster) =>
    Object.entries(after.calls[cluster]).flatMap(([call, times]) => {
      const more = times - (before.calls[cluster][call] ?? 0);
      return more === 0 ? [] : [[call, more]];
    });
  return {
    calls: Object.fromEntries(
      Object.keys(after.calls).map((cluster) => [cluster, Object.fromEntries(callsOf(cluster))]),
    ),
    watchEvents: after.watchEvents - before.watchEvents,
    revisions: after.revisions - before.revisions,
    databaseMib: after.databaseMib,
  };
}

function report({ title, hosts, pairs, phases, tables, figures }) {
  print(`\n${title}: ${hosts} hosts, ${pairs} policies, ${figures.watches} watches`);
  const columns = ['s', 'CPU s', 'peak RSS', 'heap', 'stop ms', 'revisions', 'calls', 'events', 'database'];
  print(`${'(MiB)'.padEnd(30)}${columns.map((column) => column.padStart(10)).join('')}`);
  for (const {
    what,
    seconds,
    cpuSeconds,
    rssMib,
    heapMib,
    stopMs,
    revisions,
    calls,
    watchEvents,
    databaseMib,
  } of phases) {
    const all = Object.values(calls).flatMap((each) => Object.values(each));
    const sum = all.reduce((total, one) => total + one, 0);
    const figures = [
      seconds.toFixed(1),
      cpuSeconds.toFixed(1),
      ...[rssMib, heapMib, stopMs].map((one) => one.toFixed(0)),
    ];
    const row = [...figures, revisions, sum, watchEvents, databaseMib.toFixed(0)];
    print(`${what.padEnd(30)}${row.map((one) => String(one).padStart(10)).join('')}`);
  }
  print(`largest tables: ${tables.map(({ name, bytes }) => `${name} ${(bytes / MIB).toFixed(0)} MiB`).join(', ')}`);
  for (const { what, calls } of phases) {
    for (const [cluster, each] of Object.entries(calls)) {
      const told = Object.entries(each).map(([call, times]) => `${call} ${times}`);
      if (told.length > 0) print(`  ${what}, ${cluster}: ${told.join(', ')}`);
    }
  }
}

/** How much more a run took than another one. */
function compare(one, other) {
  print(
    `\n${one.title} against ${other.title}: ${(one.hosts / other.hosts).toFixed(1)} × hosts, ${(one.pairs / other.pairs).toFixed(1)} × policies`,
  );
  for (const phase of one.phases) {
    const same = other.phases.find(({ what }) => what === phase.what);
    if (same === undefined) continue;
    const ratio = (key) => (same[key] > 0 ? (phase[key] / same[key]).toFixed(1) : '-').padStart(6);
    print(`${phase.what.padEnd(30)}${ratio('seconds')} × time ${ratio('cpuSeconds')} × CPU ${ratio('rssMib')} × RSS`);
  }
}

const runs = [
  { name: 'one', title: 'one cluster', count: 1, source: 'clusters' },
  { name: 'clusters', title: `${clusters} clusters`, count: clusters, source: 'clusters' },
  { name: 'rest', title: 'file and REST', count: clusters, source: 'rest' },
].filter(({ name }) => named.length === 0 || named.includes(name));
const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
const server = await startEmbeddedPostgres(join(folder, 'postgres'));
const results = new Map();
try {
  for (const { name, ...what } of runs) {
    const admin = createDatabase(server.url, 1);
    await sql`create database ${sql.id(name)}`.execute(admin);
    await admin.destroy();
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const own = await mkdtemp(join(folder, `${name}-`));
    results.set(name, await run({ ...what, databaseUrl: url.href, folder: own }));
    report(results.get(name));
  }
  const whole = results.get('clusters');
  for (const name of ['one', 'rest']) {
    if (whole !== undefined && results.has(name)) compare(whole, results.get(name));
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
