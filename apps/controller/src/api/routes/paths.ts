import { PathAnswer, PathRequest, Proof, ProofRequest } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { bodyProblems, json, problems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const pathExamples = {
  lowestDelay: {
    summary: 'The path of lowest delay',
    value: { source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {} },
  },
  bounded: {
    summary: 'Lowest IGP metric with at most 40 ms and room for 2 Gbit/s',
    value: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'igp',
      constraints: { bounds: [{ metric: 'delay', max: 40_000 }], bandwidthBps: 2_000_000_000 },
    },
  },
  threePaths: {
    summary: 'The three best paths by delay',
    value: { source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {}, k: 3 },
  },
  nodeDisjoint: {
    summary: 'Two paths that share no node',
    value: { source: 'dc-london', destination: 'dc-athens', metric: 'delay', constraints: {}, disjoint: 'node' },
  },
  impossible: {
    summary: 'No path: a bound that light cannot meet',
    value: {
      source: 'dc-london',
      destination: 'dc-athens',
      metric: 'delay',
      constraints: { bounds: [{ metric: 'delay', max: 1000 }] },
    },
  },
};

const proofExamples = {
  shortest: {
    summary: 'The plain shortest path: only the service SID',
    value: { headend: 'dc-london', destination: 'dc-athens', sids: [] },
  },
};

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
          ...problems(...bodyProblems, 'node-unknown', 'link-unknown'),
        },
      },
    },
    (request) => {
      const { revision, ...path } = request.body;
      return paths.compute(path, revision);
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
          ...problems(...bodyProblems, 'node-unknown', 'link-unknown'),
        },
      },
    },
    (request) => paths.prove(request.body),
  );
}
