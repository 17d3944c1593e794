import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBus } from '@waymark/agent-protocol';
import { ipv6ToBytes } from '@waymark/topology';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from './config.js';
import { startController, type Controller } from './controller.js';
import { writeAdminKey } from './testing/admin-key.js';
import { printedResult } from './replay/print-result.js';
import { readRecording } from './replay/read-recording.js';
import { replayRecording } from './replay/replay-recording.js';
import { eventually } from './testing/eventually.js';
import { startSessionAgent, type SessionAgent } from './testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

const SIDS = Array.from({ length: 15 }, (_, index) => `fcbb:bb00:ffff::${(0x46 + index).toString(16)}`);
const [SID = ''] = SIDS;
const GONE = '/v1/agents/dc-london';
const ONE = 'dc-london:100:dc-athens';
const OTHER = 'dc-london:200:dc-athens';

let database: TestDatabase;
let replayedOn: TestDatabase;
let folder: string;
let controller: Controller;
let headers: Readonly<Record<string, string>>;
const logged: Record<string, unknown>[] = [];
const agents: SessionAgent[] = [];

beforeAll(async () => {
  [database, replayedOn] = [await createTestDatabase(), await createTestDatabase()];
  folder = await mkdtemp(join(tmpdir(), 'waymark-removed-'));
  const key = writeAdminKey(folder);
  headers = key.headers;
  const config = readConfig({
    ...{ DATABASE_URL: database.url, ...key.settings, WAYMARK_DEMO: 'topology' },
    ...{ WAYMARK_HTTP_PORT: '0', WAYMARK_GRPC_PORT: '0', WAYMARK_DATA_DIR: folder, WAYMARK_WORKERS: '1' },
    WAYMARK_RECORD_FILE: recording(),
  });
  const write = (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>);
  controller = await startController(config, pino({ level: 'info' }, { write }));
}, 120_000);

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.dispose()));
  await controller.stop();
  await database.drop();
  await replayedOn.drop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const recording = () => join(folder, 'recording.jsonl');

async function start(node: string, stateDirectory?: string): Promise<SessionAgent> {
  const agent = await startSessionAgent({
    ...{ node, controllers: [controller.grpcAddress], bus: new MemoryBus() },
    ownedSids: SIDS.map((sid) => ({ sid: ipv6ToBytes(sid), behavior: 'End.DT46' })),
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });
  agents.push(agent);
  return agent;
}

