import type { FastifyRequest } from 'fastify';
import { LogQuota } from '../log-quota.js';
import { Problem } from '../model/errors.js';

/**
 * Tells of requests that were refused because of who made them. Not all: somebody who tries keys must not fill the disk, and
 * /metrics counts every one.
 */
export class RefusedRequests {
  readonly #lines: LogQuota;

  constructor(now: () => number) {
    this.#lines = new LogQuota(now);
  }

  /** @param error Whatever a request was refused for; what is no refusal of its maker is not told. */
  note(request: FastifyRequest, error: unknown): void {
    if (!isRefusal(error)) return;
    const line = this.#lines.take();
    if (line === undefined) return;
    const { ip, method, id, routeOptions } = request;
    const facts = {
      code: error.code,
      why: error.info.detail,
      from: ip,
      method,
      route: routeOptions.url,
      requestId: id,
    };
    request.log.warn({ ...facts, ...line }, 'a request was refused');
  }
}

export function isRefusal(error: unknown): error is Problem {
  return error instanceof Problem && (error.code === 'unauthenticated' || error.code === 'forbidden');
}
