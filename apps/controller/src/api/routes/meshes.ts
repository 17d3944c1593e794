import { Type } from 'typebox';
import { MeshIntent, MeshView, choice, color, meshId, nodeId, object, pageOf, pageQuery } from '@waymark/http-contract';
import { Problem } from '../../model/errors.js';
import type { Services } from '../../model/ports.js';
import { actorOf } from '../actor.js';
import { asFailedPrecondition, createsOnly, etagOf, expectedVersion } from '../etag.js';
import { pageReply, pageRequest } from '../cursor.js';
import {
  bodyProblems,
  created,
  createOrReplaceHeaders,
  editProblems,
  empty,
  ifMatchHeader,
  json,
  problems,
  readProblems,
  tagged,
  words,
} from '../operation.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'meshes', keyPattern: /^[A-Za-z0-9._-]{1,63}$/ };
const MeshPage = pageOf('MeshPage', 'A page of meshes.', MeshView);
const params = object(undefined, 'Which mesh.', { id: meshId() });
const url = '/v1/meshes/:id';

const examples = {
  everyPair: {
    summary: 'Every pair of hosts over the path of lowest delay',
    value: {
      id: 'all-hosts',
      color: 200,
      selector: { all: true },
      template: {
        candidatePaths: [
          { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'delay', constraints: {} } },
        ],
        fallback: 'shortest-path',
      },
      overrides: [],
    },
  },
};

const intentProblems = [
  'already-exists',
  'node-unknown',
  'link-unknown',
  'prefix-claimed',
  'affinity-overflow',
] as const;

export function meshRoutes(app: ApiApp, { policies }: Services): void {
  const currentVersion = (id: string) => async () => (await policies.mesh(id)).version;

  app.get(
    '/v1/meshes',
    {
      schema: {
        ...words('Meshes', 'listMeshes', 'List meshes', 'Intent, and how their policies do.'),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          color: Type.Optional(color('Only meshes of this color.')),
          node: Type.Optional(nodeId('Only meshes with a policy from or to this host.')),
          status: Type.Optional(
            choice('Only meshes with at least one policy in this status.', ['up', 'fallback', 'down']),
          ),
        }),
        response: { 200: json(MeshPage, 'A page of meshes, by id.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await policies.meshes(filter, page));
    },
  );

  app.post(
    '/v1/meshes',
    {
      config: { document: { examples } },
      schema: {
        ...words(
          'Meshes',
          'createMesh',
          'Create a mesh',
          'The key is its id. Repeating the request is safe: it writes nothing and gets the same answer. Another intent under ' +
            'the same id is refused with `already-exists`.',
        ),
        body: MeshIntent,
        response: {
          201: created(MeshView, 'Created; its policies follow.'),
          ...problems(...bodyProblems, ...intentProblems),
        },
      },
    },
    async (request, reply) => {
      const made = await policies.createMesh(request.body, actorOf(request));
      return reply.code(201).headers(locationOf(made)).send(made);
    },
  );

  app.get(
    url,
    {
      schema: {
        ...words('Meshes', 'getMesh', 'Get one mesh', 'Intent, and how its policies do.'),
        params,
        response: { 200: tagged(MeshView, 'The mesh.'), ...problems(...readProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      const mesh = await policies.mesh(request.params.id);
      return reply.header('etag', etagOf(mesh.version)).send(mesh);
    },
  );

  app.put(
    url,
    {
      config: { document: { headers: createOrReplaceHeaders, examples } },
      schema: {
        ...words(
          'Meshes',
          'putMesh',
          'Create or replace a mesh',
          'With If-Match it replaces the intent; with `If-None-Match: *` it creates what is not there, and may be repeated. ' +
            'Policies of pairs that are no longer in it are removed.',
        ),
        params,
        body: MeshIntent,
        response: {
          200: tagged(MeshView, 'Replaced.'),
          201: created(MeshView, 'Created.'),
          ...problems(...editProblems, ...intentProblems, 'owned-elsewhere'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const intent = request.body;
      if (intent.id !== id) {
        throw new Problem('request-invalid', {
          detail: `the body is about "${intent.id}", the path about "${id}"`,
          field: '/id',
        });
      }
      const actor = actorOf(request);
      if (createsOnly(request.headers)) {
        const made = await policies.createMesh(intent, actor).catch(asFailedPrecondition);
        return reply.code(201).headers(locationOf(made)).send(made);
      }
      const ifVersion = await expectedVersion(request.headers['if-match'], currentVersion(id));
      const replaced = await policies.replaceMesh(id, intent, ifVersion, actor);
      return reply.header('etag', etagOf(replaced.version)).send(replaced);
    },
  );

  app.delete(
    url,
    {
      config: { document: { headers: ifMatchHeader } },
      schema: {
        ...words('Meshes', 'deleteMesh', 'Delete a mesh', 'And with it all its policies.'),
        params,
        response: { 204: empty('Deleted.'), ...problems(...editProblems, 'owned-elsewhere') },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const ifVersion = await expectedVersion(request.headers['if-match'], currentVersion(id));
      await policies.deleteMesh(id, ifVersion, actorOf(request));
      return reply.code(204).send(null);
    },
  );
}

function locationOf({ id, version }: { readonly id: string; readonly version: number }) {
  return { location: `/v1/meshes/${id}`, etag: etagOf(version) };
}
