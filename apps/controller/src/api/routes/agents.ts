import { Type } from 'typebox';
import { AgentView, DataPlaneView, choice, nodeId, object, pageOf, pageQuery, text } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { actorOf } from '../actor.js';
import { bodyProblems, empty, json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'agents', keyPattern: /^[A-Za-z0-9._-]{1,63}$/ };
const AgentPage = pageOf('AgentPage', 'A page of node agents.', AgentView);

export function agentRoutes(app: ApiApp, { agents }: Services): void {
  app.get(
    '/v1/agents',
    {
      schema: {
        ...words('Agents', 'listAgents', 'List node agents', 'What each should have, has accepted, and has installed.'),
        querystring: object(undefined, 'Page and filters.', {
          ...pageQuery,
          state: Type.Optional(choice('Only agents in this state.', ['connected', 'unknown'])),
          dataplane: Type.Optional(text('Only agents with this data plane.', 100, ['dry-run'])),
        }),
        response: { 200: json(AgentPage, 'A page of agents, by node id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await agents.agents(filter, page));
    },
  );

  app.get(
    '/v1/agents/:node',
    {
      schema: {
        ...words('Agents', 'getAgent', 'Get one node agent', 'What it should have, has accepted, and has installed.'),
        params: object(undefined, 'Which agent.', { node: nodeId('The headend it serves.') }),
        response: { 200: json(AgentView, 'The agent.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => agents.agent(request.params.node),
  );

  app.delete(
    '/v1/agents/:node',
    {
      schema: {
        ...words(
          'Agents',
          'removeAgent',
          'Remove an agent that is gone for good',
          'What it said of its node is withdrawn: its SIDs, which nobody else could own, its MSD. What waits for its word no ' +
            'longer does: bandwidth and binding SIDs of policies that were deleted. What its headend should hold stays wanted. ' +
            'An agent that comes back all the same says everything again.',
        ),
        params: object(undefined, 'Which agent.', { node: nodeId('The headend it served.') }),
        response: { 204: empty('Removed.'), ...problems(...bodyProblems, 'not-found', 'agent-connected') },
      },
    },
    async (request, reply) => {
      await agents.remove(request.params.node, actorOf(request));
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/agents/:node/data-plane',
    {
      schema: {
        ...words(
          'Agents',
          'getDataPlane',
          'Get how a data plane fares',
          'The newest report of its agent: version, interfaces, SIDs, and what an operator should know.',
        ),
        params: object(undefined, 'Which agent.', { node: nodeId('The headend it serves.') }),
        response: { 200: json(DataPlaneView, 'The data plane.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => agents.dataPlane(request.params.node),
  );
}
