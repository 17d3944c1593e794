import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import type { Controller } from '../../apps/controller/src/controller.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { eventually } from '../../apps/controller/src/testing/eventually.js';
import { addSilentAgent } from '../../apps/controller/src/testing/silent-agent.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { startControllerOn } from './start-controller-on.js';

const LONG_MS = 60_000;

const path = { kind: 'dynamic', metric: 'delay', constraints: {} };
const policy = {
  headend: 'dc-amsterdam',
  color: 7,
  endpoint: 'dc-madrid',
  candidatePaths: [{ discriminator: 1, preference: 100, path }],
  fallback: 'drop',
};
const mesh = {
  id: 'three',
  color: 9,
  selector: { nodes: ['dc-amsterdam', 'dc-madrid', 'dc-vienna'] },
  template: { candidatePaths: policy.candidatePaths, fallback: 'drop' },
  overrides: [],
};
const otherPath = { ...path, metric: 'hop', constraints: { exclude: { nodes: ['UK', 'FR'] } } };
const batch = {
  kind: 'requests',
  id: 'two',
  requests: [{ source: 'dc-madrid', destination: 'dc-vienna', metric: 'delay', constraints: {} }],
};
const lab =
  'waymark: 1\nnodes:\n  - { id: lab-1, kind: router }\n  - { id: lab-2, kind: router }\nlinks:\n  - { between: [ lab-1, lab-2 ], igpMetric: 10 }\n';
const up = ['UK:FR', 'FR:UK', 'UK:PT', 'PT:UK'].map((link) => ({ kind: 'link-state', link, state: 'up' }));
const policyPath = '/v1/sr-policies/dc-amsterdam:7:dc-madrid';

/** An operation that is no GET, asked of the follower, and where to see at the leader what came of it. */
interface Write {
  readonly operation: string;
  readonly request: readonly [method: string, path: string, body?: unknown];
  readonly status: number;
  /** A resource, and what is true of it afterwards; `null`: it is gone. */
  readonly seen?: readonly [path: string, state: object | null];
}

