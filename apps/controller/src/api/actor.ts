import type { FastifyRequest } from 'fastify';
import type { Actor } from '../model/topology.js';

/** Who makes a change, for the change log: the API key or the subject of the token that came with the request. */
export function actorOf({ identity, id, routeOptions }: FastifyRequest): Actor {
  if (identity === null) throw new Error(`${routeOptions.url ?? 'the route'} does not ask who makes the request`);
  return { name: identity.name, credential: identity.credential, requestId: id };
}
