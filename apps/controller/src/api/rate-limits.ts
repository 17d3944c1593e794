import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../model/errors.js';
import type { RateLimits } from './limits.js';
import { RequestCounts } from './request-counts.js';
import type { ApiApp } from './type-provider.js';

const WINDOW_MS = 60_000;

/** Decides by the address alone, before anything is computed or looked up of a credential. */
export interface RefusalLimit {
  /** Throws Problem too-many-requests when too many credentials from this address were refused. */
  check(request: FastifyRequest): Promise<void>;
  refused(request: FastifyRequest): Promise<void>;
}

/**
 * Who is counted as one: whoever an API key or token names, whatever his address; anybody else by his address, of IPv6
 * the /64, which is what one host has. Everybody with the same key is one client.
 */
export function clientOf({ identity, ip }: FastifyRequest): string {
  return identity === null || identity.credential === 'anonymous'
    ? `address ${normalizeIP(ip)}`
    : `${identity.credential.replace(/:.*/s, '')} ${identity.name}`;
}

/** Counts requests by client in the routes that are added afterwards. Each controller counts for itself. */
export async function limitRates(app: ApiApp, { perClient, refused }: RateLimits): Promise<RefusalLimit> {
  await app.register(rateLimit, {
    global: perClient > 0,
    max: perClient,
    timeWindow: WINDOW_MS,
    store: RequestCounts,
    enableDraftSpec: true,
    keyGenerator: clientOf,
    errorResponseBuilder: (request, { max, ttl }) =>
      tooMany(`${clientOf(request)}: more than ${max} requests within a minute`, ttl),
  });
  if (refused === 0) return { check: () => Promise.resolve(), refused: () => Promise.resolve() };
  const limiter = app.createRateLimit({
    max: refused,
    timeWindow: WINDOW_MS,
    keyGenerator: ({ ip }) => normalizeIP(ip),
  });
  return {
    async check(request) {
      const state = await limiter(request, { increment: false });
      if (state.isAllowed || state.remaining > 0) return;
      throw tooMany(`more than ${refused} keys or tokens from this address were refused within a minute`, state.ttl);
    },
    async refused(request) {
      await limiter(request);
    },
  };
}

function tooMany(detail: string, ttlMs: number): Problem {
  return new Problem('too-many-requests', { detail, retryAfterSeconds: Math.max(1, Math.ceil(ttlMs / 1000)) });
}
