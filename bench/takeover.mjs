/**
 * Time from the loss of the leader to the next one's epoch, and until it has published what was written at the moment of
 * the loss.
 *
 *   npx tsc -b && node bench/takeover.mjs [rounds]
 *
 * Two controllers as they are shipped on one embedded PostgreSQL with the demo topology, each behind a proxy. In each of the
 * rounds (5 unless told otherwise) and for each way to lose it, the leader goes, and a policy is written at the follower at once:
 *
 *   killed        kill -9: the kernel closes its connections
 *   stopped       SIGSTOP: everything stays open, and nobody says anything
 *   disconnected  its connections to PostgreSQL are reset, and new ones refused
 *
 * Side by side: the 3 seconds after which PostgreSQL ends a silent session, which is what "stopped" has to wait for.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '../apps/controller/dist/storage/database.js';
import { startEmbeddedPostgres } from '../apps/controller/dist/storage/embedded-postgres.js';
import { startController } from './support/controller-process.mjs';
import { quantile } from './support/quantile.mjs';

const IDLE_TIMEOUT_MS = 3_000;
const rounds = Number(process.argv[2] ?? 5);
const print = (line) => process.stdout.write(`${line}\n`);

async function until(check) {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A way to PostgreSQL that can be cut. */
async function cuttable(url) {
  const target = new URL(url);
  const sockets = new Set();
  let isCut = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => sockets.delete(from) && to.destroy());
      from.pipe(to);
    }
    if (isCut) client.resetAndDestroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.host = `127.0.0.1:${server.address().port}`;
  return {
    url: through.href,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mend: () => (isCut = false),
    close: () => server.close(),
  };
}

const folder = await mkdtemp(join(tmpdir(), 'waymark-takeover-'));
const postgres = await startEmbeddedPostgres(join(folder, 'postgres'));
const db = createDatabase(postgres.url);
const ways = new Map();
const controllers = new Map();

async function start(name) {
  const controller = await startController({
    WAYMARK_NAME: name,
    DATABASE_URL: ways.get(name).url,
    REDIS_URL: '',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_DEMO: 'topology',
    WAYMARK_WORKERS: '1',
  });
  controllers.set(name, controller);
}

const leader = () => db.selectFrom('leader').selectAll().executeTakeFirstOrThrow();
const other = (name) => [...controllers.keys()].find((key) => key !== name);

let color = 0;
async function write(controller) {
  const policy = {
    headend: 'dc-amsterdam',
    color: ++color,
    endpoint: 'dc-madrid',
    candidatePaths: [
      { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
    ],
    fallback: 'drop',
  };
  return (await controller.request('POST', '/v1/sr-policies', policy)).version;
}

async function published(revision) {
  await until(async () => {
    const head = await db.selectFrom('head').select('computed_through').executeTakeFirstOrThrow();
    return head.computed_through >= revision;
  });
}

const losses = {
  killed: {
    lose: (name) => process.kill(controllers.get(name).pid, 'SIGKILL'),
    restore: (name) => start(name),
  },
  stopped: {
    lose: (name) => process.kill(controllers.get(name).pid, 'SIGSTOP'),
    restore: (name) => process.kill(controllers.get(name).pid, 'SIGCONT'),
  },
  disconnected: {
    lose: (name) => ways.get(name).cut(),
    restore: (name) => ways.get(name).mend(),
  },
};

/** Both controllers are well, and one leads. */
async function settled() {
  for (const controller of controllers.values()) {
    await until(async () => (await fetch(`${controller.url}/readyz`)).ok);
  }
  await published(await write([...controllers.values()][0]));
}

for (const name of ['a', 'b']) {
  ways.set(name, await cuttable(postgres.url));
  await start(name);
}

const figures = [];
for (const [loss, { lose, restore }] of Object.entries(losses)) {
  const taken = [];
  const caughtUp = [];
  for (let round = 0; round < rounds; round++) {
    await settled();
    const before = await leader();
    const lost = performance.now();
    lose(before.holder);
    const written = write(controllers.get(other(before.holder)));
    await until(async () => (await leader()).epoch > before.epoch);
    taken.push(performance.now() - lost);
    await published(await written);
    caughtUp.push(performance.now() - lost);
    await restore(before.holder);
  }
  figures.push([loss, quantile(taken, 0.5), Math.max(...taken), quantile(caughtUp, 0.5)]);
}

print(`ms, medians of ${rounds}; PostgreSQL ends a silent session after ${IDLE_TIMEOUT_MS}`);
print('the leader is   next epoch   (most)   of the timeout   what was written meanwhile is published');
for (const [loss, median, most, caughtUp] of figures) {
  const columns = [
    loss.padEnd(14),
    median.toFixed(0).padStart(11),
    most.toFixed(0).padStart(8),
    (median / IDLE_TIMEOUT_MS).toFixed(2).padStart(16),
    caughtUp.toFixed(0).padStart(12),
  ];
  print(columns.join(' '));
}

for (const controller of controllers.values()) await controller.stop();
for (const way of ways.values()) way.close();
await db.destroy();
await postgres.stop();
await rm(folder, { recursive: true });
