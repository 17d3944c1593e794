import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { readConfig } from '../../apps/controller/src/config.js';
import { startController, type Controller } from '../../apps/controller/src/controller.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { addSilentAgent } from '../../apps/controller/src/testing/silent-agent.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { send } from './check-response.js';
import { OpenApiDocument } from './openapi-document.js';

/*
 * Every operation that changes something, in an order in which each finds what it is about: one entry of the audit, of whoever
 * asked, with the id of the request and from what to what. What is refused leaves none.
 */
interface Write {
  readonly operationId: string;
  readonly url: string;
  readonly body?: unknown;
  /** How often it is done in a row; what is no change the second time leaves no entry. */
  readonly again?: 'changes nothing';
  readonly entry: Entry | 'none: it starts or ends a job in memory';
}

interface Entry {
  readonly entity: string;
  readonly entityId: string;
  readonly kind: string;
  readonly before: unknown;
  readonly after: unknown;
}

const anything: unknown = expect.anything();
const has = (members: object): unknown => expect.objectContaining(members);

const intent = (fallback: string) => ({
  ...{ headend: 'dc-london', color: 100, endpoint: 'dc-athens', fallback },
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } }],
});
const mesh = (fallback: string) => {
  const { candidatePaths } = intent(fallback);
  return { id: 'audited', color: 300, selector: { all: true }, template: { candidatePaths, fallback }, overrides: [] };
};
const policy = { entity: 'sr-policy', entityId: 'dc-london:100:dc-athens' };
const policyUrl = `/v1/sr-policies/${policy.entityId}`;
const meshes = { entity: 'mesh', entityId: 'audited' };
const link = { entity: 'link-constraints', entityId: 'UK:FR', kind: 'link-constraints' };
const node = { entity: 'node-constraints', entityId: 'CH', kind: 'node-constraints' };
const source = { entity: 'source', entityId: 'reader' };
const key = { entity: 'api-key', entityId: 'grafana' };
const job = 'none: it starts or ends a job in memory';

const planned = `waymark: 1
sidPlan: {}
nodes:
  - { id: lab-1, kind: router }
  - { id: lab-2, kind: router }
links:
  - { between: [ lab-1, lab-2 ], igpMetric: 10 }
`;

const down = (up: readonly string[]) => up.map((id) => ({ kind: 'link-state', link: id, state: 'down' }));

let database: TestDatabase;
let folder: string;
let adminKey: AdminKey;
let controller: Controller;
let authorization: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'waymark-audited-'));
  adminKey = writeAdminKey(folder);
  const config = readConfig({
    ...{ DATABASE_URL: database.url, ...adminKey.settings, WAYMARK_DEMO: 'topology' },
    ...{ WAYMARK_HTTP_PORT: '0', WAYMARK_GRPC_PORT: '0', WAYMARK_DATA_DIR: folder, WAYMARK_WORKERS: '1' },
    // what was drained is not used again by itself
    ...{ WAYMARK_HOLD_MS: '3600000', WAYMARK_MAX_HOLD_MS: '3600000' },
  });
  controller = await startController(config, pino({ level: 'silent' }));
  authorization = adminKey.headers.authorization;
  const made = await ask('POST', '/v1/api-keys', { name: 'ann', role: 'admin' });
  authorization = `Bearer ${(JSON.parse(made.text) as { readonly secret: string }).secret}`;
}, 120_000);

