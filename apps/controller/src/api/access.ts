import type { FastifyRequest, RouteOptions } from 'fastify';
import { includesRole, type AccessService, type Identity, type Role } from '../model/access.js';
import { Problem } from '../model/errors.js';
import { operationRoles, type OperationId } from './operation.js';
import { refuseOtherSites } from './other-sites.js';
import type { RefusalLimit } from './rate-limits.js';
import { isRefusal, RefusedRequests } from './refused-requests.js';
import type { ApiApp } from './type-provider.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes it; null where that does not matter. */
    identity: Identity | null;
  }
}

/**
 * Lets each request through to its operation, or not, before anything of it is read. A route that does not say who may use
 * it is a fault of the build.
 */
export function guardOperations(app: ApiApp, access: () => AccessService, limit: RefusalLimit): void {
  app.decorateRequest('identity', null);
  app.addHook('onRoute', (route) => void neededRole(route));
  const refused = new RefusedRequests(() => performance.now());
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    try {
      request.identity = await admitUnlessGuessing(access(), request, limit);
    } catch (error) {
      refused.note(request, error);
      throw error;
    }
  });
}

/** Who has sent nothing to be believed by, or asks for what anybody may have, has guessed nothing. */
async function admitUnlessGuessing(
  access: AccessService,
  request: FastifyRequest,
  limit: RefusalLimit,
): Promise<Identity | null> {
  const { authorization } = request.headers;
  if (authorization === undefined || neededRole(request.routeOptions) === 'anyone') return admit(access, request);
  await limit.check(request, authorization);
  try {
    const identity = await admit(access, request);
    if (identity !== null) limit.accepted(request, authorization, identity);
    return identity;
  } catch (error) {
    if (error instanceof Problem && error.code === 'unauthenticated') await limit.refused(request, authorization);
    throw error;
  }
}

/** null: it does not matter who makes it. Throws `unauthenticated`, `forbidden` and `service-unavailable`. */
async function admit(access: AccessService, request: FastifyRequest): Promise<Identity | null> {
  const needed = neededRole(request.routeOptions);
  if (needed === 'anyone') return null;
  const identity = await access.identify(bearerToken(request));
  if (identity.credential === 'anonymous') refuseOtherSites(request);
  requirePermission(identity, operationOf(request.routeOptions), needed);
  return identity;
}

/** Would the request be refused now? A key is deleted, a token expires; that this cannot be told now is no refusal. */
export async function isRefused(access: AccessService, request: FastifyRequest): Promise<boolean> {
  try {
    await admit(access, request);
    return false;
  } catch (error) {
    return isRefusal(error);
  }
}

type Route = Pick<RouteOptions, 'schema' | 'url'> | FastifyRequest['routeOptions'];

export function operationOf({ schema }: Route): string {
  return (schema as { readonly operationId?: string } | undefined)?.operationId ?? '';
}

/** What is not in the document is no operation: the document itself, Swagger UI, and refusals of methods. */
function neededRole(route: Route): Role | 'anyone' {
  const { schema, url } = route;
  if (schema !== undefined && 'hide' in schema && schema.hide) return 'anyone';
  const id = operationOf(route);
  if (!isOperation(id)) throw new Error(`operationRoles does not say who may use "${id}" at ${url ?? ''}`);
  return operationRoles[id];
}

export function isOperation(id: string): id is OperationId {
  return Object.hasOwn(operationRoles, id);
}

function requirePermission({ name, role, operations }: Identity, operation: string, needed: Role): void {
  if (!includesRole(role, needed)) {
    throw new Problem('forbidden', { detail: `${operation} needs the role ${needed}; ${name} has ${role}` });
  }
  if (operations !== null && !operations.includes(operation)) {
    throw new Problem('forbidden', { detail: `${operation} is not one of the operations of ${name}` });
  }
}

/** Throws `unauthenticated` for credentials of another kind, which would otherwise be taken for none. */
function bearerToken({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined) return undefined;
  const [, token] = /^bearer +([^\s]+) *$/i.exec(authorization) ?? [];
  if (token !== undefined) return token;
  throw new Problem('unauthenticated', {
    detail: 'the header is not of the form `Bearer`, a space, and a key or token',
    field: 'Authorization',
  });
}