async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: never }> {
  const answer = await fetch(controller.url + path, {
    method,
    headers: { ...headers, 'if-match': '*', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as never };
}

async function ownersOfSid(): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('sid')
    .select('node_id')
    .where('sid', '=', SID)
    .where('to_revision', 'is', null)
    .execute();
  return rows.map(({ node_id }) => node_id);
}

const create = (color: number) =>
  ask('POST', '/v1/sr-policies', {
    ...{ headend: 'dc-london', color, endpoint: 'dc-athens', fallback: 'drop' },
    candidatePaths: [
      {
        discriminator: 1,
        preference: 100,
        path: { kind: 'dynamic', metric: 'delay', constraints: { bandwidthBps: 9 } },
      },
    ],
  });

const installOf = async (id: string) =>
  ((await ask('GET', `/v1/sr-policies/${id}`)).body as { state: { install: string } | null }).state?.install;

describe('an agent that is gone for good', () => {
  it('is not removed while it is connected', async () => {
    await start('dc-london');
    await eventually(async () => expect(await ownersOfSid()).toEqual(['dc-london']));
    await create(100);
    await create(200);
    await eventually(async () =>
      expect([await installOf(ONE), await installOf(OTHER)]).toEqual(['simulated', 'simulated']),
    );
    expect((await ask('GET', GONE)).body).toMatchObject({ state: 'connected', goneSince: null });
    expect(await ask('DELETE', GONE)).toMatchObject({
      status: 409,
      body: { code: 'agent-connected', field: 'node' },
    });
    expect(await ownersOfSid()).toEqual(['dc-london']);
  }, 120_000);

  it('shows since when, and holds what it said and what waits for it', async () => {
    await agents[0]?.stop();
    await eventually(async () => expect((await ask('GET', GONE)).body).toMatchObject({ state: 'unknown' }));
    const { body } = await ask('GET', GONE);
    expect(body).toMatchObject({ goneSince: (body as { lastSeen: string }).lastSeen });
    expect((await ask('DELETE', `/v1/sr-policies/${ONE}`)).status).toBe(204);
    await eventually(async () => {
      const waiting = await database.db.selectFrom('desired').select('policy_id').where('deleted', '=', true).execute();
      expect(waiting).toEqual([{ policy_id: ONE }]);
    });
    await start('dc-athens');
    await eventually(() => {
      const told = logged.filter(({ msg }) => msg === 'a SID that an agent reports is not used: another node has it');
      // not all: an agent must not fill the log
      expect(told).toMatchObject(SIDS.slice(0, 10).map((sid) => ({ node: 'dc-athens', sid, owner: 'dc-london' })));
    });
    expect(await ownersOfSid()).toEqual(['dc-london']);
    const bookings = await database.db.selectFrom('booking').select('policy_id').distinct().execute();
    expect(bookings.map(({ policy_id }) => policy_id).sort()).toEqual([ONE, OTHER]);
  }, 120_000);

  it('takes all of that with it when it is removed, and nothing that its headend should hold', async () => {
    expect(await ask('DELETE', GONE)).toEqual({ status: 204, body: null });
    expect((await ask('GET', GONE)).status).toBe(404);
    expect((await ask('GET', '/v1/sources/agent:dc-london')).status).toBe(404);
    expect(await ownersOfSid()).toEqual([]);
    const desired = await database.db.selectFrom('desired').select('policy_id').execute();
    expect(desired).toEqual([{ policy_id: OTHER }]);
    expect(await installOf(OTHER)).toBe('pending');
    const bookings = await database.db.selectFrom('booking').select('policy_id').distinct().execute();
    expect(bookings).toEqual([{ policy_id: OTHER }]);
    const released = await database.db.selectFrom('bsid').selectAll().where('policy_id', 'is', null).execute();
    expect(released).toMatchObject([{ headend: 'dc-london', releasing_generation: null }]);
    expect(released[0]?.quarantined_until?.getTime()).toBeGreaterThan(Date.now());
    const { body } = await ask('GET', '/v1/audit?entity=agent');
    expect(body).toMatchObject({
      items: [
        {
          kind: 'agent-removed',
          entityId: 'dc-london',
          after: null,
          before: { sids: SIDS.map((sid) => `${sid} End.DT46`) },
        },
      ],
    });
    expect((await ask('DELETE', GONE)).status).toBe(404);
  }, 120_000);

  it('leaves its SIDs to others, and is welcome should it come back', async () => {
    await agents[1]?.stop();
    await start('dc-athens', agents[1]?.stateDirectory);
    await eventually(async () => expect(await ownersOfSid()).toEqual(['dc-athens']));
    await start('dc-london', agents[0]?.stateDirectory);
    await eventually(async () => expect(await installOf(OTHER)).toBe('simulated'));
    expect((await ask('GET', GONE)).body).toMatchObject({ state: 'connected', goneSince: null });
    expect(await ownersOfSid()).toEqual(['dc-athens']);
  }, 120_000);

  it('goes again when all of that is replayed', async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await controller.stop();
    const lines = await readRecording(recording());
    const requests = lines.map((line) =>
      line.kind === 'request' ? (line.input as { operation: string }).operation : '',
    );
    expect(requests.filter((operation) => operation === 'removeAgent')).toHaveLength(3);
    const log = pino({ level: 'silent' });
    const result = await replayRecording(lines, { databaseUrl: replayedOn.url, log });
    expect(result.differing, printedResult('recording', lines, result)).toBe(0);
  }, 120_000);
});
