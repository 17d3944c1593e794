import { Type } from 'typebox';
import {
  ApiKeyRequest,
  ApiKeyRotation,
  ApiKeyView,
  IssuedApiKey,
  apiKeyName,
  object,
  pageOf,
  pageQuery,
  role,
} from '@waymark/http-contract';
import { includesRole, type Identity, type Role } from '../../model/access.js';
import { Problem } from '../../model/errors.js';
import type { Services } from '../../model/ports.js';
import { isOperation } from '../access.js';
import { actorOf } from '../actor.js';
import { pageReply, pageRequest } from '../cursor.js';
import {
  bodyProblems,
  operationRoles,
  createdUnversioned,
  empty,
  json,
  problems,
  readProblems,
  words,
} from '../operation.js';
import { timeOf } from '../time.js';
import type { ApiApp } from '../type-provider.js';

const listing = { name: 'api-keys', keyPattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/ };
const ApiKeyPage = pageOf('ApiKeyPage', 'A page of API keys.', ApiKeyView);
const params = object(undefined, 'Which key.', { name: apiKeyName() });
const url = '/v1/api-keys/:name';

const examples = {
  scraper: {
    summary: 'For Prometheus: metrics and nothing else',
    value: { name: 'grafana', role: 'viewer', operations: ['getMetrics'] },
  },
};

const rotationExamples = {
  anHour: { summary: 'The old key stays good for an hour', value: { graceSeconds: 3600 } },
  atOnce: { summary: 'It was seen by others: the old key is refused at once', value: { graceSeconds: 0 } },
};

export function apiKeyRoutes(app: ApiApp, services: Services): void {
  app.get(
    '/v1/api-keys',
    {
      schema: {
        ...words('Access', 'listApiKeys', 'List API keys', 'Without their secrets, which are not kept.'),
        querystring: object(undefined, 'Page and filters; several filters must all match.', {
          ...pageQuery,
          role: Type.Optional(role('Only keys of this role.')),
        }),
        response: { 200: json(ApiKeyPage, 'A page of keys, by name.'), ...problems(...readProblems) },
      },
    },
    async (request) => {
      const { filter, page } = pageRequest(listing, request.query);
      return pageReply(listing, await services.apiKeys.keys(filter, page));
    },
  );

  app.post(
    '/v1/api-keys',
    {
      config: { document: { examples } },
      schema: {
        ...words(
          'Access',
          'createApiKey',
          'Make an API key',
          'The secret is in the answer, this once. Where an answer was lost, rotate the key. Another controller knows a new key, ' +
            'and refuses a deleted one, within two seconds. A key for some operations makes and rotates keys for no others.',
        ),
        body: ApiKeyRequest,
        response: { 201: createdUnversioned(IssuedApiKey, 'Made.'), ...problems(...bodyProblems, 'already-exists') },
      },
    },
    async (request, reply) => {
      const { expiresAt, ...body } = request.body;
      body.operations?.forEach((id, index) => requireUsable(body.role, id, `/operations/${index}`));
      requireWithin(request.identity, body.operations ?? null, '/operations');
      const asked = { ...body, ...(expiresAt === undefined ? {} : { expiresAt: timeOf('/expiresAt', expiresAt) }) };
      const issued = await services.apiKeys.create(asked, actorOf(request));
      const location = `/v1/api-keys/${issued.key.name}`;
      return reply.code(201).headers({ location, 'cache-control': 'no-store' }).send(issued);
    },
  );

  app.get(
    url,
    {
      schema: {
        ...words('Access', 'getApiKey', 'Get one API key', 'Without its secret, which is not kept.'),
        params,
        response: { 200: json(ApiKeyView, 'The key.'), ...problems(...readProblems, 'not-found') },
      },
    },
    (request) => services.apiKeys.key(request.params.name),
  );

  app.post(
    `${url}/rotate`,
    {
      config: { document: { examples: rotationExamples } },
      schema: {
        ...words(
          'Access',
          'rotateApiKey',
          'Rotate an API key',
          'The new secret is in the answer, this once; the one in use stays good for the grace period. Repeating it while that ' +
            'runs makes yet another new one, in place of the one that was not received.',
        ),
        params,
        body: ApiKeyRotation,
        response: { 200: json(IssuedApiKey, 'The new key.'), ...problems(...bodyProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      const { graceSeconds, expiresAt } = request.body;
      const change = {
        ...(graceSeconds === undefined ? {} : { graceSeconds }),
        ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : timeOf('/expiresAt', expiresAt) }),
      };
      if (request.identity?.operations != null) {
        const { operations } = await services.apiKeys.key(request.params.name);
        requireWithin(request.identity, operations, 'name');
      }
      const issued = await services.apiKeys.rotate(request.params.name, change, actorOf(request));
      return reply.header('cache-control', 'no-store').send(issued);
    },
  );

  app.delete(
    url,
    {
      schema: {
        ...words('Access', 'deleteApiKey', 'Delete an API key', 'It is refused from now on.'),
        params,
        response: { 204: empty('Deleted.'), ...problems(...bodyProblems, 'not-found') },
      },
    },
    async (request, reply) => {
      await services.apiKeys.delete(request.params.name, actorOf(request));
      return reply.code(204).send(null);
    },
  );
}

/** A key for what it could not do would only surprise. */
function requireUsable(role: Role, operation: string, field: string): void {
  if (!isOperation(operation)) {
    throw new Problem('request-invalid', { detail: `there is no operation ${operation}`, field });
  }
  const needed = operationRoles[operation];
  if (needed === 'anyone' || includesRole(role, needed)) return;
  throw new Problem('request-invalid', { detail: `${operation} needs the role ${needed}, not ${role}`, field });
}

/** Who is confined to some operations would else be so no longer: the secret of the other key is in the answer. */
function requireWithin(identity: Identity | null, operations: readonly string[] | null, field: string): void {
  const own = identity?.operations ?? null;
  if (own === null || operations?.every((id) => own.includes(id)) === true) return;
  throw new Problem('forbidden', {
    detail: `a key for some operations makes and rotates keys for these alone: ${own.join(', ')}`,
    field,
  });
}
