import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import document from '../../openapi/openapi.json' with { type: 'json' };
import { readConfig } from '../../apps/controller/src/config.js';
import { startController, type Controller } from '../../apps/controller/src/controller.js';
import { writeAdminKey, type AdminKey } from '../../apps/controller/src/testing/admin-key.js';
import { createTestDatabase, type TestDatabase } from '../../apps/controller/src/testing/test-database.js';
import { breach, send } from './check-response.js';
import { requestsFor, type ContractRequest } from './generate-requests.js';
import { OpenApiDocument, type Operation } from './openapi-document.js';

/*
 * The committed OpenAPI document against a whole controller with its demo: real Postgres, real workers, real agents.
 * WAYMARK_CONTRACT_RUNS sets the number of requests per operation.
 */
const runs = Number(process.env['WAYMARK_CONTRACT_RUNS'] ?? 40);
const contract = new OpenApiDocument(document);

let database: TestDatabase;
let folder: string;
let key: AdminKey;
let controller: Controller;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'waymark-contract-'));
  key = writeAdminKey(folder);
  const config = readConfig({
    DATABASE_URL: database.url,
    // requests without a good key are what is tried here
    WAYMARK_RATE_LIMIT: '0',
    WAYMARK_RATE_LIMIT_REFUSED: '0',
    ...key.settings,
    WAYMARK_DEMO: 'on',
    WAYMARK_HTTP_PORT: '0',
    WAYMARK_GRPC_PORT: '0',
    WAYMARK_DATA_DIR: folder,
    WAYMARK_WORKERS: '1',
  });
  controller = await startController(config, pino({ level: process.env['WAYMARK_LOG_LEVEL'] ?? 'silent' }));
}, 120_000);

afterAll(async () => {
  await controller.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** As an admin, unless the request says otherwise. */
function ask(request: ContractRequest) {
  return send(controller.url, { ...request, headers: { ...key.headers, ...request.headers } });
}

function operation(id: string): Operation {
  const found = contract.operations.find(({ operationId }) => operationId === id);
  if (found === undefined) throw new Error(`there is no operation ${id}`);
  return found;
}

interface ExampleRequest {
  readonly name: string;
  readonly operation: Operation;
  readonly type?: string;
  readonly body?: unknown;
}

/** Every example of an operation: what Swagger UI sends when someone presses Execute without changing anything. */
function examplesOf(id: string): readonly ExampleRequest[] {
  const found = operation(id);
  const bodies = Object.entries(found.requestBody?.content ?? {}).flatMap(([type, media]) =>
    Object.entries(media.examples ?? {}).map(([name, { value }]) => ({
      name: `${id}: ${name} as ${type}`,
      operation: found,
      type,
      body: value,
    })),
  );
  return bodies.length === 0 ? [{ name: id, operation: found }] : bodies;
}

function sendExample({ operation: { method, path, parameters }, type, body }: ExampleRequest) {
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const url = inPath.reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), path);
  const inHeader = parameters.filter((parameter) => parameter.in === 'header' && parameter.example !== undefined);
  const headers = Object.fromEntries(inHeader.map(({ name, example }) => [name, String(example)]));
  if (type === undefined) return ask({ method, url, headers });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask({ method, url, headers: { ...headers, 'content-type': type }, body: text });
}

// In an order in which each finds what it is about.
const inOrder = [
  ...[
    'getHealth',
    'getReadiness',
    'getMetrics',
    'getTopology',
    'importTopology',
    'exportTopology',
    'listChanges',
    'getChange',
  ],
  ...[
    'listNodes',
    'getNode',
    'listLinks',
    'getLink',
    'getLinkConstraints',
    'getNodeConstraints',
    'listLinkConstraints',
  ],
  ...[
    'computePaths',
    'computeDisjointPaths',
    'proveSegmentList',
    'createPathBatch',
    'getPathBatch',
    'listPathBatchAnswers',
    'followPathBatch',
    'deletePathBatch',
    'createPolicy',
    'getPolicy',
    'predictPolicyDetours',
    'listPolicies',
    'createMesh',
    'getMesh',
    'listMeshes',
  ],
  ...['dryRun', 'setManyLinkConstraints', 'putLinkConstraints', 'patchLinkConstraints', 'clearLinkConstraints'],
  ...['startFailureSweep', 'readFailureSweep', 'listSweptFailures', 'listPoliciesAtRisk', 'deleteFailureSweep'],
  ...['putNodeConstraints', 'patchNodeConstraints', 'clearNodeConstraints', 'confirmPlannedSids'],
  ...[
    'postSourceEvents',
    'getSource',
    'listSources',
    'releaseSource',
    'listClusters',
    'listControllers',
    'listServiceClasses',
    'listAgents',
    'getAgent',
    'getDataPlane',
    'removeAgent',
    'streamEvents',
  ],
  ...['createApiKey', 'listApiKeys', 'getApiKey', 'rotateApiKey', 'deleteApiKey', 'listAudit'],
  ...['pinPolicy', 'unpinPolicy', 'putPolicy', 'rollBackPolicy', 'putMesh', 'deletePolicy', 'deleteMesh'],
];

/**
 * Examples that are refused while nothing has happened that they could be about. Whether the policy moved while the link of
 * the source events was down depends on how soon the next event brought it back.
 */
const refusals: Readonly<Record<string, readonly number[]>> = {
  releaseSource: [409],
  removeAgent: [409],
  rollBackPolicy: [200, 409],
};

describe('the examples of the document on the demo', () => {
  it('are those of every operation', () => {
    expect(inOrder.toSorted()).toEqual(contract.operations.map(({ operationId }) => operationId).toSorted());
  });

  it.each(inOrder.flatMap((id) => examplesOf(id)))('$name', async (example) => {
    if (example.operation.operationId === 'pinPolicy') await policyIsComputed();
    const response = await sendExample(example);
    expect(breach(contract, example.operation, response)).toBeUndefined();
    const expected = refusals[example.operation.operationId];
    if (expected === undefined) expect(response.status, response.text).toBeLessThan(300);
    else expect(expected).toContain(response.status);
  });

  async function policyIsComputed() {
    const state = async () => {
      const { text } = await ask({
        method: 'GET',
        url: '/v1/sr-policies/dc-london:100:dc-athens',
        headers: {},
      });
      return (JSON.parse(text) as { readonly state: unknown }).state;
    };
    await expect.poll(state, { timeout: 20_000 }).not.toBeNull();
  }
});

describe('any request', () => {
  it.each(contract.operations)(
    '$method $path is answered as documented',
    async (one) => {
      await fc.assert(
        fc.asyncProperty(requestsFor(contract, one), async (request) => {
          expect(breach(contract, one, await ask(request))).toBeUndefined();
        }),
        // what is wrong with one request is plain enough; shrinking would send hundreds
        { numRuns: runs, endOnFailure: true },
      );
    },
    300_000,
  );

  it('leaves a controller that is ready', async () => {
    const response = await ask({ method: 'GET', url: '/readyz', headers: {} });
    expect(response.status).toBe(200);
  });
});