afterAll(async () => {
  await controller.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

function ask(method: string, url: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
  const withBody = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return send(controller.url, { method, url, headers: { authorization, ...type, ...headers }, ...withBody });
}

async function read<Body>(url: string): Promise<Body> {
  return JSON.parse((await ask('GET', url)).text) as Body;
}

type Audited = Entry & { readonly id: number; readonly actor: string; readonly credential: string | null };

async function since(id: number): Promise<readonly Audited[]> {
  const { items } = await read<{ readonly items: readonly Audited[] }>('/v1/audit?limit=1000');
  return items.filter((entry) => entry.id > id);
}

async function newest(): Promise<number> {
  return (await read<{ readonly items: readonly Audited[] }>('/v1/audit?limit=1')).items[0]?.id ?? 0;
}

const contract = new OpenApiDocument(document);
const computing = ['computePaths', 'computeDisjointPaths', 'proveSegmentList', 'dryRun'];
const changing = contract.operations.filter(
  ({ method, operationId }) => method !== 'GET' && !computing.includes(operationId),
);
const byId = new Map(changing.map((operation) => [operation.operationId, operation]));

const writes: readonly Write[] = [
  {
    ...{ operationId: 'importTopology', url: '/v1/topology/imports' },
    body: { format: 'native', source: 'lab', content: planned },
    again: 'changes nothing',
    entry: { entity: 'source', entityId: 'lab', kind: 'topology-import', before: null, after: anything },
  },
  {
    ...{ operationId: 'confirmPlannedSids', url: '/v1/sid-confirmations', body: { nodes: ['lab-1'] } },
    again: 'changes nothing',
    entry: {
      ...{ entity: 'planned-sids', entityId: 'lab-1', kind: 'sids-confirmed' },
      ...{ before: has({ origin: 'planned' }), after: has({ origin: 'operator' }) },
    },
  },
  {
    ...{ operationId: 'createPolicy', url: '/v1/sr-policies', body: intent('drop') },
    again: 'changes nothing',
    entry: { ...policy, kind: 'policy-create', before: null, after: has({ fallback: 'drop' }) },
  },
  {
    ...{ operationId: 'putPolicy', url: policyUrl, body: intent('shortest-path') },
    entry: {
      ...{ ...policy, kind: 'policy-replace', before: has({ fallback: 'drop' }) },
      after: has({ fallback: 'shortest-path' }),
    },
  },
  {
    ...{ operationId: 'pinPolicy', url: `${policyUrl}/pin` },
    entry: { ...policy, kind: 'policy-pin', before: { pinned: null }, after: { pinned: has({ activeCandidate: 1 }) } },
  },
  {
    ...{ operationId: 'unpinPolicy', url: `${policyUrl}/unpin`, again: 'changes nothing' },
    entry: { ...policy, kind: 'policy-unpin', before: { pinned: anything }, after: { pinned: null } },
  },
  {
    ...{ operationId: 'putNodeConstraints', url: '/v1/nodes/CH/constraints', body: { adminState: 'drained' } },
    again: 'changes nothing',
    entry: { ...node, before: null, after: { adminState: 'drained' } },
  },
  {
    ...{ operationId: 'patchNodeConstraints', url: '/v1/nodes/CH/constraints', body: { msdHEncaps: 9 } },
    again: 'changes nothing',
    entry: { ...node, before: { adminState: 'drained' }, after: { adminState: 'drained', msdHEncaps: 9 } },
  },
  {
    ...{ operationId: 'clearNodeConstraints', url: '/v1/nodes/CH/constraints' },
    entry: { ...node, before: { adminState: 'drained', msdHEncaps: 9 }, after: null },
  },
  {
    ...{ operationId: 'rollBackPolicy', url: `${policyUrl}/roll-back` },
    entry: { ...policy, kind: 'policy-roll-back', before: { pinned: null }, after: { pinned: anything } },
  },
  {
    ...{ operationId: 'deletePolicy', url: policyUrl },
    entry: { ...policy, kind: 'policy-delete', before: has({ fallback: 'shortest-path' }), after: null },
  },
  {
    ...{ operationId: 'createMesh', url: '/v1/meshes', body: mesh('drop'), again: 'changes nothing' },
    entry: { ...meshes, kind: 'mesh-create', before: null, after: has({ color: 300 }) },
  },
  {
    ...{ operationId: 'putMesh', url: '/v1/meshes/audited', body: mesh('shortest-path') },
    entry: {
      ...{ ...meshes, kind: 'mesh-replace' },
      before: has({ template: has({ fallback: 'drop' }) }),
      after: has({ template: has({ fallback: 'shortest-path' }) }),
    },
  },
  {
    ...{ operationId: 'deleteMesh', url: '/v1/meshes/audited' },
    entry: { ...meshes, kind: 'mesh-delete', before: has({ color: 300 }), after: null },
  },
  {
    ...{ operationId: 'putLinkConstraints', url: '/v1/links/UK:FR/constraints', body: { delayUs: 9_000 } },
    again: 'changes nothing',
    entry: { ...link, before: null, after: { delayUs: 9_000 } },
  },
  {
    ...{ operationId: 'patchLinkConstraints', url: '/v1/links/UK:FR/constraints', body: { teMetric: 5 } },
    again: 'changes nothing',
    entry: { ...link, before: { delayUs: 9_000 }, after: { delayUs: 9_000, teMetric: 5 } },
  },
  {
    ...{ operationId: 'setManyLinkConstraints', url: '/v1/link-constraints/bulk' },
    body: { mode: 'replace', changes: [{ link: 'UK:FR', constraints: { teMetric: 6 } }] },
    again: 'changes nothing',
    entry: { ...link, before: { delayUs: 9_000, teMetric: 5 }, after: { teMetric: 6 } },
  },
  {
    ...{ operationId: 'clearLinkConstraints', url: '/v1/links/UK:FR/constraints' },
    entry: { ...link, before: { teMetric: 6 }, after: null },
  },
  {
    ...{ operationId: 'postSourceEvents', url: '/v1/sources/reader/events' },
    body: { sequence: 1, full: false, events: down(['UK:FR', 'FR:UK']) },
    again: 'changes nothing',
    entry: { ...source, kind: 'source-events', before: null, after: { reportedBy: 'ann' } },
  },
  {
    ...{ operationId: 'releaseSource', url: '/v1/sources/reader/release', body: { decision: 'discard' } },
    entry: {
      ...source,
      kind: 'source-released',
      before: has({ heldReason: anything }),
      after: { decision: 'discard' },
    },
  },
  {
    ...{ operationId: 'removeAgent', url: '/v1/agents/dc-london' },
    entry: {
      ...{ entity: 'agent', entityId: 'dc-london', kind: 'agent-removed', after: null },
      before: has({ dataplane: 'linux', sids: [] }),
    },
  },
  {
    ...{ operationId: 'createPathBatch', url: '/v1/path-computation-batches', entry: job },
    body: {
      ...{ kind: 'requests', id: 'audited', synchronised: false },
      requests: [{ source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {} }],
    },
  },
  { operationId: 'deletePathBatch', url: '/v1/path-computation-batches/audited', entry: job },
  {
    ...{ operationId: 'startFailureSweep', url: '/v1/failure-sweeps', entry: job },
    body: { id: 'audited', kinds: ['srlg'] },
  },
  { operationId: 'deleteFailureSweep', url: '/v1/failure-sweeps/audited', entry: job },
  {
    ...{ operationId: 'createApiKey', url: '/v1/api-keys', body: { name: 'grafana', role: 'viewer' } },
    entry: { ...key, kind: 'api-key-create', before: null, after: has({ name: 'grafana', role: 'viewer' }) },
  },
  {
    ...{ operationId: 'rotateApiKey', url: '/v1/api-keys/grafana/rotate', body: {} },
    entry: {
      ...{ ...key, kind: 'api-key-rotate', before: has({ rotatedAt: null }) },
      after: has({ rotatedAt: anything }),
    },
  },
  {
    ...{ operationId: 'deleteApiKey', url: '/v1/api-keys/grafana' },
    entry: { ...key, kind: 'api-key-delete', before: has({ name: 'grafana' }), after: null },
  },
];

interface State {
  readonly state: { readonly lists: readonly { readonly nodes: readonly string[] }[] } | null;
}

/** What has to be true before an operation finds what it is about. */
const prepare: Readonly<Record<string, () => Promise<unknown>>> = {
  pinPolicy: () =>
    expect.poll(async () => (await read<State>(policyUrl)).state?.lists.length, { timeout: 60_000 }).toBeGreaterThan(0),
  clearNodeConstraints: () =>
    expect
      .poll(async () => (await read<State>(policyUrl)).state?.lists.some(({ nodes }) => nodes.includes('CH')), {
        timeout: 60_000,
      })
      .toBe(false),
  removeAgent: () => addSilentAgent(database.db, 'dc-london'),
  releaseSource: async () => {
    const { items } = await read<{ readonly items: readonly { readonly effective: { readonly id: string } }[] }>(
      '/v1/links?limit=1000',
    );
    const events = down(items.map(({ effective }) => effective.id));
    const { text } = await ask('POST', '/v1/sources/reader/events', { sequence: 2, full: false, events });
    expect(JSON.parse(text)).toMatchObject({ outcome: 'held' });
  },
};

describe('the audit of the operations', () => {
  it('is tried with every one that changes something', () => {
    expect(writes.map(({ operationId }) => operationId).toSorted()).toEqual([...byId.keys()].toSorted());
  });

  it.each(writes)(
    'of $operationId is one entry, and none of what was refused',
    async ({ operationId, url, body, again, entry }) => {
      await prepare[operationId]?.();
      const operation = byId.get(operationId);
      if (operation === undefined) throw new Error(`there is no operation ${operationId}`);
      const { method } = operation;
      const isVersioned = operation.parameters.some(({ name }) => name === 'If-Match');
      const anyVersion = isVersioned ? { 'if-match': '*' } : {};

      const start = await newest();
      const refusals = [
        await ask(method, url, body, {
          ...anyVersion,
          authorization: `Bearer wmk_${'0'.repeat(16)}_${'a'.repeat(43)}`,
        }),
        await ask(method, url, { ...(body ?? {}), nonsense: true }, anyVersion),
        ...(isVersioned ? [await ask(method, url, body, { 'if-match': '"999999999"' })] : []),
      ];
      for (const { status, text } of refusals.filter((_, i) => i !== 1 || body !== undefined)) {
        expect(status, text).toBeGreaterThanOrEqual(400);
        expect(status, text).toBeLessThan(500);
      }
      // an operation without a body does not look at one
      if (body !== undefined) expect(await since(start)).toEqual([]);

      const done = body === undefined ? refusals[1] : await ask(method, url, body, anyVersion);
      expect(done?.status, done?.text).toBeLessThan(300);
      const expected = {
        ...{ actor: 'ann', credential: expect.stringMatching(/^api-key:wmk_[0-9a-f]{16}$/) as string, owner: null },
        requestId: done?.headers.get('x-request-id'),
      };
      const entries = entry === job ? [] : [{ ...entry, ...expected }];
      expect(await since(start)).toMatchObject(entries);
      const [told] = await since(start);
      // toMatchObject lets more pass than constraints may have
      if (entry !== job && told !== undefined) {
        expect(told.before).toEqual(entry.before);
        expect(told.after).toEqual(entry.after);
      }

      if (again === undefined) return;
      const repeated = await ask(method, url, body, anyVersion);
      expect(repeated.status, repeated.text).toBeLessThan(300);
      expect(await since(start)).toHaveLength(entries.length);
    },
    120_000,
  );
});
