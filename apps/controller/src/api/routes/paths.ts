import { DisjointAnswer, DisjointRequest, PathAnswer, PathRequest, Proof, ProofRequest } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { bodyProblems, json, problems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const pathExamples = {
  leastDelay: {
    summary: 'The path of least delay from Madrid to Stockholm',
    value: { source: 'dc-madrid', destination: 'dc-stockholm', metric: 'delay', constraints: {} },
  },
  delayBoundOnFibre: {
    summary: 'Athens to London by IGP metric within 20 ms, over fibre and submarine links only',
    value: {
      source: 'dc-athens',
      destination: 'dc-london',
      metric: 'igp',
      constraints: {
        bounds: [{ metric: 'delay', max: 20_000 }],
        affinities: { includeAny: ['fibre', 'submarine'] },
      },
    },
  },
  sixGigabit: {
    summary: 'Room for 6 Gbit/s from Vienna to Athens',
    value: {
      source: 'dc-vienna',
      destination: 'dc-athens',
      metric: 'igp',
      constraints: { bandwidthBps: 6_000_000_000 },
    },
  },
  twoLists: {
    summary: '15 Gbit/s from Amsterdam to Athens, which no path carries alone, over two weighted lists',
    value: {
      source: 'dc-amsterdam',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: { bandwidthBps: 15_000_000_000 },
      maxLists: 2,
    },
  },
  threeAlternatives: {
    summary: 'The three best paths by TE metric from London to Milan',
    value: { source: 'dc-london', destination: 'dc-milan', metric: 'te', constraints: {}, k: 3 },
  },
  nodeDisjoint: {
    summary: 'Two paths from Amsterdam to Milan that share no router',
    value: { source: 'dc-amsterdam', destination: 'dc-milan', metric: 'delay', constraints: {}, disjoint: 'node' },
  },
  threeDisjoint: {
    summary: 'Three paths from Frankfurt to Madrid that share neither a router nor a duct',
    value: {
      source: 'dc-frankfurt',
      destination: 'dc-madrid',
      metric: 'delay',
      constraints: {},
      disjoint: ['node', 'srlg'],
      k: 3,
    },
  },
  coRouted: {
    summary: 'There and back over the same links, with room for 2 Gbit/s in each direction',
    value: {
      source: 'dc-london',
      destination: 'dc-vienna',
      metric: 'delay',
      constraints: { bandwidthBps: 2_000_000_000 },
      coRouted: 'sum',
    },
  },
  protectedPath: {
    summary:
      'London to Athens within 20 ms, with a standby that shares no router and the repairs of routers on the way',
    value: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'igp',
      constraints: { bounds: [{ metric: 'delay', max: 20_000 }] },
      protection: { standby: { disjoint: 'node' }, detours: ['link', 'node'] },
    },
  },
  avoidSharedRisk: {
    summary: 'Madrid to Frankfurt without the ducts across the Pyrenees, for IPv6 only',
    value: {
      source: 'dc-madrid',
      destination: 'dc-frankfurt',
      metric: 'igp',
      constraints: { exclude: { srlgs: [105] } },
      families: ['ipv6'],
    },
  },
  linkFails: {
    summary: 'What if this link fails, and another is twice as long?',
    value: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: {},
      overlay: { down: { links: ['UK:FR'] }, links: [{ link: 'NL:DE', delayUs: 9000 }] },
    },
  },
  impossibleDelay: {
    summary: 'Less delay than light allows: no path, and the nearest feasible value',
    value: {
      source: 'dc-madrid',
      destination: 'dc-athens',
      metric: 'igp',
      constraints: { bounds: [{ metric: 'delay', max: 1000 }] },
    },
  },
};

const proofExamples = {
  overFrankfurt: {
    summary: 'London to Athens over Frankfurt, ending in the IPv4 service SID of Athens',
    value: { headend: 'dc-london', destination: 'dc-athens', sids: ['fcbb:bb00:8:1::', 'fcbb:bb00:2a:1::'] },
  },
  bounded: {
    summary: 'The same, held against a bound of 10 ms: a violation',
    value: {
      headend: 'dc-london',
      destination: 'dc-athens',
      sids: ['fcbb:bb00:8:1::', 'fcbb:bb00:2a:1::'],
      constraints: { bounds: [{ metric: 'delay', max: 10_000 }] },
    },
  },
};

