import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { Journal } from '../model/journal.js';
import type { RequestInput, RequestOutput } from '../model/recording.js';
import { operationOf } from './access.js';
import { onceOver } from './answer-over.js';
import { recordedAnswer } from './recorded-answer.js';
import { recordedOperations } from './recorded-operations.js';
import type { ApiApp } from './type-provider.js';

/** Of a request; authorization is not among them. */
const headerNames = ['content-type', 'if-match', 'if-none-match'];

/**
 * Makes each request that changes or computes something an entry of the journal, once it has passed access and validation:
 * what is refused before takes no effect.
 */
export function recordRequests(app: ApiApp, journal: Journal): void {
  const answered = new WeakMap<FastifyRequest, (output: RequestOutput) => void>();
  app.addHook('onSend', (request, reply, payload, done) => {
    // That it takes too long says nothing of what comes of it.
    if (!request.abandoned.aborted) {
      const answer = { status: reply.statusCode, headers: reply.getHeaders(), payload };
      answered.get(request)?.(recordedAnswer(operationOf(request.routeOptions), answer));
    }
    done(null, payload);
  });
  app.addHook('onRoute', (route) => {
    const effect = recordedOperations.get(operationOf(route));
    if (effect === undefined) return;
    const { handler } = route;
    route.handler = function (this: ThisParameterType<RouteHandlerMethod>, request, reply) {
      return new Promise((resolve, reject) => {
        const answer = new Promise<RequestOutput>((tell) => answered.set(request, tell));
        const work = (): Promise<RequestOutput> => {
          const handled = Promise.resolve().then((): unknown => handler.call(this, request, reply));
          // Fastify answers from here on; the entry ends when the answer is known.
          resolve(handled);
          return Promise.race([answer, withoutAnswer(handled, request, reply)]);
        };
        const entry = {
          kind: 'request',
          input: inputOf(request),
          outputOf: (output: RequestOutput) => output,
        } as const;
        journal.take({ ...entry, isShared: effect === 'computes' }, work).catch(reject);
      });
    };
  });
}

/** Resolves once the handler is done and nobody is there any more who could be answered. */
async function withoutAnswer(handled: Promise<unknown>, request: FastifyRequest, reply: FastifyReply): Promise<null> {
  await handled.catch(() => undefined);
  await new Promise<void>((resolve) => onceOver(request, reply, resolve));
  // What is sent all the same is sent in this turn.
  await setImmediate();
  return null;
}

function inputOf(request: FastifyRequest): RequestInput {
  const { id, identity, method, url, headers, body } = request;
  if (identity === null) throw new Error(`${url} is recorded, and nobody is asked who he is`);
  return {
    operation: operationOf(request.routeOptions),
    requestId: id,
    identity,
    method,
    url,
    headers: Object.fromEntries(
      headerNames.flatMap((name) => {
        const value = headers[name];
        return typeof value === 'string' ? [[name, value] as const] : [];
      }),
    ),
    ...(body === undefined || body === null ? {} : { body }),
  };
}
