import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DryRunDataPlane, NodeAgent } from '@waymark/node-agent';
import { pino } from 'pino';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../apps/controller/src/config.js';
import { startController } from '../../apps/controller/src/controller.js';
import { printedResult } from '../../apps/controller/src/replay/print-result.js';
import { readRecording } from '../../apps/controller/src/replay/read-recording.js';
import { replayRecording } from '../../apps/controller/src/replay/replay-recording.js';
import { writeAdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';

const log = pino({ level: 'silent' });
const hosts = ['master', 'worker1', 'worker2'];
const links = ['R2:R3', 'R2:R7', 'R3:R4', 'R4:R6', 'R5:R6', 'R6:R7', 'R6:R8', 'R7:R8'];
const CLIENTS = 4;

let recordedOn: TestDatabase;
let replayedOn: TestDatabase;
let folder: string;

beforeAll(async () => {
  [recordedOn, replayedOn] = [await createTestDatabase(), await createTestDatabase()];
  folder = await mkdtemp(join(tmpdir(), 'waymark-random-load-'));
}, 120_000);

afterAll(async () => {
  await recordedOn.drop();
  await replayedOn.drop();
  await rm(folder, { recursive: true });
}, 60_000);

const host = fc.constantFrom(...hosts);
const color = fc.integer({ min: 1, max: 3 });
const bandwidthBps = fc.constantFrom(undefined, 1_000_000_000, 4_000_000_000, 7_000_000_000);
const operation = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    ...{ headend: host, endpoint: host, color, bandwidthBps, setupPriority: fc.integer({ min: 0, max: 7 }) },
    metric: fc.constantFrom('delay', 'igp'),
  }),
  fc.record({ kind: fc.constant('delete' as const), headend: host, endpoint: host, color }),
  fc.record({ kind: fc.constant('pin' as const), headend: host, endpoint: host, color }),
  fc.record({
    kind: fc.constant('link' as const),
    link: fc.constantFrom(...links),
    state: fc.constantFrom('up', 'down'),
  }),
  fc.record({ kind: fc.constant('constrain' as const), link: fc.constantFrom(...links), delayUs: fc.nat(20_000) }),
  fc.record({ kind: fc.constant('compute' as const), source: host, destination: host, bandwidthBps }),
  fc.record({ kind: fc.constant('dry-run' as const), link: fc.constantFrom(...links) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

const workload = fc.array(fc.array(operation, { minLength: 15, maxLength: 20, size: 'max' }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
});

it(
  'records what several clients do at once, with agents, so that it comes to the same',
  { timeout: 240_000 },
  async () => {
    const seed = fc.readConfigureGlobal().seed ?? Date.now();
    const [clients = []] = fc.sample(workload, { seed, numRuns: 1 });
    const file = join(folder, 'recording.jsonl');
    const key = writeAdminKey(folder);
    const controller = await startController(
      readConfig({
        ...{ DATABASE_URL: recordedOn.url, ...key.settings, WAYMARK_RECORD_FILE: file, WAYMARK_DATA_DIR: folder },
        ...{ WAYMARK_HTTP_PORT: '0', WAYMARK_GRPC_PORT: '0', WAYMARK_DEMO: 'off', WAYMARK_HOLD_MS: '50' },
        WAYMARK_WORKERS: '2',
      }),
      log,
    );
    const agents = hosts.map(
      (nodeId) =>
        new NodeAgent({
          ...{ nodeId, controllers: [controller.grpcAddress], bus: null, localSids: [], log },
          dataPlane: new DryRunDataPlane({ log, encapMode: 'reduced', msdHEncaps: 0 }),
          stateDirectory: join(folder, nodeId),
          rereadIntervalMs: 60_000,
        }),
    );
    const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const type = typeof body === 'string' ? 'application/yaml' : 'application/json';
      const response = await fetch(controller.url + path, {
        method,
        headers: { ...key.headers, ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      expect(response.status, `seed ${seed}: ${method} ${path}`).toBeLessThan(500);
      return response;
    };
    const edit = async (method: string, path: string, resource = path) => {
      const etag = (await send('GET', resource)).headers.get('etag');
      await send(method, path, undefined, { 'if-match': etag ?? '"0"' });
    };
    const isSettled = async () => {
      const head = await recordedOn.db.selectFrom('head').selectAll().executeTakeFirstOrThrow();
      expect(head.computed_through).toBe(head.revision);
      const pending = await recordedOn.db
        .selectFrom('desired')
        .select('policy_id')
        .where('outcome', '=', 'pending')
        .execute();
      expect(pending).toEqual([]);
    };
    try {
      const testbed = await readFile(join(import.meta.dirname, '../../examples/paper-testbed.yaml'), 'utf8');
      await send('POST', '/v1/topology/imports?source=testbed&format=native', testbed);
      for (const agent of agents) await agent.start();
      const work = async (operations: readonly Operation[], client: number) => {
        for (const [index, one] of operations.entries()) await perform(one, send, edit, `client-${client}`, index + 1);
      };
      await Promise.all(clients.map(work));
      await eventually(isSettled, 120_000);
    } finally {
      await Promise.all(agents.map((agent) => agent.stop()));
      await controller.stop();
    }

    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(key.headers.authorization.replace(/^Bearer /, ''));
    expect(text.toLowerCase()).not.toContain('bearer');
    const lines = await readRecording(file);
    const requests = lines.filter(({ kind }) => kind === 'request').length;
    expect(requests).toBe(1 + clients.flat().length);
    const result = await replayRecording(lines, { databaseUrl: replayedOn.url, log });
    expect(result.differing, `seed ${seed}: ${printedResult('recording', lines, result)}`).toBe(0);
    // On a machine that is too busy the leader loses its database session; such a step says nothing.
    expect(result.skipped).toBe(lines.filter((line) => 'failed' in line).length);
  },
);

async function perform(
  one: Operation,
  send: (method: string, path: string, body?: unknown) => Promise<unknown>,
  edit: (method: string, path: string, resource?: string) => Promise<unknown>,
  source: string,
  sequence: number,
): Promise<void> {
  switch (one.kind) {
    case 'create': {
      const { headend, endpoint, color: number, bandwidthBps: bps, setupPriority, metric } = one;
      const path = { kind: 'dynamic', metric, constraints: bps === undefined ? {} : { bandwidthBps: bps } };
      await send('POST', '/v1/sr-policies', {
        ...{ headend, endpoint, color: number, fallback: 'shortest-path', setupPriority, holdPriority: setupPriority },
        candidatePaths: [{ discriminator: 1, preference: 100, path }],
      });
      return;
    }
    case 'delete':
      await edit('DELETE', `/v1/sr-policies/${one.headend}:${one.color}:${one.endpoint}`);
      return;
    case 'pin': {
      const policy = `/v1/sr-policies/${one.headend}:${one.color}:${one.endpoint}`;
      await edit('POST', `${policy}/pin`, policy);
      return;
    }
    case 'link': {
      const events = [{ kind: 'link-state', link: one.link, state: one.state }];
      await send('POST', `/v1/sources/${source}/events`, { sequence, full: false, events });
      return;
    }
    case 'constrain': {
      const changes = [{ link: one.link, constraints: { delayUs: one.delayUs } }];
      await send('POST', '/v1/link-constraints/bulk', { mode: 'patch', changes });
      return;
    }
    case 'compute': {
      const { source: from, destination, bandwidthBps: bps } = one;
      const constraints = bps === undefined ? {} : { bandwidthBps: bps };
      await send('POST', '/v1/path-computations', {
        source: from,
        destination,
        metric: 'delay',
        constraints,
      });
      return;
    }
    case 'dry-run': {
      const changes = [{ kind: 'link-state', link: one.link, state: 'down' }];
      await send('POST', '/v1/dry-runs', { changes });
      return;
    }
  }
}
