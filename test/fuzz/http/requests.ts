import type { OpenApiDocument, Operation } from '../../contract/openapi-document.js';
import type { Random } from '../random.js';

/** Ids that exist on the filled system, by the name of the parameter that takes them; others have an example. */
const known: Readonly<Record<string, readonly string[]>> = {
  'getNode id': ['DE', 'dc-london'],
  'getMesh id': ['fuzz-mesh'],
  'putMesh id': ['fuzz-mesh'],
  'deleteMesh id': ['fuzz-mesh'],
  'getPathBatch id': ['fuzz-batch'],
  'listPathBatchAnswers id': ['fuzz-batch'],
  'followPathBatch id': ['fuzz-batch'],
  'readFailureSweep id': ['fuzz-sweep'],
  'listSweptFailures id': ['fuzz-sweep'],
  'listPoliciesAtRisk id': ['fuzz-sweep'],
  'getApiKey name': ['fuzz-key'],
  'rotateApiKey name': ['fuzz-key'],
  'deleteApiKey name': ['fuzz-key'],
};

/** A request to an operation whose path parameters are all right. */
export function urlOf(random: Random, operation: Operation): string {
  return operation.parameters
    .filter(({ in: place }) => place === 'path')
    .reduce(
      (url, { name, example }) =>
        url.replace(`{${name}}`, encodeURIComponent(knownValue(random, operation, name, example))),
      operation.path,
    );
}

function knownValue(random: Random, operation: Operation, name: string, example: string | number | undefined): string {
  const values = known[`${operation.operationId} ${name}`];
  return values === undefined ? String(example ?? 'a') : random.pick(values);
}

export interface SeedBody {
  readonly type: string;
  readonly value: unknown;
}

const constraints = {
  bounds: [
    { metric: 'delay', max: 40_000 },
    { metric: 'loss', max: 1_000 },
  ],
  bandwidthBps: 1_000_000,
  affinities: { includeAny: ['fibre', 'submarine'], excludeAny: ['microwave'] },
  exclude: { nodes: ['CZ'], links: ['UK:FR'], srlgs: [102], sites: ['Sofia (BG)'] },
  include: [{ node: 'DE', hop: 'loose' }, { link: 'DE:AT' }],
};

const dynamic = {
  discriminator: 1,
  preference: 100,
  name: 'first',
  path: {
    kind: 'dynamic',
    metric: 'delay',
    constraints,
    maxSegments: 6,
    optional: ['/constraints/bounds/1'],
    standby: { disjoint: ['node', 'srlg'], mode: 'relaxed', constraints: { exclude: { nodes: ['CZ'] } } },
  },
};
const explicit = {
  discriminator: 2,
  preference: 50,
  path: {
    kind: 'explicit',
    segmentLists: [
      { weight: 2, sids: ['fcbb:bb00:8:1::'] },
      { weight: 1, sids: [] },
    ],
    constraints: { bounds: [{ metric: 'hop', max: 12 }] },
  },
};
const policy = (color: number) => ({
  headend: 'dc-london',
  color,
  endpoint: 'dc-athens',
  name: 'London to Athens',
  steeredPrefixes: ['10.77.0.0/16', '2001:db8:77::/48'],
  candidatePaths: [dynamic, explicit],
  fallback: 'shortest-path',
  setupPriority: 5,
  holdPriority: 4,
});
const overlay = {
  down: { links: ['UK:FR'], nodes: ['CZ'], srlgs: [102] },
  links: [{ link: 'NL:DE', delayUs: 9_000, reservableBandwidthBps: 1_000_000_000 }],
};
const request = {
  source: 'dc-london',
  destination: 'dc-athens',
  metric: 'igp',
  constraints,
  families: ['ipv4'],
  maxSegments: 8,
  setupPriority: 3,
  optional: ['/constraints/bounds/0'],
  overlay,
  protection: { standby: { disjoint: 'node' }, detours: ['link'] },
};

/** Bodies that say all that an operation can be told; with the examples of the document they are what is mutated. */
const rich: Readonly<Record<string, readonly unknown[]>> = {
  computePaths: [request, { ...request, optional: [], protection: undefined, k: 3, disjoint: ['link', 'srlg'] }],
  createPolicy: [policy(777)],
  putPolicy: [policy(100)],
  createMesh: [
    {
      ...{
        id: 'fuzz-made',
        color: 778,
        selector: { nodes: ['dc-london', 'dc-athens', 'dc-madrid'], sites: ['London'] },
      },
      template: { candidatePaths: [dynamic], fallback: 'drop', setupPriority: 7 },
      overrides: [
        { headend: 'dc-london', endpoint: 'dc-athens', override: { candidatePaths: [explicit], holdPriority: 7 } },
      ],
    },
  ],
  dryRun: [
    {
      changes: [
        { kind: 'link-state', link: 'NL:UK', state: 'down' },
        { kind: 'node-constraints', node: 'DE', constraints: { adminState: 'drained', msdHEncaps: 4 } },
        {
          kind: 'link-constraints',
          link: 'UK:FR',
          constraints: { delayUs: 9_000, affinities: ['submarine'], srlgs: [7] },
        },
      ],
      overlay,
    },
  ],
  putLinkConstraints: [
    {
      ...{
        adminState: 'up',
        teMetric: 10,
        delayUs: 2_000,
        delayVariationUs: 10,
        lossPpm: 5,
        affinities: ['fibre'],
        srlgs: [1, 2],
      },
      ...{ bandwidthBps: 10_000_000_000, reservableBandwidthBps: 8_000_000_000 },
    },
  ],
  postSourceEvents: [
    {
      ...{ sequence: 1, full: false },
      events: [
        { kind: 'link-state', link: 'CZ:DE', state: 'up' },
        { kind: 'node-state', node: 'CZ', state: 'up' },
        { kind: 'link-igp-metric', link: 'CZ:DE', igpMetric: 30 },
        {
          kind: 'link-measurement',
          link: 'CZ:DE',
          delayUs: 500,
          delayMinUs: 400,
          delayMaxUs: 900,
          delayVariationUs: 3,
          lossPpm: 1,
          bandwidthBps: 1_000_000_000,
        },
        { kind: 'service-sids', node: 'dc-london', sids: [{ sid: 'fcbb:bb00:f00::1', behavior: 'End.DT4' }] },
      ],
    },
  ],
};

/** Every documented and rich body of an operation; empty where it takes none. */
export function seedBodies(operation: Operation): readonly SeedBody[] {
  const content = Object.entries(operation.requestBody?.content ?? {});
  const documented = content.flatMap(([type, { examples = {} }]) =>
    Object.values(examples).map(({ value }) => ({ type, value })),
  );
  const type = content.find(([name]) => name.endsWith('json'))?.[0];
  const added = type === undefined ? [] : (rich[operation.operationId] ?? []).map((value) => ({ type, value }));
  return [...documented, ...added];
}

/** What the operation is asked with besides its path and body. */
export function usualHeaders(operation: Operation, body: SeedBody | undefined): Readonly<Record<string, string>> {
  const conditional = operation.parameters.some(({ name }) => name === 'If-Match');
  return { ...(conditional ? { 'if-match': '*' } : {}), ...(body === undefined ? {} : { 'content-type': body.type }) };
}

export function operationNamed(document: OpenApiDocument, id: string): Operation {
  const found = document.operations.find(({ operationId }) => operationId === id);
  if (found === undefined) throw new Error(`there is no operation ${id}`);
  return found;
}
