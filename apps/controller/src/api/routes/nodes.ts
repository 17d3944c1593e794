import { Type } from 'typebox';
import {
  NodeView,
  adminState,
  choice,
  nodeId,
  object,
  operationalState,
  pageOf,
  pageQuery,
  text,
} from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import { pageReply, pageRequest } from '../cursor.js';
import { json, problems, readProblems, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'nodes', keyPattern: /^[A-Za-z0-9._-]{1,63}$/ };
const NodePage = pageOf('NodePage', 'A page of nodes.', NodeView);

export function nodeRoutes(app: ApiApp, { topology }: Services): void {
  app.get(
    '/v1/nodes',
    {
      schema: {
        ...words(
          'Topology',
          'listNodes',
          'List nodes',
          'Effective values, where each came from, and what each layer says.',
        ),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          kind: Type.Optional(choice('Only routers, or only hosts.', ['router', 'host'], ['host'])),
          site: Type.Optional(text('Only nodes of this site.')),
          adminState: Type.Optional(adminState('Only nodes in this admin state.')),
          operationalState: Type.Optional(operationalState('Only nodes in this operational state.')),
        }),
        response: { 200: json(NodePage, 'A page of nodes, by id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await topology.nodes(filter, page));
    },
  );

  app.get(
    '/v1/nodes/:id',
    {
      schema: {
        ...words(
          'Topology',
          'getNode',
          'Get one node',
          'Effective values, where each came from, and what each layer says.',
        ),
        params: object(undefined, 'Which node.', { id: nodeId() }),
        response: { 200: json(NodeView, 'The node.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => topology.node(request.params.id),
  );
}
