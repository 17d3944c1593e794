import type { OpenApiDocument } from '../../contract/openapi-document.js';
import type { Random } from '../random.js';
import { httpCase, type HttpCase } from './http-case.js';
import { operationNamed } from './requests.js';

/*
 * Requests that fit their schema and contradict themselves, or name what is not there. The answer has to name the member
 * that was planted, by its pointer.
 */

interface Planted {
  readonly operationId: string;
  readonly url?: string;
  readonly body: unknown;
  readonly names: readonly string[];
}

type Plant = (random: Random) => Planted;

const hosts = ['dc-london', 'dc-athens', 'dc-madrid', 'dc-milan', 'dc-vienna', 'dc-amsterdam'] as const;
const routers = ['DE', 'FR', 'UK', 'NL', 'CH', 'AT', 'IT'] as const;
const links = ['UK:FR', 'FR:UK', 'NL:UK', 'DE:AT', 'NL:DE'] as const;

function pair(random: Random): readonly [string, string] {
  const source = random.pick(hosts);
  return [source, random.pick(hosts.filter((host) => host !== source))];
}

/** The same constraints in everything that takes constraints; `names` are pointers below them. */
function constrained(random: Random, constraints: object, below: readonly string[], more: object = {}): Planted {
  const [source, destination] = pair(random);
  return constrainedBetween(random, source, destination, constraints, below, more);
}

function constrainedBetween(
  random: Random,
  source: string,
  destination: string,
  constraints: object,
  below: readonly string[],
  more: object = {},
): Planted {
  const path = { kind: 'dynamic', metric: random.pick(['delay', 'igp', 'te']), constraints, ...more };
  const candidatePaths = [{ discriminator: 1, preference: 100, path }];
  const request = { source, destination, metric: 'delay', constraints, ...more };
  const named = (prefix: string): readonly string[] => below.map((pointer) => `${prefix}/constraints${pointer}`);
  const color = 5_000 + random.below(1_000);
  return random.pick<() => Planted>([
    () => ({ operationId: 'computePaths', body: request, names: named('') }),
    () => ({
      operationId: 'createPolicy',
      body: { headend: source, color, endpoint: destination, candidatePaths, fallback: 'drop' },
      names: named('/candidatePaths/0/path'),
    }),
    () => ({
      operationId: 'putPolicy',
      url: `/v1/sr-policies/${source}:${color}:${destination}`,
      body: { headend: source, color, endpoint: destination, candidatePaths, fallback: 'drop' },
      names: named('/candidatePaths/0/path'),
    }),
    () => ({
      operationId: 'dryRun',
      body: {
        changes: [
          {
            kind: 'policy-put',
            policy: { headend: source, color, endpoint: destination, candidatePaths, fallback: 'drop' },
          },
        ],
      },
      names: named('/changes/0/policy/candidatePaths/0/path'),
    }),
    ...('maxLists' in more || 'optional' in more
      ? []
      : [
          () => ({
            operationId: 'computeDisjointPaths',
            body: {
              members: [
                { source: 'dc-stockholm', destination: 'dc-vienna', constraints: {} },
                { source, destination, constraints },
              ],
              metric: 'delay',
              disjoint: ['link'],
            },
            names: named('/members/1'),
          }),
        ]),
  ])();
}

