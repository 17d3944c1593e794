import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort, ManagedProcess } from '../../../test/lab/managed-process.js';
import { createDatabase, type Database } from './storage/database.js';
import { writeAdminKey, type AdminKey } from './testing/admin-key.js';
import { eventually } from './testing/eventually.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

const patience = 60_000;
const MAIN = join(import.meta.dirname, '../dist/main.js');
const HEADENDS = ['dc-london', 'dc-madrid'] as const;

let database: TestDatabase;
let folder: string;
let key: AdminKey;
let grpcPort: number;
let url: string;
let controller: ManagedProcess;
let steps: { readonly kind: string; readonly policyId?: string; readonly prefix?: string }[];
const running: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'waymark-restored-'));
  key = writeAdminKey(folder);
  grpcPort = await freePort('127.0.0.1');
  steps = [];
});

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});

async function startController(databaseUrl: string): Promise<void> {
  controller = ManagedProcess.spawn('controller', [process.execPath, MAIN], {
    DATABASE_URL: databaseUrl,
    ...key.settings,
    WAYMARK_DEMO: 'topology',
    WAYMARK_HTTP_PORT: '0',
    WAYMARK_GRPC_PORT: String(grpcPort),
    WAYMARK_WORKERS: '1',
    WAYMARK_LOG_LEVEL: 'info',
  });
  const started = controller;
  running.push(() => started.stop());
  [, url = ''] = await controller.printed(/^API: (\S+)$/m, 120_000);
}

async function startAgent(nodeId: string): Promise<void> {
  const log = pino({ level: 'silent' });
  const agent = new NodeAgent({
    nodeId,
    controllers: [`127.0.0.1:${grpcPort}`],
    bus: null,
    dataPlane: new DryRunDataPlane({
      log,
      encapMode: 'reduced',
      msdHEncaps: 0,
      record: (line) => void steps.push(JSON.parse(line) as (typeof steps)[number]),
    }),
    localSids: [],
    stateDirectory: join(folder, nodeId),
    rereadIntervalMs: 60_000,
    log,
  });
  await agent.start();
  running.push(() => agent.stop());
}

async function call<Body>(method: string, path: string, body?: object, headers: object = key.headers): Promise<Body> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, 'if-match': '*', ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.status, `${method} ${path}: ${text}`).toBeLessThan(300);
  return (text === '' ? {} : JSON.parse(text)) as Body;
}

const policyOf = (color: number, bandwidthBps = 1_000_000_000) => ({
  headend: 'dc-london',
  color,
  endpoint: 'dc-madrid',
  fallback: 'drop',
  steeredPrefixes: [`10.77.${color}.0/24`],
  candidatePaths: [
    { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: { bandwidthBps } } },
  ],
});

interface Listed {
  readonly items: readonly Readonly<Record<string, unknown>>[];
}

interface Agents {
  readonly items: readonly {
    readonly inSync: boolean;
    readonly desired: { readonly epoch: number; readonly generation: number };
    readonly policies: { readonly pending: number };
  }[];
}

interface Picture {
  readonly policies: unknown;
  readonly bookings: unknown;
  readonly keys: unknown;
  readonly audit: Listed['items'];
}

async function agents(): Promise<Agents['items']> {
  return (await call<Agents>('GET', '/v1/agents')).items;
}

/** What operators wanted is computed, taken, and read back. */
async function settled(): Promise<void> {
  await eventually(async () => {
    const { computedThrough, revision } = await call<Record<string, number>>('GET', '/v1/topology');
    expect(computedThrough).toBe(revision);
    const all = await agents();
    expect(all.map(({ inSync, policies }) => ({ inSync, pending: policies.pending }))).toEqual(
      HEADENDS.map(() => ({ inSync: true, pending: 0 })),
    );
  }, patience);
}

/** What has to be the same again. */
async function picture(db: Database): Promise<Picture> {
  const { items: policies } = await call<Listed>('GET', '/v1/sr-policies');
  const bookings = await sql`
    select policy_id, link_id, bandwidth_bps from booking where releasing_generation is null order by 1, 2
  `.execute(db);
  const { items: keys } = await call<Listed>('GET', '/v1/api-keys');
  const { items: audit } = await call<Listed>('GET', '/v1/audit?limit=100');
  return {
    policies: policies.map(({ id, status, install, color }) => ({ id, status, install, color })),
    bookings: bookings.rows,
    keys: keys.map(({ name, role }) => ({ name, role })),
    audit,
  };
}

