import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateHashOf } from '@waymark/agent-protocol';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../apps/controller/src/config.js';
import { startController, type Controller } from '../../apps/controller/src/controller.js';
import { migrate } from '../../apps/controller/src/storage/migrate.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { schemaOf } from '../../apps/controller/src/testing/schema-of.js';
import { startSessionAgent, type SessionAgent } from '../../apps/controller/src/testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { StateFile } from '../../apps/node-agent/src/session/state-file.js';
import { contents, growDatabase, migrations } from './earlier-schema.js';

const patience = 60_000;
/** The key of `written-at/0016.sql`: of nobody, and for nothing but these tests. */
const OLD_KEY = 'wmk_0123456789abcdef_upgrade-test-key-that-opens-no-other-door-1';
/** What a later migration writes anew, by table and column, and why. */
const REWRITTEN: Readonly<Record<string, readonly string[]>> = {
  // 0006: the next leader looks for standbys; 0010: candidate paths say what became of optional constraints.
  policy_state: ['starved', 'candidates'],
  // 0005: never written
  headend: ['bsid_block'],
  // 0011: since which revision a source is held
  source: ['held_revision'],
};
/**
 * Where a controller is started: where it finds nothing but topology, then policies that no agent was told of, no
 * standbys, no priorities, and all of it. Of the others every row is compared, and the schema, so it could not tell them apart.
 */
const STARTED: readonly number[] = [1, 2, 3, 9, 16];
const log = pino({ level: 'silent' });
const number = (name: string): number => Number(name.slice(0, 4));

let database: TestDatabase;
let folder: string;
let key: AdminKey;
let controller: Controller;
const running: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  await sql`drop schema public cascade`.execute(database.db);
  await sql`create schema public`.execute(database.db);
  folder = mkdtempSync(join(tmpdir(), 'waymark-upgrade-'));
  key = writeAdminKey(folder);
});

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});

async function read<Body>(path: string, authorization = key.headers.authorization): Promise<Body> {
  const response = await fetch(controller.url + path, { headers: { authorization } });
  const body = (await response.json()) as Body;
  expect(response.status, `${path}: ${JSON.stringify(body)}`).toBe(200);
  return body;
}

/** An agent that was connected before the upgrade, and kept what it held. */
async function agentOf(node: string): Promise<SessionAgent> {
  const stateDirectory = join(folder, node);
  const db = database.db;
  const { instance } = await db.selectFrom('head').select('instance').executeTakeFirstOrThrow();
  const { rows } = await sql<{ epoch: number; generation: number; state_hash: Buffer }>`
    select epoch, generation, state_hash from headend where node_id = ${node}
  `.execute(db);
  const desired = await sql<{ policy_id: string; generation: number; body: Uint8Array }>`
    select policy_id, generation, body from desired where headend = ${node} and not deleted order by policy_id
  `.execute(db);
  const [headend] = rows;
  if (headend !== undefined) {
    const policies = new Map(desired.rows.map(({ policy_id: id, generation, body }) => [id, { generation, body }]));
    const stateHash = stateHashOf([...policies].map(([policyId, { body }]) => ({ policyId, body })));
    expect(Buffer.compare(stateHash, headend.state_hash)).toBe(0);
    await new StateFile(stateDirectory, node).store({ instance, ...headend, stateHash, policies });
  }
  const agent = await startSessionAgent({ node, controllers: [controller.grpcAddress], bus: null, stateDirectory });
  running.push(() => agent.dispose());
  return agent;
}

const policiesOf = (agent: SessionAgent) => [...(agent.reconciler.desired?.policies.keys() ?? [])].sort();

interface Policies {
  readonly items: readonly {
    readonly id: string;
    readonly owner: string | null;
    readonly state: { readonly status: string; readonly install: string };
  }[];
}

