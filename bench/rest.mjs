/**
 * Path computations per second through REST, side by side with the engine alone on the same topology and requests and with
 * the cheapest route of the same server (GET /healthz), in the same run.
 *
 *   npx tsc -b && node bench/rest.mjs [geant | nodes | nodes:links-per-node ...]
 *
 * The controller is the shipped one with its embedded PostgreSQL and runs in a process of its own, as does the load
 * generator (autocannon); all on loopback, each measurement limited in time and requests, after some seconds of the same load. `per core` is answers per second
 * of CPU time of the controller with all its threads (PostgreSQL and the load generator not counted), so that it can be held
 * against the engine, which is measured by its CPU time too. Latencies are wall-clock time in milliseconds.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { computePaths, freezeSnapshot } from '@waymark/topology';
import { onNetwork } from './support/controller-process.mjs';
import { meanMs } from './support/cpu-time.mjs';
import { randomSource } from './support/random-source.mjs';

const LOAD = fileURLToPath(new URL('support/load.mjs', import.meta.url));
const CONNECTIONS = [1, 4, 16];
const SECONDS = 5;
/** As a controller that has run for a while: what runs often is compiled, and what requests share is known. */
const WARM_UP_SECONDS = 8;
const MAX_REQUESTS = 20_000;
const PAIRS = 1_000;

const names = process.argv.length > 2 ? process.argv.slice(2) : ['geant', '1000', '10000:4'];
const print = (line) => process.stdout.write(`${line}\n`);

/** What is asked for, by name: constraints that filter links, and a bound on delay that only some paths keep. */
function requestsOf(ted, snapshot) {
  const ends = ted.nodes.filter(({ kind }) => kind === 'host');
  const candidates = (ends.length > 0 ? ends : ted.nodes).map(({ id }) => id);
  const random = randomSource(7);
  const pick = () => candidates[Math.floor(random() * candidates.length)];
  const pairs = [];
  while (pairs.length < PAIRS) {
    const [source, destination] = [pick(), pick()];
    const least =
      source !== destination && computePaths(snapshot, { source, destination, metric: 'delay', constraints: {} });
    if (least && least.status === 'computed')
      pairs.push({ source, destination, least: least.paths[0].metrics.delayUs });
  }
  const filter = { affinities: { excludeAny: ['leased'] }, bandwidthBps: 1e9 };
  const within = ({ least }) => ({ ...filter, bounds: [{ metric: 'delay', max: Math.ceil(1.2 * least) }] });
  const ask = (metric, constraintsOf) =>
    pairs.map((pair) => ({
      source: pair.source,
      destination: pair.destination,
      metric,
      constraints: constraintsOf(pair),
    }));
  return {
    'least delay': ask('delay', () => ({})),
    'least delay, links filtered': ask('delay', () => filter),
    'least IGP metric, links filtered, delay bound': ask('igp', within),
  };
}

/** Calls per second of CPU time of this process. */
function engineRate(snapshot, requests) {
  return 1_000 / meanMs((i) => computePaths(snapshot, requests[i % requests.length]));
}

async function load(job, seconds = SECONDS) {
  const child = spawn(process.execPath, [LOAD], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ ...job, seconds, maxRequests: MAX_REQUESTS }));
  return JSON.parse(await text(child.stdout));
}

async function measure(controller, job) {
  const before = await controller.cpuSeconds();
  const result = await load({ url: controller.url, headers: controller.headers, ...job });
  const cpu = (await controller.cpuSeconds()) - before;
  if (result.non2xx + result.errors > 0) throw new Error(`not all were answered: ${JSON.stringify(result)}`);
  return { ...result, rate: result.answered / result.seconds, perCore: result.answered / cpu };
}

function row(what, connections, { rate, perCore, p50, p99 }, ratio) {
  print(
    `  ${what.padEnd(48)}${String(connections).padStart(5)}${rate.toFixed(0).padStart(10)}${perCore.toFixed(0).padStart(10)}` +
      `${String(p50).padStart(8)}${String(p99).padStart(8)}  ${ratio}`,
  );
}

/** The controller must answer what the engine answers, or the two rates measure different things. */
async function requireSameAnswer(controller, snapshot, request) {
  const answer = await controller.request('POST', '/v1/path-computations', request);
  const own = computePaths(snapshot, request);
  const nodes = ({ paths }) => paths?.map((path) => path.nodes.join(' ')).join(' and ');
  if (nodes(answer) !== nodes(own)) throw new Error(`REST answers ${nodes(answer)}, the engine ${nodes(own)}`);
}

for (const name of names) {
  await onNetwork(name, async (controller, ted) => {
    const snapshot = freezeSnapshot(ted);
    print(
      `\n${name === 'geant' ? 'GEANT demo' : 'random geometric'}, ${ted.nodes.length} nodes, ${ted.links.length} directed links`,
    );
    print(
      `  ${''.padEnd(48)}${'conn.'.padStart(5)}${'per s'.padStart(10)}${'per core'.padStart(10)}${'p50'.padStart(8)}${'p99'.padStart(8)}`,
    );
    for (const connections of CONNECTIONS) {
      row(
        'GET /healthz',
        connections,
        await measure(controller, { method: 'GET', path: '/healthz', bodies: [null], connections }),
        '',
      );
    }
    for (const [what, bodies] of Object.entries(requestsOf(ted, snapshot))) {
      await requireSameAnswer(controller, snapshot, bodies[0]);
      const engine = engineRate(snapshot, bodies);
      print(
        `  ${what.padEnd(48)}${'-'.padStart(5)}${''.padStart(10)}${engine.toFixed(0).padStart(10)}${''.padStart(16)}  the engine alone`,
      );
      const [most = 1] = CONNECTIONS.toReversed();
      const { url, headers } = controller;
      const call = { url, headers, method: 'POST', path: '/v1/path-computations', bodies };
      await load({ ...call, connections: most }, WARM_UP_SECONDS);
      for (const connections of CONNECTIONS) {
        const result = await measure(controller, {
          method: 'POST',
          path: '/v1/path-computations',
          bodies,
          connections,
        });
        row(`  through REST`, connections, result, `${(result.perCore / engine).toFixed(2)} × the engine`);
      }
    }
  });
}
