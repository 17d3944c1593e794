import type { HTTPMethods } from 'fastify';
import type { ApiApp } from './type-provider.js';
import { sendProblem } from './problems.js';

const methods: readonly HTTPMethods[] = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/** Notes the methods of every path; the function it returns gives each path's other methods a 405 with Allow. */
export function watchMethods(app: ApiApp): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const set = known.get(url) ?? new Set();
    known.set(url, set);
    for (const one of [method].flat()) set.add(one);
  });
  return () => {
    for (const [url, allowed] of [...known]) {
      // Swagger UI brings its own routes, with wildcards
      if (url.startsWith('/docs')) continue;
      const allow = [...allowed].toSorted().join(', ');
      app.route({
        method: methods.filter((method) => !allowed.has(method)),
        url,
        schema: { hide: true },
        handler: (request, reply) =>
          sendProblem(request, reply.header('allow', allow), 'method-not-allowed', {
            detail: `${request.method} is not one of ${allow}`,
          }),
      });
    }
  };
}