function policyWith(random: Random, members: object, names: readonly string[]): Planted {
  const [headend, endpoint] = pair(random);
  const candidatePaths = [
    { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
  ];
  const policy = {
    headend,
    color: 6_000 + random.below(1_000),
    endpoint,
    candidatePaths,
    fallback: 'drop',
    ...members,
  };
  return random.chance(0.5)
    ? { operationId: 'createPolicy', body: policy, names }
    : {
        operationId: 'dryRun',
        body: { changes: [{ kind: 'policy-put', policy }] },
        names: names.map((name) => `/changes/0/policy${name}`),
      };
}

function meshWith(random: Random, members: object, names: readonly string[]): Planted {
  const template = {
    candidatePaths: [
      { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
    ],
    fallback: 'drop',
  };
  const mesh = {
    id: `fuzz-${random.below(1_000)}`,
    color: 7_000 + random.below(1_000),
    selector: { nodes: ['dc-london', 'dc-athens'] },
    template,
    overrides: [],
    ...members,
  };
  return random.chance(0.5)
    ? { operationId: 'createMesh', body: mesh, names }
    : {
        operationId: 'dryRun',
        body: { changes: [{ kind: 'mesh-put', mesh }] },
        names: names.map((name) => `/changes/0/mesh${name}`),
      };
}

function sourceEvents(random: Random, events: readonly object[], names: readonly string[]): Planted {
  return {
    operationId: 'postSourceEvents',
    url: `/v1/sources/fuzz-${random.bits()}/events`,
    body: { sequence: 1, full: random.chance(0.5), events },
    names,
  };
}

const path = (discriminator: number, preference: number) => ({
  ...{ discriminator, preference, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
});

const plants: Readonly<Record<string, Plant>> = {
  'include and exclude a node': (random) => {
    const node = random.pick(routers);
    return constrained(random, { include: [{ node }], exclude: { nodes: ['CZ', node] } }, [
      '/include/0',
      '/exclude/nodes/1',
    ]);
  },
  'include and exclude a link': (random) => {
    const link = random.pick(links);
    return constrained(random, { include: [{ node: 'DE' }, { link }], exclude: { links: [link] } }, [
      '/include/1',
      '/exclude/links/0',
    ]);
  },
  'exclude an end': (random) => {
    const [source, destination] = pair(random);
    return constrainedBetween(
      random,
      source,
      destination,
      { exclude: { nodes: [random.pick([source, destination])] } },
      ['/exclude/nodes/0'],
    );
  },
  'affinities with and without': (random) => {
    const name = random.pick(['fibre', 'submarine']);
    const affinities = random.pick([
      { includeAll: [name], excludeAny: ['leased', name] },
      { includeAny: [name], excludeAny: [name] },
    ]);
    return constrained(random, { affinities }, [
      '/affinities/excludeAny',
      '/affinities/includeAll',
      '/affinities/includeAny',
    ]);
  },
  'two bounds of one metric': (random) =>
    constrained(
      random,
      {
        bounds: [
          { metric: 'delay', max: 50_000 },
          { metric: 'delay', max: 100 },
        ],
      },
      ['/bounds/1'],
    ),
  'include a missing node': (random) => constrained(random, { include: [{ node: 'nowhere' }] }, ['/include/0/node']),
  'exclude a missing link': (random) => constrained(random, { exclude: { links: ['no:where'] } }, ['/exclude/links/0']),
  'optional that is not there': (random) => {
    const made = constrained(random, {}, [], { optional: ['/constraints/bounds/7'] });
    return { ...made, names: ['/optional/0'] };
  },
  'lists without bandwidth': (random) => {
    const { body, ...rest } = constrained(random, {}, [], { maxLists: 3 });
    return { ...rest, body, names: ['maxLists', 'bandwidthBps'] };
  },
  'standby with missing node': (random) =>
    policyWith(
      random,
      {
        candidatePaths: [
          {
            ...path(1, 1),
            path: {
              kind: 'dynamic',
              metric: 'igp',
              constraints: {},
              standby: { disjoint: 'link', constraints: { exclude: { nodes: ['nowhere'] } } },
            },
          },
        ],
      },
      ['/candidatePaths/0/path/standby/constraints/exclude/nodes/0'],
    ),
  'two with one discriminator': (random) =>
    policyWith(random, { candidatePaths: [path(1, 1), path(1, 2)] }, ['/candidatePaths/1/discriminator']),
  'two with one preference': (random) =>
    policyWith(random, { candidatePaths: [path(1, 9), path(2, 9)] }, ['/candidatePaths/1/preference']),
  'hold below setup': (random) =>
    policyWith(random, { setupPriority: random.below(7), holdPriority: 7 }, ['/holdPriority']),
  'headend is endpoint': (random) => {
    const node = random.pick(hosts);
    return policyWith(random, { headend: node, endpoint: node }, ['/endpoint']);
  },
  'endpoint is missing': (random) => policyWith(random, { endpoint: 'nowhere' }, ['/endpoint']),
  'prefix with host bits': (random) =>
    policyWith(random, { steeredPrefixes: ['10.9.0.0/16', '10.9.0.1/16'] }, ['/steeredPrefixes/1']),
  'prefix twice in other words': (random) =>
    policyWith(random, { steeredPrefixes: ['2001:db8::/32', '2001:0DB8:0::/32'] }, ['/steeredPrefixes/1']),
  'prefix too long': (random) =>
    policyWith(random, { steeredPrefixes: [random.pick(['::/129', '10.0.0.0/33', '::/999'])] }, ['/steeredPrefixes/0']),
  'prefix mapped from IPv4': (random) =>
    policyWith(random, { steeredPrefixes: ['::ffff:10.0.0.0/104'] }, ['/steeredPrefixes/0']),
  'prefix that cannot be steered': (random) =>
    policyWith(
      random,
      {
        steeredPrefixes: [
          random.pick([
            'fe80::/10',
            'ff00::/8',
            'ff02::/16',
            '224.0.0.0/4',
            '127.0.0.0/8',
            '::1/128',
            '169.254.0.0/16',
          ]),
        ],
      },
      ['/steeredPrefixes/0'],
    ),
  'hand-written SID of IPv4': (random) =>
    policyWith(
      random,
      {
        candidatePaths: [
          { ...path(1, 1), path: { kind: 'explicit', segmentLists: [{ weight: 1, sids: ['10.0.0.1'] }] } },
        ],
      },
      ['/candidatePaths/0/path/segmentLists/0/sids/0'],
    ),
  'mesh of nothing': (random) => meshWith(random, { selector: {} }, ['/selector']),
  'mesh of a router': (random) => meshWith(random, { selector: { nodes: ['dc-london', 'DE'] } }, ['/selector/nodes/1']),
  'mesh of a missing node': (random) => meshWith(random, { selector: { nodes: ['nowhere'] } }, ['/selector/nodes/0']),
  'mesh overrides a pair twice': (random) => {
    const one = { headend: 'dc-london', endpoint: 'dc-athens', override: { fallback: 'drop' } };
    return meshWith(random, { overrides: [one, one] }, ['/overrides/1']);
  },
  'mesh overrides a node to itself': (random) =>
    meshWith(random, { overrides: [{ headend: 'dc-london', endpoint: 'dc-london', override: { fallback: 'drop' } }] }, [
      '/overrides/0',
    ]),
  'group of one': () => ({
    operationId: 'computeDisjointPaths',
    body: {
      members: [{ source: 'dc-london', destination: 'dc-athens', constraints: {} }],
      metric: 'delay',
      disjoint: ['node'],
    },
    names: ['/members'],
  }),
  'pair and several': (random) => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      coRouted: 'sum',
      ...random.pick([{ k: 2 }, { disjoint: 'node' }, { maxLists: 2 }]),
    },
    names: ['coRouted', 'maxLists', '/k', 'disjoint'],
  }),
  'too many disjoint paths': () => ({
    operationId: 'computePaths',
    body: { source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {}, k: 17, disjoint: 'link' },
    names: ['/k'],
  }),
  'overlay of a missing link': () => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: { down: { links: ['no:where'] } },
    },
    names: ['/overlay/down/links/0'],
  }),
  'overlay names a link twice': () => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: {
        links: [
          { link: 'UK:FR', delayUs: 1 },
          { link: 'UK:FR', delayUs: 2 },
        ],
      },
    },
    names: ['/overlay/links/1'],
  }),
  'overlay demand to itself': () => ({
    operationId: 'computePaths',
    body: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: { demands: [{ source: 'DE', destination: 'DE', bandwidthBps: 5 }] },
    },
    names: ['/overlay/demands/0'],
  }),
  'batch to a missing node': (random) => {
    const one = { source: 'dc-london', destination: 'dc-athens', metric: 'igp', constraints: {} };
    const requests = [one, { ...one, destination: 'nowhere' }];
    return {
      operationId: 'createPathBatch',
      body: { id: `fuzz-${random.bits()}`, kind: 'requests', requests },
      names: ['/requests/1/destination'],
    };
  },
  'bulk names a link twice': () => ({
    operationId: 'setManyLinkConstraints',
    body: {
      mode: 'patch',
      changes: [
        { link: 'UK:FR', constraints: { delayUs: 1 } },
        { link: 'UK:FR', constraints: { delayUs: 2 } },
      ],
    },
    names: ['/changes/1/link'],
  }),
  'bulk names a missing link': () => ({
    operationId: 'setManyLinkConstraints',
    body: {
      mode: 'replace',
      changes: [
        { link: 'UK:FR', constraints: { delayUs: 1 } },
        { link: 'no:where', constraints: {} },
      ],
    },
    names: ['/changes/1/link'],
  }),
  'confirm a missing node': () => ({
    operationId: 'confirmPlannedSids',
    body: { nodes: ['DE', 'nowhere'] },
    names: ['/nodes/1'],
  }),
  'events of a missing link': (random) =>
    sourceEvents(
      random,
      [
        { kind: 'link-state', link: 'UK:FR', state: 'up' },
        { kind: 'link-measurement', link: 'no:where', delayUs: 4 },
      ],
      ['/events/1/link'],
    ),
  'events of a missing node': (random) =>
    sourceEvents(
      random,
      [
        { kind: 'node-state', node: '__proto__x', state: 'up' },
        { kind: 'node-state', node: 'nowhere', state: 'up' },
      ],
      ['/events/1/node', '/events/0/node'],
    ),
  'delays out of order': (random) =>
    sourceEvents(
      random,
      [{ kind: 'link-measurement', link: 'UK:FR', delayMinUs: 900, delayUs: 5, delayMaxUs: 100 }],
      ['/events/0'],
    ),
  'service SID of another': (random) =>
    sourceEvents(
      random,
      [{ kind: 'service-sids', node: 'dc-london', sids: [{ sid: 'fcbb:bb00:1:1::', behavior: 'End.DT4' }] }],
      ['/events/0/sids/0/sid'],
    ),
  'service SID that is none': (random) =>
    sourceEvents(
      random,
      [
        {
          kind: 'service-sids',
          node: 'dc-london',
          sids: [
            {
              sid: random.pick(['fe80::4', 'ff02::1', '::', '::1', '10.0.0.1', 'fcbb:::1', '::ffff:1.2.3.4']),
              behavior: 'End.DT4',
            },
          ],
        },
      ],
      ['/events/0/sids/0/sid'],
    ),
  'service SID twice': (random) => {
    const one = { sid: 'fcbb:bb00:2f00::4', behavior: 'End.DT4' };
    return sourceEvents(
      random,
      [{ kind: 'service-sids', node: 'dc-london', sids: [one, { ...one, behavior: 'End.DT6' }] }],
      ['/events/0/sids/1'],
    );
  },
  'one service SID of two hosts': (random) => {
    const sids = [{ sid: 'fcbb:bb00:2f01::4', behavior: 'End.DT4' }];
    return sourceEvents(
      random,
      [
        { kind: 'service-sids', node: 'dc-london', sids },
        { kind: 'service-sids', node: 'dc-athens', sids },
      ],
      ['/events/1/sids/0', '/events/0/sids/0'],
    );
  },
  'a gap in the sequence': (random) => ({
    ...sourceEvents(random, [], ['/sequence']),
    body: { sequence: 2 + random.below(1_000_000), full: false, events: [] },
  }),
};

export const intentContradictions: readonly string[] = Object.keys(plants);

export function contradictoryIntent(document: OpenApiDocument, random: Random): HttpCase {
  const planted = random.pick(intentContradictions);
  const { operationId, url, body, names } = (plants[planted] as Plant)(random);
  const operation = operationNamed(document, operationId);
  const conditional = operationId === 'putPolicy' ? { 'if-none-match': '*' } : {};
  return httpCase({
    ...{ kind: `intent: ${planted}`, operation, method: operation.method, url: url ?? operation.path },
    ...{
      headers: { 'content-type': 'application/json', ...conditional },
      body: Buffer.from(JSON.stringify(body)),
      names,
    },
  });
}
