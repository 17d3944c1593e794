import { SidConfirmation, SidConfirmationRequest } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { actorOf } from '../actor.js';
import { bodyProblems, json, problems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const examples = {
  some: { summary: 'The routers in London and Paris', value: { nodes: ['UK', 'FR'] } },
  all: { summary: 'Every node', value: { all: true } },
};

export function sidConfirmationRoutes(app: ApiApp, { topology }: Services): void {
  app.post(
    '/v1/sid-confirmations',
    {
      config: { document: { examples } },
      schema: {
        ...words(
          'Constraints',
          'confirmPlannedSids',
          'Confirm planned SIDs',
          'SIDs and locators that the SID plan filled in are never installed on a real data plane until an operator says ' +
            'that the routers really have them. Idempotent: repeating it changes nothing.',
        ),
        body: SidConfirmationRequest,
        response: {
          200: json(SidConfirmation, 'What was confirmed.'),
          ...problems(...bodyProblems, 'node-unknown', 'sid-conflict'),
        },
      },
    },
    (request) => topology.confirmPlannedSids('all' in request.body ? 'all' : request.body.nodes, actorOf(request)),
  );
}
