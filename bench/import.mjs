/**
 * Import of a large topology through the TED service into the embedded PostgreSQL (DATABASE_URL chooses another server),
 * side by side with what the database alone needs to write the same rows with the same indexes (INSERT … SELECT).
 *
 *   npx tsc -b && node bench/import.mjs [nodes]
 *
 * The topology is a ring of routers with chords: two links per node, that is four directed ones.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { migrate } from '../apps/controller/dist/storage/migrate.js';
import { TedService } from '../apps/controller/dist/ted/ted-service.js';

const size = Number(process.argv[2] ?? 10_000);
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
  return JSON.stringify({
    waymark: 1,
    nodes: indexes.map((index) => ({ id: id(index), kind: 'router' })),
    links: indexes.flatMap((index) => [
      link(index, index + 1, index === 0 ? igpMetric : 10),
      link(index, index + 2 + Math.floor(size / 3), 20),
    ]),
  });
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const external = process.env.DATABASE_URL;
const folder = external === undefined ? await mkdtemp(join(tmpdir(), 'waymark-bench-')) : undefined;
const server = folder === undefined ? undefined : await startEmbeddedPostgres(folder);
const url = external ?? server.url;
const name = `waymark_bench_${process.pid}`;
const admin = createDatabase(url, 1);
await sql`create database ${sql.id(name)}`.execute(admin);
const own = new URL(url);
own.pathname = `/${name}`;
await migrate(own.href);
const db = createDatabase(own.href);
const service = () => new TedService({ db, url: own.href, clock: () => new Date() });
const ted = service();
const load = (text) => ted.importTopology({ text, format: 'native', source: 'bench', actor });

const first = await timed(() => load(topology(10)));
let rows = 0;
let floor = 0;
for (const table of ['node_layer', 'link_layer', 'locator', 'sid']) {
  const copy = sql.id(`copy_of_${table}`);
  await sql`create table ${copy} (like ${sql.table(table)} including all)`.execute(db);
  floor += await timed(async () => {
    const { numAffectedRows } = await sql`insert into ${copy} select * from ${sql.table(table)}`.execute(db);
    rows += Number(numAffectedRows);
  });
}
const line = (what, milliseconds, note = '') =>
  print(
    `${what.padEnd(46)}${milliseconds.toFixed(0).padStart(8)} ms  ${(milliseconds / floor).toFixed(2).padStart(6)} ×  ${note}`,
  );

print(`${size} nodes, ${size * 4} directed links, ${rows} rows with planned SIDs; × is relative to the first line\n`);
line('the same rows, INSERT … SELECT in the database', floor);
line('first import: parse, SID plan, write, TED', first);
line('the same file again (no revision)', await timed(() => load(topology(10))));
line('one link changed', await timed(() => load(topology(11))));
const event = (state) => [{ kind: 'link-state', link: 'n000000:n000001', state }];
line(
  'a link-down event',
  await timed(() => ted.applySourceBatch('igp', { sequence: 1, full: false, events: event('down') }, actor)),
);
line(
  'and up again',
  await timed(() => ted.applySourceBatch('igp', { sequence: 2, full: false, events: event('up') }, actor)),
);
line('the TED loaded by another controller', await timed(() => service().ted()));
line('the TED of a past revision', await timed(() => ted.ted(1)));

await db.destroy();
await sql`drop database ${sql.id(name)}`.execute(admin);
await admin.destroy();
await server?.stop();
if (folder !== undefined) await rm(folder, { recursive: true, force: true });