/** In the order of a day: each builds on those before. */
const day: readonly Write[] = [
  {
    operation: 'createPolicy',
    request: ['POST', '/v1/sr-policies', policy],
    status: 201,
    seen: [policyPath, { state: { status: 'up' } }],
  },
  {
    operation: 'putPolicy',
    request: [
      'PUT',
      policyPath,
      { ...policy, candidatePaths: [{ discriminator: 1, preference: 100, path: otherPath }] },
    ],
    status: 200,
    seen: [policyPath, { canRollBack: true, state: { status: 'up' } }],
  },
  {
    operation: 'rollBackPolicy',
    request: ['POST', `${policyPath}/roll-back`],
    status: 200,
    seen: [policyPath, { pinned: true }],
  },
  {
    operation: 'unpinPolicy',
    request: ['POST', `${policyPath}/unpin`],
    status: 200,
    seen: [policyPath, { pinned: false }],
  },
  { operation: 'pinPolicy', request: ['POST', `${policyPath}/pin`], status: 200, seen: [policyPath, { pinned: true }] },
  {
    operation: 'dryRun',
    request: ['POST', '/v1/dry-runs', { changes: [{ kind: 'policy-unpin', policyId: 'dc-amsterdam:7:dc-madrid' }] }],
    status: 200,
  },
  { operation: 'deletePolicy', request: ['DELETE', policyPath], status: 204, seen: [policyPath, null] },
  {
    operation: 'importTopology',
    request: ['POST', '/v1/topology/imports', { format: 'native', source: 'lab', content: lab }],
    status: 200,
    seen: ['/v1/nodes/lab-1', { effective: { kind: 'router' } }],
  },
  {
    operation: 'confirmPlannedSids',
    request: ['POST', '/v1/sid-confirmations', { nodes: ['lab-1'] }],
    status: 200,
    seen: ['/v1/nodes/lab-1', { effective: { locators: [{ origin: 'operator' }] } }],
  },
  {
    operation: 'setManyLinkConstraints',
    request: [
      'POST',
      '/v1/link-constraints/bulk',
      { mode: 'patch', changes: [{ link: 'UK:FR', constraints: { adminState: 'drained' } }] },
    ],
    status: 200,
    seen: ['/v1/links/UK:FR/constraints', { constraints: { adminState: 'drained' } }],
  },
  {
    operation: 'putLinkConstraints',
    request: ['PUT', '/v1/links/UK:FR/constraints', { delayUs: 25_000 }],
    status: 200,
    seen: ['/v1/links/UK:FR/constraints', { constraints: { delayUs: 25_000 } }],
  },
  {
    operation: 'patchLinkConstraints',
    request: ['PATCH', '/v1/links/UK:FR/constraints', { delayUs: 26_000 }],
    status: 200,
    seen: ['/v1/links/UK:FR/constraints', { constraints: { delayUs: 26_000 } }],
  },
  {
    operation: 'clearLinkConstraints',
    request: ['DELETE', '/v1/links/UK:FR/constraints'],
    status: 204,
    seen: ['/v1/links/UK:FR/constraints', { constraints: {} }],
  },
  {
    operation: 'putNodeConstraints',
    request: ['PUT', '/v1/nodes/lab-1/constraints', { msdHEncaps: 3 }],
    status: 200,
    seen: ['/v1/nodes/lab-1/constraints', { constraints: { msdHEncaps: 3 } }],
  },
  {
    operation: 'patchNodeConstraints',
    request: ['PATCH', '/v1/nodes/lab-1/constraints', { msdHEncaps: 4 }],
    status: 200,
    seen: ['/v1/nodes/lab-1/constraints', { constraints: { msdHEncaps: 4 } }],
  },
  {
    operation: 'clearNodeConstraints',
    request: ['DELETE', '/v1/nodes/lab-1/constraints'],
    status: 204,
    seen: ['/v1/nodes/lab-1/constraints', { constraints: {} }],
  },
  {
    operation: 'createMesh',
    request: ['POST', '/v1/meshes', mesh],
    status: 201,
    seen: ['/v1/sr-policies/dc-vienna:9:dc-madrid', { state: { status: 'up' } }],
  },
  {
    operation: 'putMesh',
    request: ['PUT', '/v1/meshes/three', { ...mesh, selector: { nodes: ['dc-amsterdam', 'dc-madrid'] } }],
    status: 200,
    seen: ['/v1/sr-policies/dc-vienna:9:dc-madrid', null],
  },
  { operation: 'deleteMesh', request: ['DELETE', '/v1/meshes/three'], status: 204, seen: ['/v1/meshes/three', null] },
  {
    operation: 'postSourceEvents',
    request: ['POST', '/v1/sources/igp/events', { sequence: 1, full: true, events: up }],
    status: 200,
    seen: ['/v1/sources/igp', { held: null }],
  },
  {
    operation: 'postSourceEvents',
    request: ['POST', '/v1/sources/igp/events', { sequence: 2, full: true, events: [] }],
    status: 200,
    seen: ['/v1/sources/igp', { held: {} }],
  },
  {
    operation: 'releaseSource',
    request: ['POST', '/v1/sources/igp/release', { decision: 'apply' }],
    status: 200,
    seen: ['/v1/sources/igp', { held: null }],
  },
  {
    operation: 'removeAgent',
    request: ['DELETE', '/v1/agents/dc-vienna'],
    status: 204,
    seen: ['/v1/agents/dc-vienna', null],
  },
  { operation: 'computePaths', request: ['POST', '/v1/path-computations', batch.requests[0]], status: 200 },
  {
    operation: 'computeDisjointPaths',
    request: [
      'POST',
      '/v1/disjoint-path-computations',
      {
        members: [
          { source: 'dc-london', destination: 'dc-athens', constraints: {} },
          { source: 'dc-amsterdam', destination: 'dc-vienna', constraints: {} },
        ],
        metric: 'delay',
        disjoint: ['link'],
      },
    ],
    status: 200,
  },
  {
    operation: 'proveSegmentList',
    request: [
      'POST',
      '/v1/proofs',
      { headend: 'dc-london', destination: 'dc-athens', sids: ['fcbb:bb00:8:1::', 'fcbb:bb00:2a:1::'] },
    ],
    status: 200,
  },
  { operation: 'createPathBatch', request: ['POST', '/v1/path-computation-batches', batch], status: 201 },
  { operation: 'deletePathBatch', request: ['DELETE', '/v1/path-computation-batches/two'], status: 204 },
  {
    operation: 'startFailureSweep',
    request: ['POST', '/v1/failure-sweeps', { id: 'one', kinds: ['site'] }],
    status: 202,
  },
  { operation: 'deleteFailureSweep', request: ['DELETE', '/v1/failure-sweeps/one'], status: 204 },
  {
    operation: 'createApiKey',
    request: ['POST', '/v1/api-keys', { name: 'alice', role: 'viewer' }],
    status: 201,
    seen: ['/v1/api-keys/alice', { role: 'viewer' }],
  },
  {
    operation: 'rotateApiKey',
    request: ['POST', '/v1/api-keys/alice/rotate', { graceSeconds: 0 }],
    status: 200,
    seen: ['/v1/api-keys/alice', { rotatedAt: expect.any(String) as string }],
  },
  {
    operation: 'deleteApiKey',
    request: ['DELETE', '/v1/api-keys/alice'],
    status: 204,
    seen: ['/v1/api-keys/alice', null],
  },
];

