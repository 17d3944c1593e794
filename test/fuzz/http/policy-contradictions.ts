import type { Random } from '../random.js';
import { hosts, pair, type Plant, type Planted } from './planted.js';

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

const path = (discriminator: number, preference: number) => ({
  ...{ discriminator, preference, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
});

/** Policies and meshes that contradict themselves. */
export const policyContradictions: Readonly<Record<string, Plant>> = {
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
};