const disjointExamples = {
  twoServices: {
    summary: 'London to Athens and Amsterdam to Vienna, without a router or duct in common; one within a bound',
    value: {
      members: [
        { source: 'dc-london', destination: 'dc-athens', constraints: { bounds: [{ metric: 'delay', max: 20_000 }] } },
        { source: 'dc-amsterdam', destination: 'dc-vienna', constraints: {} },
      ],
      metric: 'delay',
      disjoint: ['node', 'srlg'],
    },
  },
  primaryAndSpare: {
    summary: 'A wide primary and a narrow spare path, whose worse delay is as good as can be',
    value: {
      members: [
        { source: 'dc-vienna', destination: 'dc-madrid', constraints: { bandwidthBps: 6_000_000_000 } },
        { source: 'dc-vienna', destination: 'dc-madrid', constraints: { bandwidthBps: 1_000_000_000 } },
      ],
      metric: 'delay',
      disjoint: ['node'],
      objective: 'worst',
    },
  },
  disjointIfPossible: {
    summary:
      'Two paths to Lisbon, disjoint if possible, but first of all within 9 ms each; ahead of policies of low priority',
    value: {
      members: [
        {
          source: 'dc-london',
          destination: 'PT',
          constraints: { bounds: [{ metric: 'delay', max: 9_000 }] },
          families: [],
        },
        {
          source: 'dc-london',
          destination: 'PT',
          constraints: { bounds: [{ metric: 'delay', max: 9_000 }] },
          families: [],
        },
      ],
      metric: 'delay',
      disjoint: ['node'],
      optional: ['/members/0/constraints/bounds/0', '/members/1/constraints/bounds/0', '/disjoint'],
      setupPriority: 3,
    },
  },
  asFarAsPossible: {
    summary: 'Two paths to Lisbon, where a strict request would fail: the strongest level there is',
    value: {
      members: [
        { source: 'dc-london', destination: 'PT', constraints: {}, families: [] },
        { source: 'dc-london', destination: 'PT', constraints: {}, families: [] },
        { source: 'dc-london', destination: 'PT', constraints: {}, families: [] },
      ],
      metric: 'igp',
      disjoint: ['node', 'srlg'],
      mode: 'relaxed',
    },
  },
};

const computationProblems = ['node-unknown', 'link-unknown', 'not-found', 'revision-pruned', 'overloaded'] as const;

export function pathRoutes(app: ApiApp, { paths }: Services): void {
  app.post(
    '/v1/path-computations',
    {
      config: { document: { examples: pathExamples } },
      schema: {
        ...words(
          'Paths',
          'computePaths',
          'Compute paths',
          'Pure: changes nothing, and the same request at the same revision gives the same answer. A path that does not ' +
            'exist is an answer with status `no-path`, its reason, and what would make it feasible.',
        ),
        body: PathRequest,
        response: {
          200: json(PathAnswer, 'Paths, or why there is none.'),
          ...problems(...bodyProblems, ...computationProblems),
        },
      },
    },
    (request) => {
      const { revision, overlay, ...path } = request.body;
      return paths.compute(path, revision, overlay, request.abandoned);
    },
  );

  app.post(
    '/v1/disjoint-path-computations',
    {
      config: { document: { examples: disjointExamples } },
      schema: {
        ...words(
          'Paths',
          'computeDisjointPaths',
          'Compute disjoint paths',
          'Paths for a group of requests that share no link, node, SRLG or site, each with constraints of its own; or, when ' +
            'relaxed, those of the strongest weaker level. Pure: changes nothing. Impossible is an answer with the cut that ' +
            'proves it.',
        ),
        body: DisjointRequest,
        response: {
          200: json(DisjointAnswer, 'Paths, or why there are none.'),
          ...problems(...bodyProblems, ...computationProblems),
        },
      },
    },
    (request) => {
      const { revision, overlay, ...group } = request.body;
      return paths.computeDisjoint(group, revision, overlay, request.abandoned);
    },
  );

  app.post(
    '/v1/proofs',
    {
      config: { document: { examples: proofExamples } },
      schema: {
        ...words(
          'Paths',
          'proveSegmentList',
          'Prove a segment list',
          'Walks a hand-written list through the shortest paths of the IGP, over every ECMP branch, and holds each against ' +
            'the constraints. Pure: changes nothing.',
        ),
        body: ProofRequest,
        response: {
          200: json(Proof, 'Whether it holds, and if not why.'),
          ...problems(...bodyProblems, ...computationProblems),
        },
      },
    },
    (request) => paths.prove(request.body, request.abandoned),
  );
}
