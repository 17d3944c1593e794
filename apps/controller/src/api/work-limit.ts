import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { Problem } from '../model/errors.js';
import type { Admission } from './admission.js';
import { isOver, onceOver } from './answer-over.js';
import type { ApiLimits } from './limits.js';
import type { ApiApp } from './type-provider.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborted when nobody waits for the answer any more: the client has gone, or has been told that it took too long. */
    readonly abandoned: AbortSignal;
  }
  interface FastifyContextConfig {
    /** Takes large bodies, so may take its time. */
    readonly isLarge?: true;
  }
}

const controllers = new WeakMap<FastifyRequest, AbortController>();

/**
 * Ends the wait of clients whose operation takes too long, and tells what computes for them. What goes on nonetheless keeps its
 * place among the requests; for who has gone before, nothing is begun. (Fastify's own handlerTimeout
 * and request.signal end with the body of a request on Node 20, not with its answer.)
 */
export function limitWork(
  app: ApiApp,
  { workMs, largeWorkMs }: Pick<ApiLimits, 'workMs' | 'largeWorkMs'>,
  admission: Pick<Admission, 'holdFor'>,
): void {
  app.decorateRequest('abandoned', {
    getter(this: FastifyRequest) {
      return controllerOf(this).signal;
    },
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.isStream === true) return;
    const limit = route.config?.isLarge === true ? largeWorkMs : workMs;
    const handler = route.handler as RouteHandlerMethod;
    route.handler = function (request, reply) {
      if (isOver(request, reply)) throw gone();
      const answer: unknown = handler.call(this, request, reply);
      if (!(answer instanceof Promise)) return answer;
      admission.holdFor(request, answer);
      return within(limit, answer, request, reply);
    };
  });
}

async function within(limitMs: number, answer: Promise<unknown>, request: FastifyRequest, reply: FastifyReply) {
  const abandoned = controllerOf(request);
  const { signal } = abandoned;
  const given = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Problem));
  });
  const closed = (): void => {
    if (!reply.raw.writableFinished) abandoned.abort(gone());
  };
  onceOver(request, reply, closed);
  const timer = setTimeout(
    () => abandoned.abort(tooLong(`the operation has not ended within ${limitMs / 1000} s`)),
    limitMs,
  );
  try {
    return await Promise.race([answer, given]);
  } finally {
    clearTimeout(timer);
  }
}

const gone = (): Problem => tooLong('the client has not waited for the answer');

function tooLong(detail: string): Problem {
  return new Problem('took-too-long', { detail, retryAfterSeconds: 10 });
}

function controllerOf(request: FastifyRequest): AbortController {
  const known = controllers.get(request) ?? new AbortController();
  controllers.set(request, known);
  return known;
}
