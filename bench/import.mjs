/**
 * Import of a large topology through the TED service into the embedded PostgreSQL (DATABASE_URL chooses another server),
 * side by side with what the database alone needs to write the same rows with the same indexes (INSERT … SELECT).
 *
 *   npx tsc -b && node bench/import.mjs [nodes] [links per node] [rounds]
 *
 * The topology is a ring of routers with chords; a link is two directed ones. Each round takes a new database; medians
 * are printed. CPU is user and system time of this process and, where /proc shows them, of the database's sessions: it
 * says more than the clock on a busy machine. `blocked` is the longest time that this process's event loop stood still.
 */
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { sql } from 'kysely';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { migrate } from '../apps/controller/dist/storage/migrate.js';
import { TedService } from '../apps/controller/dist/ted/ted-service.js';

const [size, linksPerNode, rounds] = [10_000, 4, 3].map((usual, index) => Number(process.argv[index + 2] ?? usual));
const actor = { name: 'bench' };
const print = (text) => process.stdout.write(`${text}\n`);

function topology(igpMetric) {
  const id = (index) => `n${String(index % size).padStart(6, '0')}`;
  const link = (from, to, metric) => ({
    between: [id(from), id(to)],
    igpMetric: metric,
    delayUs: 1_000,
    bandwidthBps: 1e10,
  });
  const indexes = Array.from({ length: size }, (_, index) => index);
  const chords = Array.from({ length: linksPerNode - 1 }, (_, chord) => 2 + Math.floor((size * (chord + 1)) / 9));
  return JSON.stringify({
    waymark: 1,
    nodes: indexes.map((index) => ({ id: id(index), kind: 'router' })),
    links: indexes.flatMap((index) => [
      link(index, index + 1, index === 0 ? igpMetric : 10),
      ...chords.map((reach) => link(index, index + reach, 20)),
    ]),
  });
}

/** Milliseconds of CPU that the sessions on a database have used; 0 where the system does not show them. */
async function sessionsCpu(db) {
  const { rows } = await sql`select pid from pg_stat_activity where datname = current_database()`.execute(db);
  const stats = await Promise.all(rows.map(({ pid }) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  const ticks = stats.map((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '));
  return ticks.reduce((sum, fields) => sum + 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)), 0);
}

async function measured(db, work) {
  const sessions = await sessionsCpu(db);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const start = performance.now();
  const own = process.cpuUsage();
  delay.enable();
  await work();
  delay.disable();
  const { user, system } = process.cpuUsage(own);
  return {
    wall: performance.now() - start,
    cpu: (user + system) / 1_000 + (await sessionsCpu(db)) - sessions,
    blocked: delay.max / 1e6,
  };
}

async function round(url) {
  const db = createDatabase(url);
  const service = () => new TedService({ db, url, clock: () => new Date() });
  const ted = service();
  const load = (text) => ted.importTopology({ text, format: 'native', source: 'bench', actor });
  const event = (sequence, state) => ({
    sequence,
    full: false,
    events: [{ kind: 'link-state', link: 'n000000:n000001', state }],
  });
  const [text, changed] = [topology(10), topology(11)];
  const results = new Map();
  const take = async (what, work) => results.set(what, await measured(db, work));
  await take('first import: parse, SID plan, write, TED', () => load(text));
  let rows = 0;
  const tables = ['node_layer', 'link_layer', 'locator', 'sid'];
  const copy = (table) => sql.id(`copy_of_${table}`);
  for (const table of tables) {
    await sql`create table ${copy(table)} (like ${sql.table(table)} including all)`.execute(db);
  }
  await take(floorName, async () => {
    for (const table of tables) {
      const written = await sql`insert into ${copy(table)} select * from ${sql.table(table)}`.execute(db);
      rows += Number(written.numAffectedRows);
    }
  });
  await take('the same file again (no revision)', () => load(text));
  await take('one link changed', () => load(changed));
  await take('a link-down event', () => ted.applySourceBatch('igp', event(1, 'down'), actor));
  await take('and up again', () => ted.applySourceBatch('igp', event(2, 'up'), actor));
  await take('the TED loaded by another controller', () => service().ted());
  await take('the TED of a past revision', () => ted.ted(1));
  await db.destroy();
  return { rows, results };
}

const floorName = 'the same rows, INSERT … SELECT in the database';
const external = process.env.DATABASE_URL;
const folder = external === undefined ? await mkdtemp(join(tmpdir(), 'waymark-bench-')) : undefined;
const server = folder === undefined ? undefined : await startEmbeddedPostgres(folder);
const admin = createDatabase(external ?? server.url, 1);
const measurements = [];
for (let index = 0; index < rounds; index++) {
  const name = `waymark_bench_${process.pid}_${index}`;
  await sql`create database ${sql.id(name)}`.execute(admin);
  const own = new URL(external ?? server.url);
  own.pathname = `/${name}`;
  await migrate(own.href);
  measurements.push(await round(own.href));
  await sql`drop database ${sql.id(name)}`.execute(admin);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const medians = (what) => {
  const of = (figure) => median(measurements.map(({ results }) => results.get(what)[figure]));
  return { wall: of('wall'), cpu: of('cpu'), blocked: of('blocked') };
};
const floor = medians(floorName);
const column = (number, digits = 0) => number.toFixed(digits).padStart(9);
print(
  `${size} nodes, ${size * linksPerNode * 2} directed links, ${measurements[0].rows} rows with planned SIDs; ` +
    `medians of ${rounds}; × is relative to the first line\n`,
);
print(`${''.padEnd(46)}  wall ms        ×   CPU ms        ×  blocked ms`);
for (const what of [floorName, ...[...measurements[0].results.keys()].filter((name) => name !== floorName)]) {
  const { wall, cpu, blocked } = medians(what);
  print(
    `${what.padEnd(46)}${column(wall)}${column(wall / floor.wall, 2)}${column(cpu)}${column(cpu / floor.cpu, 2)}${column(blocked)}`,
  );
}

await admin.destroy();
await server?.stop();
if (folder !== undefined) await rm(folder, { recursive: true, force: true });
