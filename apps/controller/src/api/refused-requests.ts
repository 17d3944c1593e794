import type { FastifyRequest } from 'fastify';
import { Problem } from '../model/errors.js';

const WINDOW_MS = 60_000;
const LINES = 10;

/**
 * Tells of requests that were refused because of who made them. Not all: somebody who tries keys must not fill the disk, and
 * /metrics counts every one. At most ten lines a minute; the first of the next minute says how many were left out.
 */
export class RefusedRequests {
  #since = -Infinity;
  #count = 0;

  constructor(private readonly now: () => number) {}

  /** @param error Whatever a request was refused for; what is no refusal of its maker is not told. */
  note(request: FastifyRequest, error: unknown): void {
    if (!isRefusal(error)) return;
    let untold: number | undefined;
    if (this.now() - this.#since >= WINDOW_MS) {
      untold = Math.max(0, this.#count - LINES);
      this.#since = this.now();
      this.#count = 0;
    }
    if (++this.#count > LINES) return;
    const { ip, method, id, routeOptions } = request;
    const facts = {
      code: error.code,
      why: error.info.detail,
      from: ip,
      method,
      route: routeOptions.url,
      requestId: id,
    };
    request.log.warn({ ...facts, ...(untold ? { untold } : {}) }, 'a request was refused');
  }
}

export function isRefusal(error: unknown): error is Problem {
  return error instanceof Problem && (error.code === 'unauthenticated' || error.code === 'forbidden');
}
