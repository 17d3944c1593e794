import type { FastifyRequest } from 'fastify';
import { Problem } from '../model/errors.js';
import type { Actor } from '../model/topology.js';

const printable = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;

/** Who makes a change, by the Waymark-Actor header; shown in the change log. Throws `request-invalid`. */
export function actorOf(request: Pick<FastifyRequest, 'headers'>): Actor {
  const name = request.headers['waymark-actor'];
  if (name === undefined) return { name: 'anonymous' };
  if (typeof name === 'string' && printable.test(name)) return { name };
  throw new Problem('request-invalid', {
    detail: 'the actor must be 1 to 64 printable ASCII characters',
    field: 'Waymark-Actor',
  });
}
