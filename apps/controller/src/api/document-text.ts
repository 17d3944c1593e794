import type { FastifyReply } from 'fastify';
import type { ApiApp } from './type-provider.js';

/**
 * The OpenAPI document, for programs and for Swagger UI, written out once: it is half a megabyte that anybody may ask for, as
 * often as he likes. Before Swagger UI is registered.
 */
export function serveDocument(app: ApiApp): void {
  let text: string | undefined;
  const send = (reply: FastifyReply) => {
    text ??= JSON.stringify(app.swagger());
    return reply.type('application/json; charset=utf-8').send(text);
  };
  app.get('/openapi.json', { schema: { hide: true } }, (_, reply) => send(reply));
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.url === '/docs/json') await send(reply);
  });
}
