import { BatchItem, PathBatch, PathBatchView, jobId, object, pageOf, pageQuery } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { bodyProblems, empty, json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'path-batch-answers', keyPattern: /^(0|[1-9][0-9]{0,8})$/ };
const BatchPage = pageOf('BatchPage', 'A page of answers.', BatchItem);
const params = object(undefined, 'Which batch.', { id: jobId('Id of the batch.', 'evening') });
const url = '/v1/path-computation-batches';

const sixGigabit = (source: string) => ({
  source,
  destination: 'dc-athens',
  metric: 'delay',
  constraints: { bandwidthBps: 6_000_000_000 },
});

const examples = {
  sharingBandwidth: {
    summary: '6 Gbit/s from each of three sites to Athens, that must fit together',
    value: {
      kind: 'requests',
      id: 'evening',
      synchronised: true,
      requests: ['dc-london', 'dc-vienna', 'dc-milan'].map(sixGigabit),
    },
  },
  eachAlone: {
    summary: 'Two unrelated requests in one call',
    value: {
      kind: 'requests',
      id: 'two-requests',
      requests: [
        { source: 'dc-madrid', destination: 'dc-stockholm', metric: 'delay', constraints: {} },
        { source: 'dc-london', destination: 'dc-milan', metric: 'te', constraints: {}, k: 3 },
      ],
    },
  },
  allPairs: {
    summary: 'All pairs of four sites, within 40 ms',
    value: {
      kind: 'mesh',
      id: 'four-sites',
      sources: ['dc-athens', 'dc-london', 'dc-madrid', 'dc-vienna'],
      metric: 'delay',
      constraints: { bounds: [{ metric: 'delay', max: 40_000 }] },
    },
  },
};

export function pathBatchRoutes(app: ApiApp, { pathBatches }: Services): void {
  app.post(
    url,
    {
      bodyLimit: 16_777_216,
      config: { isLarge: true, document: { examples } },
      schema: {
        ...words(
          'Paths',
          'createPathBatch',
          'Compute many paths',
          'A list of requests, or one request between many nodes, in the background. All answers hold for one revision. The ' +
            'client chooses the id; asking for the same again gives the batch that there is. A batch lives in the memory of the ' +
            'controller that made it, until an hour after its end: no other controller knows it.',
        ),
        body: PathBatch,
        response: {
          201: {
            ...json(PathBatchView, 'Begun, or waiting for others.'),
            headers: { Location: { type: 'string', description: 'Path of the resource.' } },
          },
          ...problems(
            ...bodyProblems,
            'node-unknown',
            'link-unknown',
            'not-found',
            'revision-pruned',
            'already-exists',
            'overloaded',
          ),
        },
      },
    },
    async (request, reply) => {
      const batch = await pathBatches.create(request.body);
      return reply.code(201).header('location', `${url}/${batch.id}`).send(batch);
    },
  );

  app.get(
    `${url}/:id`,
    {
      schema: {
        ...words('Paths', 'getPathBatch', 'Get a batch', 'How far it is.'),
        params,
        response: { 200: json(PathBatchView, 'The batch.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => Promise.resolve(pathBatches.batch(request.params.id)),
  );

  app.get(
    `${url}/:id/answers`,
    {
      schema: {
        ...words(
          'Paths',
          'listPathBatchAnswers',
          'List the answers of a batch',
          'In the order of the requests, or of the sources and for each of the destinations. They can be read while the batch ' +
            'runs: `next` is null only when no more will come, and a page may be empty because the next answer is not there yet.',
        ),
        params,
        querystring: object(undefined, 'Page.', pageQuery),
        response: { 200: json(BatchPage, 'A page of answers.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => {
      const { page } = pageRequest(listing, request.query);
      return Promise.resolve(pageReply(listing, pathBatches.answers(request.params.id, page)));
    },
  );

  app.delete(
    `${url}/:id`,
    {
      schema: {
        ...words('Paths', 'deletePathBatch', 'Cancel or forget a batch', 'Its answers go with it.'),
        params,
        response: { 204: empty('Gone.'), ...problems(...bodyProblems, 'not-found') },
      },
    },
    (request, reply) => {
      pathBatches.delete(request.params.id);
      return reply.code(204).send(null);
    },
  );
}