describe('a controller that does not lead', () => {
  let database: TestDatabase;
  let folder: string;
  let key: AdminKey;
  let leader: Controller;
  let follower: Controller;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'waymark-follower-'));
    key = writeAdminKey(folder);
    leader = await startControllerOn({ databaseUrl: database.url, key, folder }, 'controller-a');
    await eventually(() => expect(leader.services.controllers.leads).toBe(true), LONG_MS);
    follower = await startControllerOn({ databaseUrl: database.url, key, folder }, 'controller-b');
    await addSilentAgent(database.db, 'dc-vienna');
  }, 240_000);

  afterAll(async () => {
    await follower.stop();
    await leader.stop();
    await database.drop();
    await rm(folder, { recursive: true });
  }, 60_000);

  async function ask({ url }: Controller, method: string, target: string, body?: unknown) {
    const response = await fetch(`${url}${target}`, {
      method,
      headers: {
        ...key.headers,
        ...(method !== 'GET' && { 'if-match': '*' }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  it('has all operations that are no GET tried here', () => {
    const operations = Object.values(document.paths).flatMap((item) =>
      Object.entries(item as Record<string, { readonly operationId: string }>).flatMap(([method, { operationId }]) =>
        method === 'get' ? [] : operationId,
      ),
    );
    expect([...new Set(day.map(({ operation }) => operation))].sort()).toEqual(operations.sort());
  });

  it.each(day)(
    'takes $operation',
    async ({ request: [method, target, body], status, seen }) => {
      expect(follower.services.controllers.leads).toBe(false);
      expect(await ask(follower, method, target, body)).toMatchObject({ status });
      if (seen === undefined) return;
      const [resource, state] = seen;
      await eventually(async () => {
        const found = await ask(leader, 'GET', resource);
        expect(found).toMatchObject(state === null ? { status: 404 } : { status: 200, body: state });
      }, LONG_MS);
    },
    LONG_MS * 2,
  );

  it('keeps its own jobs, and another one that is asked for them says where they are', async () => {
    const made = await ask(follower, 'POST', '/v1/path-computation-batches', batch);
    expect(made).toMatchObject({ status: 201, body: { controller: 'controller-b' } });
    expect(await ask(leader, 'GET', '/v1/path-computation-batches/two')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('Jobs live in the controller that made them') as string },
    });
  });
});
