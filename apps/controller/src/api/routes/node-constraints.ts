import { NodeConstraints, NodeSettings, nodeId, object } from '@waymark/http-contract';
import type { Services } from '../../model/ports.js';
import type { Actor, NodeConstraints as Constraints } from '../../model/topology.js';
import { actorOf } from '../actor.js';
import { etagOf, expectedVersion } from '../etag.js';
import { editProblems, empty, ifMatchHeader, mergePatch, problems, readProblems, tagged, words } from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const params = object(undefined, 'Which node.', { id: nodeId() });
const url = '/v1/nodes/:id/constraints';
const headers = ifMatchHeader;

const examples = {
  drain: { summary: 'Drain the node: nothing new, and policies move away', value: { adminState: 'drained' } },
  depth: { summary: 'At most three SRH entries', value: { msdHEncaps: 3 } },
};

interface Edit {
  readonly node: string;
  readonly constraints: Constraints;
  readonly mode: 'replace' | 'patch';
  readonly ifMatch: string | undefined;
  readonly actor: Actor;
}

export function nodeConstraintRoutes(app: ApiApp, { topology }: Services): void {
  async function edit({ ifMatch, ...change }: Edit) {
    const ifVersion = await expectedVersion(ifMatch, async () => (await topology.nodeConstraints(change.node)).version);
    return topology.setNodeConstraints({ ...change, ifVersion });
  }

  app.get(
    url,
    {
      schema: {
        ...words(
          'Constraints',
          'getNodeConstraints',
          'Get the constraints of a node',
          'Empty, with version 0, when nothing is set.',
        ),
        params,
        response: { 200: tagged(NodeSettings, 'The settings.'), ...problems(...readProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      const settings = await topology.nodeConstraints(request.params.id);
      return reply.header('etag', etagOf(settings.version)).send(settings);
    },
  );

  app.put(
    url,
    {
      config: { document: { headers, examples } },
      schema: {
        ...words(
          'Constraints',
          'putNodeConstraints',
          'Set the constraints of a node',
          'Replaces all of them: what is not named is cleared.',
        ),
        params,
        body: NodeConstraints,
        response: { 200: tagged(NodeSettings, 'The settings as written.'), ...problems(...editProblems) },
      },
    },
    async (request, reply) => {
      const settings = await edit({
        node: request.params.id,
        constraints: request.body,
        mode: 'replace',
        ifMatch: request.headers['if-match'],
        actor: actorOf(request),
      });
      return reply.header('etag', etagOf(settings.version)).send(settings);
    },
  );

  app.patch(
    url,
    {
      config: { document: { headers, examples } },
      schema: {
        ...words(
          'Constraints',
          'patchNodeConstraints',
          'Change some constraints of a node',
          'JSON merge patch (RFC 7396): what is not named stays, null clears.',
        ),
        params,
        body: mergePatch(NodeConstraints),
        response: { 200: tagged(NodeSettings, 'The settings as written.'), ...problems(...editProblems) },
      },
    },
    async (request, reply) => {
      const settings = await edit({
        node: request.params.id,
        constraints: request.body,
        mode: 'patch',
        ifMatch: request.headers['if-match'],
        actor: actorOf(request),
      });
      return reply.header('etag', etagOf(settings.version)).send(settings);
    },
  );

  app.delete(
    url,
    {
      config: { document: { headers } },
      schema: {
        ...words(
          'Constraints',
          'clearNodeConstraints',
          'Clear the constraints of a node',
          'It may be used again without limits.',
        ),
        params,
        response: { 204: empty('Cleared.'), ...problems(...editProblems) },
      },
    },
    async (request, reply) => {
      await edit({
        node: request.params.id,
        constraints: {},
        mode: 'replace',
        ifMatch: request.headers['if-match'],
        actor: actorOf(request),
      });
      return reply.code(204).send(null);
    },
  );
}