/** The commands that stand on a page for operators. */
function documented(program: string): string {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8');
  const found = page.split('\n').filter((line) => line.trim().startsWith(`${program} `));
  expect(found, program).toHaveLength(1);
  return found[0]?.trim() ?? '';
}

async function run(command: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { stderr } = await promisify(execFile)('sh', ['-c', command], { cwd: folder, env: { ...process.env, ...env } });
  expect(stderr).toBe('');
}

function majorOf(program: string): number {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return Number(/(\d+)/.exec(stdout)?.[1] ?? 0);
}

it('A backup is restored as the page says: agents follow it again, and nothing goes before its replacement', async ({
  skip,
}) => {
  const { rows } = await sql<{ server_version_num: string }>`show server_version_num`.execute(database.db);
  const server = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  skip(majorOf('pg_dump') < server, `there is no pg_dump of version ${server} or newer; the second run of CI has one`);

  await startController(database.url);
  for (const headend of HEADENDS) await startAgent(headend);
  for (const color of [1, 2, 3]) await call('POST', '/v1/sr-policies', policyOf(color));
  const before = await call<{ readonly secret: string }>('POST', '/v1/api-keys', { name: 'before', role: 'viewer' });
  await eventually(async () => expect(await agents()).toHaveLength(2), patience);
  await settled();
  const backedUp = await picture(database.db);
  expect(backedUp.bookings).not.toEqual([]);
  await run(documented('pg_dump'), { DATABASE_URL: database.url });

  // Life goes on: one more, one less, one that books more, another leader, another key.
  const after = await call<{ readonly secret: string }>('POST', '/v1/api-keys', { name: 'after', role: 'viewer' });
  await call('DELETE', '/v1/sr-policies/dc-london:2:dc-madrid');
  await call('POST', '/v1/sr-policies', policyOf(4));
  await settled();
  await controller.stop('SIGKILL');
  await startController(database.url);
  await call('PUT', '/v1/sr-policies/dc-london:3:dc-madrid', policyOf(3, 2_000_000_000));
  await settled();
  const london = async () => (await agents())[0]?.desired ?? { epoch: 0, generation: 0 };
  const known = await london();
  await controller.stop('SIGKILL');

  const restoredUrl = new URL(database.url);
  restoredUrl.pathname = '/waymark_restored';
  const env = { DATABASE_URL: database.url, RESTORED_URL: restoredUrl.href };
  running.push(() => sql`drop database if exists waymark_restored with (force)`.execute(database.db));
  await run(documented('createdb'), env);
  await run(documented('pg_restore'), env);
  const restored = createDatabase(restoredUrl.href);
  running.push(() => restored.destroy());
  steps.length = 0;
  await startController(restoredUrl.href);
  await eventually(async () => {
    const { epoch, generation } = await london();
    expect(epoch).toBeGreaterThan(known.epoch);
    expect(generation).toBeGreaterThan(known.generation);
  }, patience);
  await settled();
  expect(controller.output).toContain('agents know more than the database: it was restored');
  await eventually(async () => expect((await picture(restored)).policies).toEqual(backedUp.policies), patience);
  await eventually(async () => expect(await picture(restored)).toEqual(backedUp), patience);

  // What had been deleted is there before what had been created goes, and nothing else was touched.
  const unsteered = steps.flatMap(({ kind, prefix }) => (kind === 'unsteer' ? [prefix] : []));
  expect(unsteered).toEqual(['10.77.4.0/24']);
  const put = steps.flatMap(({ kind, policyId }) => (kind === 'put-tunnel' ? [policyId] : []));
  expect(put).toContain('dc-london:2:dc-madrid');
  expect(put).not.toContain('dc-london:1:dc-madrid');
  expect(steps.findLastIndex(({ kind }) => kind === 'put-tunnel')).toBeLessThan(
    steps.findIndex(({ kind }) => kind === 'unsteer'),
  );

  const status = async (secret: string) =>
    (await fetch(`${url}/v1/topology`, { headers: { authorization: `Bearer ${secret}` } })).status;
  expect(await status(before.secret)).toBe(200);
  expect(await status(after.secret)).toBe(401);
  // It goes on from there.
  await call('POST', '/v1/sr-policies', policyOf(5));
  await settled();
}, 300_000);
