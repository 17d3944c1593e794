/**
 * The cheapest path by IGP metric within a bound on delay (exact): Waymark's search, side by side in one run with a plain label-setting
 * search, on real networks and on random geometric (rgg) and Waxman (wax) ones with four arcs per node. Random pairs; each bound lies between
 * the least delay and the delay of the cheapest path. CPU milliseconds per query; every answer is compared.
 *
 *   npm run build && node bench/bounded.mjs [real | nodes ...]
 */
import assert from 'node:assert/strict';
import { freezeSnapshot } from '@waymark/topology';
import { engineState } from '../packages/topology/dist/engine/engine-state.js';
import { LooplessPaths } from '../packages/topology/dist/engine/loopless-paths.js';
import { WorkBudget } from '../packages/topology/dist/engine/work-budget.js';
import { cpuMs } from './support/cpu-time.mjs';
import { networksAskedFor } from './support/networks-asked-for.mjs';
import { plainLabelSetting } from './support/plain-label-setting.mjs';
import { quantile } from './support/quantile.mjs';
import { randomSource } from './support/random-source.mjs';

const print = (text) => process.stdout.write(`${text}\n`);

for (const { name, ted } of networksAskedFor(process.argv.slice(2))) measure(name, freezeSnapshot(ted));

function measure(title, snapshot) {
  const { nodeCount, arcCount, data } = snapshot;
  // The plain search knows nothing of links whose delay nobody knows.
  if (data.delayUs.some(Number.isNaN)) return;
  const { search, tie } = engineState(snapshot);
  const mask = new Uint8Array(arcCount).fill(1);
  const cheapest = (weight, source, destination, bounds) => {
    const problem = { snapshot, weight, tie, mask, source, destination, include: [], bounds };
    return new LooplessPaths(problem, search, new WorkBudget(Infinity)).firstAndTies();
  };
  const delayOf = (path) => path.arcs.reduce((sum, arc) => sum + data.delayUs[arc], 0);
  const random = randomSource(13);
  const pick = () => Math.floor(random() * nodeCount);
  const queries = [];
  const wanted = Math.min(300, 3_000_000 / nodeCount);
  // On some networks the cheapest path is the fastest for nearly all pairs.
  for (let tried = 0; queries.length < wanted && tried < 20 * wanted; tried++) {
    const [source, destination] = [pick(), pick()];
    if (source === destination) continue;
    const least = cheapest(data.delayUs, source, destination, []);
    const most = least && delayOf(cheapest(data.igpMetric, source, destination, []));
    if (least === null || most <= least.cost) continue;
    queries.push([source, destination, Math.floor(least.cost + random() * (most - least.cost))]);
  }
  if (queries.length === 0) return;
  const own = ([source, destination, max]) =>
    cheapest(data.igpMetric, source, destination, [{ weight: data.delayUs, max }]).cost;
  const graph = plainGraph(snapshot);
  const plain = (query) => plainLabelSetting(graph, ...query);
  const [ownMs, plainMs] = [timesOf(own, queries), timesOf(plain, queries)];
  assert.deepEqual(ownMs.answers, plainMs.answers);
  print(`\n${title}: ${nodeCount} nodes, ${arcCount} arcs, ${queries.length} pairs`);
  row('Waymark', ownMs.times);
  row('plain', plainMs.times);
}

/** CPU milliseconds of each query in three rounds, after half a second and at least one round for the compiler to be done. */
function timesOf(work, queries) {
  const warm = cpuMs();
  let answers;
  do answers = queries.map(work);
  while (cpuMs() - warm < 500);
  const times = [1, 2, 3].flatMap(() =>
    queries.map((query) => {
      const before = cpuMs();
      work(query);
      return cpuMs() - before;
    }),
  );
  return { times, answers };
}

function row(name, times) {
  const mean = times.reduce((a, b) => a + b) / times.length;
  const p99 = quantile(times, 0.99);
  print(`  ${name.padEnd(10)} mean ${mean.toPrecision(3)}   p99 ${p99.toPrecision(3)} (${(p99 / mean).toFixed(1)} x)`);
}

/** Arcs as rows of what leaves each node, and of what enters it. */
function plainGraph({ nodeCount, data }) {
  const { outStart, arcTo, arcFrom, inStart, inArcs, igpMetric: cost, delayUs: delay } = data;
  const along = (values) => Float64Array.from(inArcs, (arc) => values[arc]);
  return {
    nodeCount,
    start: outStart,
    ends: arcTo,
    cost,
    delay,
    reverse: {
      start: inStart,
      ends: Uint32Array.from(inArcs, (arc) => arcFrom[arc]),
      cost: along(cost),
      delay: along(delay),
    },
  };
}
