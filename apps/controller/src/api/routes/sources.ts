import { Type } from 'typebox';
import {
  ReleaseRequest,
  SourceBatch,
  SourceBatchResult,
  SourceView,
  choice,
  flag,
  object,
  pageOf,
  pageQuery,
  anySourceId,
  sourceId,
} from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { actorOf } from '../actor.js';
import { pageReply, pageRequest } from '../cursor.js';
import { bodyProblems, json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'sources', keyPattern: /^[A-Za-z0-9._:-]{1,100}$/ };
const SourcePage = pageOf('SourcePage', 'A page of sources.', SourceView);
const params = object(undefined, 'Which source.', { id: anySourceId() });
const eventParams = object(undefined, 'Which source.', { id: sourceId('Id of the source.', 'igp-reader') });

const eventExamples = {
  linkFails: {
    summary: 'First batch: an adjacency went down',
    value: {
      sequence: 1,
      full: false,
      events: [
        { kind: 'link-state', link: 'UK:FR', state: 'down' },
        { kind: 'link-state', link: 'FR:UK', state: 'down' },
      ],
    },
  },
  linkReturns: {
    summary: 'Second batch: it is back',
    value: {
      sequence: 2,
      full: false,
      events: [
        { kind: 'link-state', link: 'UK:FR', state: 'up' },
        { kind: 'link-state', link: 'FR:UK', state: 'up' },
      ],
    },
  },
  measured: {
    summary: 'Third batch: a link was measured',
    value: { sequence: 3, full: false, events: [{ kind: 'link-measurement', link: 'UK:FR', delayUs: 4200 }] },
  },
};

const releaseExamples = {
  discard: { summary: 'The batch was wrong: forget it', value: { decision: 'discard' } },
  apply: { summary: 'It is really so: believe it', value: { decision: 'apply' } },
};

export function sourceRoutes(app: ApiApp, { topology }: Services): void {
  app.get(
    '/v1/sources',
    {
      schema: {
        ...words(
          'Sources',
          'listSources',
          'List sources of topology',
          'Files, streams of events, agents, and clusters.',
        ),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          kind: Type.Optional(choice('Only sources of this kind.', ['file', 'events', 'agent', 'kubernetes'])),
          held: Type.Optional(flag('Only sources that wait for an operator, or only those that do not.')),
        }),
        response: { 200: json(SourcePage, 'A page of sources, by id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await topology.sources(filter, page));
    },
  );

  app.get(
    '/v1/sources/:id',
    {
      schema: {
        ...words('Sources', 'getSource', 'Get one source', 'Its last sequence, and whether it is held.'),
        params,
        response: { 200: json(SourceView, 'The source.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => topology.source(request.params.id),
  );

  app.post(
    '/v1/sources/:id/events',
    {
      bodyLimit: 33_554_432,
      config: { isLarge: true, document: { examples: eventExamples } },
      schema: {
        ...words(
          'Sources',
          'postSourceEvents',
          'Report events',
          'Batches are numbered and idempotent: repeating one changes nothing. The first batch of a new source has the ' +
            'sequence 1 and creates it; a source that has lost count (after a restart) asks for its last sequence first and ' +
            'goes on with a full batch. Where several sources speak of one attribute, the one that changed it last is ' +
            'believed. A source that says most of the network is gone is held, not believed.',
        ),
        params: eventParams,
        body: SourceBatch,
        response: {
          200: json(SourceBatchResult, 'What became of the batch.'),
          ...problems(
            ...bodyProblems,
            'node-unknown',
            'link-unknown',
            'source-kind-mismatch',
            'source-sequence-gap',
            'source-held',
            'sid-conflict',
          ),
        },
      },
    },
    (request) => topology.applySourceBatch(request.params.id, request.body, actorOf(request)),
  );

  app.post(
    '/v1/sources/:id/release',
    {
      config: { document: { examples: releaseExamples } },
      schema: {
        ...words(
          'Sources',
          'releaseSource',
          'Decide about a held source',
          'Believe the batch at which it was held, or forget it.',
        ),
        params: eventParams,
        body: ReleaseRequest,
        response: {
          200: json(SourceView, 'The source.'),
          ...problems(...bodyProblems, 'not-found', 'source-not-held'),
        },
      },
    },
    (request) => topology.releaseSource(request.params.id, request.body.decision, actorOf(request)),
  );
}