describe.each(migrations)('a database with the schema of %s, and data in it', (through) => {
  const version = number(through);

  it('is upgraded to the newest: nothing is lost, and a controller goes on from there where one is started', async () => {
    await growDatabase(database.url, database.db, through);
    const before = await contents(database.db);
    await migrate(database.url);
    await expectSame(before);
    const fresh = await createTestDatabase();
    running.push(() => fresh.drop());
    expect(await schemaOf(database.db)).toEqual(await schemaOf(fresh.db));

    if (!STARTED.includes(version)) return;
    controller = await startController(
      readConfig({
        ...{ DATABASE_URL: database.url, ...key.settings, WAYMARK_DEMO: 'off', WAYMARK_WORKERS: '1' },
        ...{ WAYMARK_HTTP_PORT: '0', WAYMARK_GRPC_PORT: '0', WAYMARK_HISTORY_DAYS: '36500' },
      }),
      log,
    );
    running.push(() => controller.stop());
    await expectTopology();
    if (version >= 2) await expectPolicies();
    if (version >= 16) {
      expect((await read<Policies>('/v1/sr-policies', `Bearer ${OLD_KEY}`)).items).toHaveLength(5);
      const { items } = await read<{ items: object[] }>('/v1/audit?entity=mesh');
      expect(items).toMatchObject([{ entityId: 'backup', kind: 'mesh-create', requestId: 'c1a18dbc' }]);
    }
  }, 180_000);

  /** What was there is there, as it was; columns and tables may have come. */
  async function expectSame(before: Awaited<ReturnType<typeof contents>>): Promise<void> {
    const after = await contents(database.db);
    for (const [table, rows] of before) {
      const kept = (row: Readonly<Record<string, unknown>>) =>
        JSON.stringify(
          Object.keys(rows[0] ?? {})
            .filter((column) => REWRITTEN[table]?.includes(column) !== true)
            .map((column) => row[column]),
        );
      expect((after.get(table) ?? []).map(kept).sort(), table).toEqual(rows.map(kept).sort());
    }
  }

  async function expectTopology(): Promise<void> {
    expect(await read('/v1/topology')).toMatchObject({ nodes: 7, links: 14, hosts: 3 });
    expect(await read('/v1/links/a:b/constraints')).toMatchObject({
      constraints: { teMetric: 50, reservableBandwidthBps: 8_000_000_000 },
      owner: version >= 14 ? 'kubernetes:paris/LinkConstraint/gold' : null,
    });
    expect(await read('/v1/nodes/c/constraints')).toMatchObject({
      constraints: version >= 9 ? { msdHEncaps: 9, msdSegmentsLeft: 8, msdEndPop: 7, msdEndD: 6 } : { msdHEncaps: 9 },
    });
    if (version >= 8) {
      expect(await read('/v1/nodes/b')).toMatchObject({ effective: { flexAlgorithms: [{ algorithm: 128 }] } });
    }
    const { items } = await read<{ items: readonly { id: string; held: object | null }[] }>('/v1/sources?held=true');
    expect(items.map(({ id }) => id)).toEqual(version >= 11 ? ['isis', 'ospf'] : ['isis']);
    const since = await sql<{ held: number }>`select held_revision as held from source where id = 'isis'`.execute(
      database.db,
    );
    expect(since.rows).toEqual([{ held: version >= 2 ? 9 : 8 }].map((row) => (version >= 11 ? { held: 9 } : row)));
    // It goes on with the revisions where they were.
    const { items: changes } = await read<{ items: readonly { revision: number }[] }>(
      '/v1/topology/changes?limit=1000',
    );
    expect(changes.map(({ revision }) => revision)).toEqual(expect.arrayContaining([1, 2, 3, 5, 6]));
  }

  async function expectPolicies(): Promise<void> {
    const [h1, h2] = [await agentOf('h1'), await agentOf('h2')];
    const old = version >= 3 ? ['h1:1:h2', 'h1:2:h2'] : [];
    const wanted = ['h1:1:h2', 'h1:2:h2', 'h1:9:h2'];
    await eventually(() => expect(policiesOf(h1)).toEqual(wanted), patience);
    const loss = version >= 7 ? ['h2:7:h1'] : [];
    await eventually(() => expect(policiesOf(h2)).toEqual(expect.arrayContaining(['h2:1:h1'])), patience);
    const { items } = await read<Policies>('/v1/sr-policies');
    expect(items.map(({ id }) => id)).toEqual([...wanted, 'h2:1:h1', ...loss]);
    await eventually(async () => {
      const now = await read<Policies>('/v1/sr-policies?headend=h1');
      expect(now.items.map(({ state }) => `${state.status} ${state.install}`)).toEqual(
        wanted.map(() => 'up simulated'),
      );
    }, patience);
    // An agent never held less than before.
    for (const { policies } of h1.reconciler.history) expect([...policies.keys()]).toEqual(expect.arrayContaining(old));
    for (const { policies } of h2.reconciler.history) {
      expect([...policies.keys()]).toEqual(expect.arrayContaining(version >= 3 ? ['h2:1:h1'] : []));
    }
    expect(await read('/v1/sr-policies/h2:1:h1')).toMatchObject({
      owner: version >= 14 ? 'kubernetes:paris/SRPolicy/default/bulk' : null,
    });
    expect(await read('/v1/meshes/backup')).toMatchObject({ intent: { color: 9 }, policies: { total: 1, up: 1 } });
    // Bandwidth is booked once, with the right that it had.
    const booked = await sql<{ told: string }>`
      select concat_ws(' ', link_id, bandwidth_bps, setup_priority, hold_priority) as told from booking
      where releasing_generation is null order by 1
    `.execute(database.db);
    const right = version >= 10 ? '3 2' : '7 7';
    expect(booked.rows.map(({ told }) => told)).toEqual(
      ['a:b', 'b:d', 'd:h2', 'h1:a'].map((link) => `${link} 2000000000 ${right}`),
    );
    if (version >= 3) {
      await eventually(async () => {
        const withdrawn = await sql`select from desired where policy_id = 'h1:3:h2'`.execute(database.db);
        expect(withdrawn.rows).toEqual([]);
      }, patience);
    }
  }
});
