/**
 * Paths from one router to all, and between all pairs, each with its segment list and the proof of it: what the computation of a
 * source at a time costs, side by side with `computePaths` for every pair (on a sample, scaled up).
 *
 *   npm run build && node bench/mesh.mjs [real | nodes ...]
 *
 * Real networks, and random geometric (rgg) and Waxman (wax) ones, four links per node on average. CPU time of all threads; for all pairs the time on
 * the clock too. `first` is a source on a snapshot that nothing has been computed on; `more` is the mean of those after it.
 */
import { Worker } from 'node:worker_threads';
import { computeFromSource, computePaths, freezeSnapshot, snapshotToShared } from '@waymark/topology';
import { cpuMs } from './support/cpu-time.mjs';
import { networksAskedFor } from './support/networks-asked-for.mjs';
import { randomSource } from './support/random-source.mjs';

const MORE = 20;
const SAMPLE = 100;
const print = (text) => process.stdout.write(`${text}\n`);

/** CPU milliseconds per pair of `computePaths`, after a warm-up. */
function perPair(snapshot, request) {
  const random = randomSource(3);
  const { destinations, ...shared } = request;
  const pick = () => destinations[Math.floor(random() * destinations.length)];
  const pairs = Array.from({ length: 2 * SAMPLE }, () => [pick(), pick()]).filter(([a, b]) => a !== b);
  const ask = ([source, destination]) =>
    computePaths(snapshot, { ...shared, source, destination }, { skipConflict: true });
  const warm = pairs.splice(0, SAMPLE);
  warm.forEach(ask);
  const start = cpuMs();
  pairs.forEach(ask);
  return (cpuMs() - start) / pairs.length;
}

function oneToAll(name, ted, request) {
  const snapshot = freezeSnapshot(ted);
  const { destinations } = request;
  const start = cpuMs();
  let alone = computeFromSource(snapshot, destinations[0], request).computedAlone;
  const first = cpuMs() - start;
  for (let i = 1; i <= MORE; i++) {
    alone += computeFromSource(snapshot, destinations[(i * 37) % destinations.length], request).computedAlone;
  }
  const more = (cpuMs() - start - first) / MORE;
  const pairs = perPair(freezeSnapshot(ted), request) * (destinations.length - 1);
  const ratio = (pairs / more).toFixed(0);
  print(
    `  ${name.padEnd(34)} first ${first.toFixed(0).padStart(5)} ms, more ${more.toFixed(1).padStart(6)} ms; ` +
      `pair by pair ${pairs.toFixed(0).padStart(6)} ms (${ratio} x); ${alone} pairs computed alone`,
  );
  return pairs;
}

async function allPairs(name, ted, request, threads, baseline) {
  const snapshot = snapshotToShared(freezeSnapshot(ted));
  const [clock, cpu] = [performance.now(), cpuMs()];
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const sources = request.destinations.filter((_id, i) => i % threads === thread);
      const workerData = { snapshot, request, sources };
      const worker = new Worker(new URL('support/mesh-worker.mjs', import.meta.url), { workerData });
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
  const seconds = (performance.now() - clock) / 1000;
  const spent = (cpuMs() - cpu) / 1000;
  const computed = parts.reduce((sum, part) => sum + part.computed, 0);
  print(
    `  ${`${name}, ${threads} thread${threads > 1 ? 's' : ''}`.padEnd(34)} ${computed} paths in ${seconds.toFixed(1)} s, ` +
      `${spent.toFixed(1)} s of CPU; pair by pair ${(baseline / 1000).toFixed(0)} s (${(baseline / 1000 / spent).toFixed(0)} x)`,
  );
}

const asked = networksAskedFor(process.argv.slice(2), { otherwise: ['real', '1000'], hasSids: true });
for (const { name, ted } of asked) {
  const destinations = ted.nodes.map(({ id }) => id);
  const request = (metric, extra = {}) => ({ metric, constraints: {}, families: [], destinations, ...extra });
  print(`\n${name}: ${destinations.length} nodes, ${ted.links.length} arcs: one source to all`);
  const baseline = {
    igp: oneToAll('igp', ted, request('igp')),
    delay: oneToAll('delay', ted, request('delay')),
  };
  oneToAll('delay, at most 5 SRH entries', ted, request('delay', { maxSegments: 5 }));
  oneToAll('delay, at most 3 SRH entries', ted, request('delay', { maxSegments: 3 }));
  print('  all pairs');
  for (const threads of [1, 2]) {
    for (const metric of ['igp', 'delay']) {
      await allPairs(metric, ted, request(metric), threads, baseline[metric] * destinations.length);
    }
  }
}
