/**
 * How the cost of answers grows with nodes, links, policies and constraints, on random geometric networks: CPU milliseconds, printed and
 * drawn, one plot for each into docs/.
 *
 *   npm run build && node bench/growth.mjs [folder]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { computePaths, freezeSnapshot } from '@waymark/topology';
import { evaluatePolicies } from '../apps/controller/dist/compute/evaluate-policies.js';
import { newPolicy } from './support/new-policy.mjs';
import { cpuMs, meanMs } from './support/cpu-time.mjs';
import { randomSource } from './support/random-source.mjs';
import { plot } from './support/svg-plot.mjs';
import { randomGeometricTed } from './support/ted-of.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('../docs/performance', import.meta.url));
const PAIRS = 100;
/** How long each point is measured, in milliseconds. */
const MEASURE_MS = 700;

const WITHOUT_LEASED = { affinities: { excludeAny: ['leased'] } };

/** Pairs of routers with the least delay between them. */
function pairsOf(snapshot) {
  const random = randomSource(7);
  const pick = () => snapshot.nodeIdOf(Math.floor(random() * snapshot.nodeCount));
  const pairs = [];
  while (pairs.length < PAIRS) {
    const [source, destination] = [pick(), pick()];
    if (source === destination) continue;
    const least = computePaths(snapshot, { source, destination, metric: 'delay', constraints: {} });
    if (least.status === 'computed') pairs.push({ source, destination, least: least.paths[0].metrics.delayUs });
  }
  return pairs;
}

function meanOf(snapshot, pairs, metric, constraintsOf) {
  const requests = pairs.map((pair) => ({
    source: pair.source,
    destination: pair.destination,
    metric,
    constraints: constraintsOf(pair),
  }));
  return meanMs((i) => computePaths(snapshot, requests[i % requests.length]), MEASURE_MS);
}

const delayBound = ({ least }) => ({ metric: 'delay', max: Math.ceil(1.2 * least) });

/** What every answer of the first two plots is asked for. */
const KINDS = [
  ['least IGP metric', 'igp', () => ({})],
  ['least delay', 'delay', () => ({})],
  ['links filtered', 'delay', () => WITHOUT_LEASED],
  ['delay bound', 'igp', (pair) => ({ bounds: [delayBound(pair)] })],
];

/** One line per kind, a point per network. */
function growthOver(networks) {
  const series = KINDS.map(([name]) => ({ name, points: [] }));
  for (const [x, ted] of networks) {
    const snapshot = freezeSnapshot(ted());
    const pairs = pairsOf(snapshot);
    KINDS.forEach(([, metric, constraintsOf], i) => {
      series[i].points.push([x, meanOf(snapshot, pairs, metric, constraintsOf)]);
    });
  }
  return series;
}

/** New policies by delay between random routers, evaluated in one go as after a start. */
function growthOverPolicies(counts) {
  const snapshot = freezeSnapshot(randomGeometricTed(1_000));
  const random = randomSource(9);
  const pick = () => snapshot.nodeIdOf(Math.floor(random() * snapshot.nodeCount));
  const policies = Array.from({ length: Math.max(...counts) }, (_, i) => {
    const [headend, endpoint] = [pick(), pick()];
    return newPolicy(i + 1, headend, endpoint, { metric: 'delay', constraints: WITHOUT_LEASED });
  }).filter(({ headend, endpoint }) => headend !== endpoint);
  const evaluate = (count) =>
    evaluatePolicies({ snapshot, policies: policies.slice(0, count), booked: [], heldLinks: [] });
  evaluate(counts[0]);
  const points = counts.map((count) => {
    const before = cpuMs();
    evaluate(count);
    return [count, cpuMs() - before];
  });
  return [{ name: 'all policies, new', points }];
}

/** One more constraint at each point, none of which rules every path out. */
function growthOverConstraints(size) {
  const snapshot = freezeSnapshot(randomGeometricTed(size));
  const pairs = pairsOf(snapshot);
  const unused = ({ source, destination }) =>
    [...snapshot.nodeIds].filter((id) => id !== source && id !== destination).slice(0, 3);
  const growing = [
    () => ({}),
    () => WITHOUT_LEASED,
    () => ({ ...WITHOUT_LEASED, bandwidthBps: 1e9 }),
    (pair) => ({ ...WITHOUT_LEASED, bandwidthBps: 1e9, exclude: { nodes: unused(pair) } }),
    (pair) => ({
      ...WITHOUT_LEASED,
      bandwidthBps: 1e9,
      exclude: { nodes: unused(pair) },
      bounds: [delayBound(pair)],
    }),
    (pair) => ({
      ...WITHOUT_LEASED,
      bandwidthBps: 1e9,
      exclude: { nodes: unused(pair) },
      bounds: [delayBound(pair), { metric: 'hop', max: 200 }],
    }),
  ];
  const points = growing.map((constraintsOf, count) => [count, meanOf(snapshot, pairs, 'igp', constraintsOf)]);
  return { name: `${size.toLocaleString('en')} nodes`, points };
}

const nodeCounts = [500, 1_000, 2_000, 4_000, 8_000, 16_000];
const linksPerNode = [2, 3, 4, 6, 8];
const plots = {
  nodes: {
    title: 'Answers on networks of four arcs per node',
    x: 'nodes',
    y: 'CPU ms per answer',
    series: growthOver(nodeCounts.map((count) => [count, () => randomGeometricTed(count)])),
  },
  links: {
    title: 'Answers on 2,000 nodes',
    x: 'arcs (directed links)',
    y: 'CPU ms per answer',
    series: growthOver(linksPerNode.map((count) => [2 * count * 2_000, () => randomGeometricTed(2_000, count)])),
  },
  policies: {
    title: 'Evaluation of new policies on 1,000 nodes',
    x: 'policies',
    y: 'CPU ms in all',
    series: growthOverPolicies([100, 200, 500, 1_000, 2_000, 5_000]),
  },
  constraints: {
    title: 'Answers by IGP metric: affinity, bandwidth, excluded nodes, delay, hops',
    x: 'constraints',
    y: 'CPU ms per answer',
    series: [growthOverConstraints(1_000), growthOverConstraints(4_000)],
    isLogX: false,
    isLogY: false,
  },
};

await mkdir(folder, { recursive: true });
for (const [name, drawing] of Object.entries(plots)) {
  process.stdout.write(`\n${drawing.title} (${drawing.y})\n`);
  for (const series of drawing.series) {
    const points = series.points.map(([x, y]) => `${x.toLocaleString('en')}: ${y.toPrecision(3)}`);
    process.stdout.write(`  ${series.name.padEnd(20)} ${points.join('   ')}\n`);
  }
  await writeFile(join(folder, `growth-${name}.svg`), plot(drawing));
}
