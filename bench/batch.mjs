/**
 * Batches of path computations through REST, from the request to the last answer read: a list of requests side by side with the same
 * requests one by one, and all pairs of a network side by side with one request per pair (on a sample, scaled up).
 *
 *   npm run build && node bench/batch.mjs [geant | nodes | nodes:links-per-node ...]
 *
 * The controller is the shipped one with its embedded PostgreSQL, in a process of its own. CPU time is that of the controller with
 * all its threads; `x` is how many times as much the single requests take. Single requests come over one connection, one after the other.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { onNetwork } from './support/controller-process.mjs';
import { randomSource } from './support/random-source.mjs';

const REQUESTS = 400;
const HEADENDS = 20;
const PAGE = 1_000;
const names = process.argv.length > 2 ? process.argv.slice(2) : ['geant', '1000'];
const print = (line) => process.stdout.write(`${line}\n`);
const BATCHES = '/v1/path-computation-batches';
let nextId = 1;

/** `work`'s result with what it took of the clock and of the controller's CPU, in seconds. */
async function measured(controller, work) {
  const [clock, cpu] = [performance.now(), await controller.cpuSeconds()];
  const result = await work();
  return { result, seconds: (performance.now() - clock) / 1_000, cpu: (await controller.cpuSeconds()) - cpu };
}

async function oneByOne(controller, requests) {
  const answers = [];
  for (const request of requests) answers.push(await controller.request('POST', '/v1/path-computations', request));
  return answers;
}

/** Reads the answers while they are computed, as they come. */
async function batch(controller, body) {
  const id = `bench-${nextId++}`;
  await controller.request('POST', BATCHES, { id, ...body });
  const items = [];
  for (let cursor = ''; cursor !== null;) {
    const page = await controller.request('GET', `${BATCHES}/${id}/answers?limit=${PAGE}${cursor}`);
    items.push(...page.items);
    if (page.items.length === 0 && page.next !== null) await sleep(20);
    cursor = page.next && `&after=${encodeURIComponent(page.next)}`;
  }
  const { status, failure } = await controller.request('GET', `${BATCHES}/${id}`);
  if (status !== 'done') throw new Error(`the batch is ${status}: ${failure}`);
  await fetch(`${controller.url}${BATCHES}/${id}`, { method: 'DELETE', headers: controller.headers });
  return items;
}

function row(what, count, { seconds, cpu }, { seconds: single, cpu: singleCpu }) {
  const per = (value) => ((1_000 * value) / count).toFixed(2).padStart(8);
  print(
    `  ${what.padEnd(46)}${String(count).padStart(9)}${seconds.toFixed(2).padStart(9)} s${cpu.toFixed(2).padStart(9)} s${per(cpu)} ms` +
      `${(single / seconds).toFixed(1).padStart(8)} x clock${(singleCpu / cpu).toFixed(1).padStart(8)} x CPU`,
  );
}

/** Requests from a few headends, as the policies of a network have them. */
function requestsOf(nodes, constraints) {
  const random = randomSource(11);
  const pick = (from) => from[Math.floor(random() * from.length)];
  const headends = Array.from({ length: HEADENDS }, () => pick(nodes));
  const requests = [];
  while (requests.length < REQUESTS) {
    const [source, destination] = [pick(headends), pick(nodes)];
    if (source !== destination) requests.push({ source, destination, metric: 'delay', constraints });
  }
  return requests;
}

async function requireSameAnswers(items, answers) {
  for (const [i, { answer }] of items.entries()) {
    if (JSON.stringify(answer) !== JSON.stringify(answers[i])) throw new Error(`answer ${i} differs`);
  }
}

async function compare(controller, nodes) {
  const filter = { affinities: { excludeAny: ['leased'] }, bandwidthBps: 1e9 };
  for (const [what, constraints] of Object.entries({ 'least delay': {}, 'links filtered': filter })) {
    const requests = requestsOf(nodes, constraints);
    // Both once before, so that neither pays for what a worker learns of a new snapshot.
    await oneByOne(controller, requests.slice(0, 50));
    await batch(controller, { kind: 'requests', requests: requests.slice(0, 50) });
    const single = await measured(controller, () => oneByOne(controller, requests));
    const list = await measured(controller, () => batch(controller, { kind: 'requests', requests }));
    await requireSameAnswers(list.result, single.result);
    print(
      `  ${`${what}, one by one`.padEnd(46)}${String(REQUESTS).padStart(9)}${single.seconds.toFixed(2).padStart(9)} s${single.cpu.toFixed(2).padStart(9)} s`,
    );
    row(`${what}, a list of requests`, REQUESTS, list, single);
    const mesh = { kind: 'mesh', sources: nodes, metric: 'delay', constraints };
    const all = await measured(controller, () => batch(controller, mesh));
    const pairs = all.result.length;
    const scale = pairs / REQUESTS;
    row(`${what}, all pairs`, pairs, all, { seconds: single.seconds * scale, cpu: single.cpu * scale });
  }
}

for (const name of names) {
  await onNetwork(name, async (controller, ted) => {
    print(`\n${name}: ${ted.nodes.length} nodes, ${ted.links.length} directed links`);
    print(
      `  ${''.padEnd(46)}${'paths'.padStart(9)}${'clock'.padStart(11)}${'CPU'.padStart(11)}${'CPU each'.padStart(11)}`,
    );
    await compare(
      controller,
      ted.nodes.map(({ id }) => id),
    );
  });
}
