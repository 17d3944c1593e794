import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../model/access.js';
import { Problem } from '../model/errors.js';
import { AcceptedCredentials } from './accepted-credentials.js';
import type { RateLimits } from './limits.js';
import { RequestCounts } from './request-counts.js';
import type { ApiApp } from './type-provider.js';

const WINDOW_MS = 60_000;

/** Decides by the address, and whether the header Authorization was accepted from there before, without looking into it. */
export interface RefusalLimit {
  /** Throws Problem too-many-requests when too many credentials from this address were refused, and this one is not known. */
  check(request: FastifyRequest, authorization: string): Promise<void>;
  accepted(request: FastifyRequest, authorization: string, identity: Identity): void;
  refused(request: FastifyRequest, authorization: string): Promise<void>;
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
  if (refused === 0) {
    return { check: () => Promise.resolve(), accepted: () => undefined, refused: () => Promise.resolve() };
  }
  const limiter = app.createRateLimit({
    max: refused,
    timeWindow: WINDOW_MS,
    keyGenerator: ({ ip }) => normalizeIP(ip),
  });
  const known = new AcceptedCredentials();
  return {
    async check(request, authorization) {
      const state = await limiter(request, { increment: false });
      if (state.isAllowed || state.remaining > 0 || known.has(normalizeIP(request.ip), authorization)) return;
      throw tooMany(`more than ${refused} keys or tokens from this address were refused within a minute`, state.ttl);
    },
    accepted({ ip }, authorization, identity) {
      known.note(normalizeIP(ip), authorization, identity);
    },
    async refused(request, authorization) {
      known.forget(normalizeIP(request.ip), authorization);
      await limiter(request);
    },
  };
}

function tooMany(detail: string, ttlMs: number): Problem {
  return new Problem('too-many-requests', { detail, retryAfterSeconds: Math.max(1, Math.ceil(ttlMs / 1000)) });
}
