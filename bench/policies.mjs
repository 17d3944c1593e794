/**
 * A full mesh of SR policies held by one leader: how long it takes to create, to compute and publish, and to react to
 * changes of one link, side by side with what the database alone needs to write the same desired rows.
 *
 *   npx tsc -b && node bench/policies.mjs [hosts] [bandwidth]
 *
 * 450 hosts make 202,050 policies. With `bandwidth`, each books 1 kbit/s. Routers form a ring with chords, three hosts
 * each. Embedded PostgreSQL, or DATABASE_URL.
 */
import { sql } from 'kysely';
import { startLeader } from './support/leader.mjs';

const hosts = Number(process.argv[2] ?? 150);
const bandwidth = process.argv[3] === 'bandwidth';
const routers = Math.ceil(hosts / 3);
const actor = { name: 'bench' };
const print = (text) => process.stdout.write(`${text}\n`);
const router = (index) => `r${String(index % routers).padStart(4, '0')}`;

function topology(delayUs) {
  const link = (from, to, delay, igpMetric) => ({ between: [from, to], igpMetric, delayUs: delay, bandwidthBps: 1e11 });
  const nodes = [];
  const links = [];
  for (let i = 0; i < routers; i++) {
    nodes.push({ id: router(i), kind: 'router' });
    links.push(link(router(i), router(i + 1), i === 0 ? delayUs : 1_000 + (i % 7) * 100, 10));
    links.push(link(router(i), router(i + 2 + Math.floor(routers / 3)), 3_000 + (i % 5) * 100, 20));
  }
  for (let i = 0; i < hosts; i++) {
    const id = `h${String(i).padStart(4, '0')}`;
    const podPrefixes = [`10.${i >> 8}.${i & 255}.0/24`];
    nodes.push({ id, kind: 'host', address: `fd00:ffff::${(i + 1).toString(16)}`, podPrefixes });
    links.push(link(id, router(Math.floor(i / 3)), 10, 10));
  }
  return JSON.stringify({ waymark: 1, nodes, links });
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

let published = 0;
let firstPublished;
const leader = await startLeader((deltas) => {
  if (deltas.length > 0) firstPublished ??= performance.now();
  published += deltas.reduce((sum, { changes }) => sum + changes.length, 0);
});
const { db, ted, policies, settled } = leader;

const results = [];
async function measure(what, change) {
  published = 0;
  firstPublished = undefined;
  const start = performance.now();
  await change();
  const committed = performance.now() - start;
  await settled();
  const all = performance.now() - start - committed;
  const first = firstPublished === undefined ? undefined : firstPublished - start - committed;
  results.push([what, committed, first, all, published]);
}

const load = (text) => ted.importTopology({ text, format: 'native', source: 'bench', actor });
await load(topology(1_000));
await settled();
const constraints = bandwidth ? { bandwidthBps: 1_000 } : {};
const template = {
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints } }],
  fallback: 'shortest-path',
};
const mesh = { id: 'bench', color: 1, selector: { all: true }, template, overrides: [] };
await measure('create the mesh', () => policies.createMesh(mesh, actor));
const event = (sequence, state) => ({
  sequence,
  full: false,
  events: [`${router(5)}:${router(6)}`, `${router(6)}:${router(5)}`].map((link) => ({
    kind: 'link-state',
    link,
    state,
  })),
});
await measure('a link fails', () => ted.applySourceBatch('igp', event(1, 'down'), actor));
await measure('and returns', () => ted.applySourceBatch('igp', event(2, 'up'), actor));
await measure('a link slows down', () => load(topology(9_000)));
await measure('and recovers', () => load(topology(1_000)));
const pageMs = await timed(() => policies.policies({ usesLink: `${router(5)}:${router(6)}` }, { limit: 100 }));
const meshMs = await timed(() => policies.mesh('bench'));
await sql`create table copy_of_desired (like desired including all)`.execute(db);
const floorMs = await timed(() => sql`insert into copy_of_desired select * from desired`.execute(db));

print(
  `${hosts} hosts, ${routers} routers, ${hosts * (hosts - 1)} policies${bandwidth ? ' that book bandwidth' : ''}\n`,
);
print(
  `${'ms'.padEnd(24)}${'commit'.padStart(10)}${'first delta'.padStart(13)}${'all deltas'.padStart(13)}${'moved'.padStart(10)}`,
);
for (const [what, commit, first, all, moved] of results) {
  const number = (value, width) => (value === undefined ? '-' : value.toFixed(0)).padStart(width);
  print(`${what.padEnd(24)}${number(commit, 10)}${number(first, 13)}${number(all, 13)}${number(moved, 10)}`);
}
print(`\na page of 100 policies by link   ${pageMs.toFixed(0)} ms`);
print(`the mesh with its counts         ${meshMs.toFixed(0)} ms`);
print(`INSERT … SELECT of desired rows  ${floorMs.toFixed(0)} ms`);

await leader.stop();
