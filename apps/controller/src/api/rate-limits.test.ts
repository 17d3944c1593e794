import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccessService } from '../model/access.js';
import { Problem } from '../model/errors.js';
import { testApp } from '../testing/test-app.js';
import type { RateLimits } from './limits.js';
import type { ApiApp } from './type-provider.js';

/** Believes every token that begins with `good`, and those of the admin key, until it is revoked; counts how often it was asked. */
function counting(adminKeys: readonly string[]) {
  let asked = 0;
  const revoked = new Set<string>();
  const access: AccessService = {
    isOpen: false,
    identify(token = '') {
      asked += 1;
      const isAdmin = adminKeys.includes(token);
      if ((!token.startsWith('good') && !isAdmin) || revoked.has(token)) {
        return Promise.reject(new Problem('unauthenticated', { detail: 'not believed' }));
      }
      const credential = isAdmin ? 'admin-key' : `api-key:${token}`;
      return Promise.resolve({ name: token, role: 'viewer', operations: null, credential });
    },
  };
  return { access, asked: () => asked, revoke: (token: string) => revoked.add(token) };
}

const nodes = { nodes: () => Promise.resolve({ items: [], next: null }) };

let opened: ApiApp | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await opened?.close();
});

async function open(rates: Partial<RateLimits>, adminKeys: readonly string[] = []) {
  const { access, asked, revoke } = counting(adminKeys);
  const limits: RateLimits = { perClient: 0, refused: 0, trustedProxies: [], ...rates };
  opened = (await testApp({ access, topology: nodes }, { rates: limits })).app;
  const app = opened;
  const get = (token: string | undefined, from = '192.0.2.1', url = '/v1/nodes', forwarded?: string) =>
    app.inject({
      url,
      remoteAddress: from,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }),
      },
    });
  const statuses = async (count: number, ...how: Parameters<typeof get>) => {
    const answers = [];
    for (let i = 0; i < count; i++) answers.push((await get(...how)).statusCode);
    return answers;
  };
  return { get, statuses, asked, revoke };
}

describe('a client with too many requests', () => {
  it('is told to come back within a minute, though somebody sets the time back a day', async () => {
    const { get, statuses } = await open({ perClient: 2, refused: 2 });
    expect(await statuses(2, 'good-a')).toEqual([200, 200]);
    expect(await statuses(2, 'bad', '192.0.2.7')).toEqual([401, 401]);
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now - 86_400_000);
    for (const refused of [await get('good-a'), await get('bad', '192.0.2.7')]) {
      expect(refused.statusCode).toBe(429);
      const { retryAfterSeconds } = refused.json<{ readonly retryAfterSeconds: number }>();
      expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    }
  });

  it('is told when to come back, by headers and in the document', async () => {
    const { get } = await open({ perClient: 2 });
    const first = await get('good-a');
    expect(first.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' });
    await get('good-a');
    const refused = await get('good-a');
    const problem = refused.json<{ readonly retryAfterSeconds: number }>();
    expect(refused.statusCode).toBe(429);
    expect(problem).toMatchObject({ code: 'too-many-requests', status: 429 });
    expect(problem.retryAfterSeconds).toBeGreaterThan(0);
    expect(problem.retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(refused.headers).toMatchObject({
      'retry-after': String(problem.retryAfterSeconds),
      'ratelimit-remaining': '0',
      'content-type': expect.stringContaining('application/problem+json') as string,
    });
  });

  it('is known by its key, whatever its address, and takes nothing from others', async () => {
    const { get, statuses } = await open({ perClient: 2 });
    await statuses(2, 'good-a', '192.0.2.1');
    expect((await get('good-a', '198.51.100.7')).statusCode).toBe(429);
    expect((await get('good-b', '192.0.2.1')).statusCode).toBe(200);
  });

  it('is known by its address where nobody asks who it is, and of IPv6 by the /64', async () => {
    const { get, statuses } = await open({ perClient: 2 });
    expect(await statuses(3, undefined, '2001:db8::1', '/openapi.json')).toEqual([200, 200, 429]);
    expect((await get(undefined, '2001:db8::ffff:2', '/openapi.json')).statusCode).toBe(429);
    expect((await get(undefined, '2001:db8:0:1::1', '/openapi.json')).statusCode).toBe(200);
  });

  it('may ask as often as it likes whether the controller lives', async () => {
    const { statuses } = await open({ perClient: 1 });
    expect(await statuses(4, undefined, '192.0.2.1', '/healthz')).toEqual([200, 200, 200, 200]);
    expect(await statuses(4, undefined, '192.0.2.1', '/readyz')).toEqual([200, 200, 200, 200]);
  });

  it('cannot give itself another address, unless the proxy that says so is trusted', async () => {
    const { get, statuses } = await open({ perClient: 1 });
    expect(await statuses(1, undefined, '192.0.2.1', '/openapi.json', '203.0.113.1')).toEqual([200]);
    expect((await get(undefined, '192.0.2.1', '/openapi.json', '203.0.113.2')).statusCode).toBe(429);
    await opened?.close();
    const behind = await open({ perClient: 1, trustedProxies: ['192.0.2.0/24'] });
    expect((await behind.get(undefined, '192.0.2.1', '/openapi.json', '203.0.113.1')).statusCode).toBe(200);
    expect((await behind.get(undefined, '192.0.2.1', '/openapi.json', '203.0.113.2')).statusCode).toBe(200);
    expect((await behind.get(undefined, '192.0.2.1', '/openapi.json', '203.0.113.2')).statusCode).toBe(429);
  });
});

describe('an address that guesses keys', () => {
  it('is refused before a key is looked at that was never accepted', async () => {
    const { get, statuses, asked } = await open({ refused: 3 });
    expect(await statuses(3, 'bad')).toEqual([401, 401, 401]);
    const before = asked();
    const refused = await get('bad');
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    // a good one neither: whether the next guess is right must not be told
    expect((await get('good')).statusCode).toBe(429);
    expect(asked()).toBe(before);
  });

  it('keeps nobody out whose key was accepted from there before', async () => {
    const { get, statuses } = await open({ refused: 3 });
    expect(await statuses(1, 'good-a')).toEqual([200]);
    expect(await statuses(1, 'good-b', '198.51.100.1')).toEqual([200]);
    expect(await statuses(5, 'bad')).toEqual([401, 401, 401, 429, 429]);
    expect(await statuses(3, 'good-a')).toEqual([200, 200, 200]);
    // where it may not be known, it cannot be found by trying either
    expect(await statuses(1, 'good-b')).toEqual([429]);
    expect((await get('good-aa')).statusCode).toBe(429);
  });

  it('does not make a key known by asking with it for what anybody may have', async () => {
    const { statuses, asked } = await open({ refused: 1 });
    expect(await statuses(1, 'good-a', '192.0.2.1', '/healthz')).toEqual([200]);
    expect(await statuses(1, 'good-a', '192.0.2.1', '/openapi.json')).toEqual([200]);
    expect(asked()).toBe(0);
    expect(await statuses(2, 'bad')).toEqual([401, 429]);
    expect(await statuses(1, 'good-a')).toEqual([429]);
  });

  it('may ask whether the controller lives, whatever it sends with that', async () => {
    const { statuses } = await open({ refused: 1 });
    expect(await statuses(2, 'bad')).toEqual([401, 429]);
    expect(await statuses(2, 'bad', '192.0.2.1', '/healthz')).toEqual([200, 200]);
  });

  it('gets no further with a key that is revoked meanwhile', async () => {
    const { statuses, revoke } = await open({ refused: 2 });
    expect(await statuses(1, 'good-a')).toEqual([200]);
    expect(await statuses(3, 'bad')).toEqual([401, 401, 429]);
    expect(await statuses(1, 'good-a')).toEqual([200]);
    revoke('good-a');
    expect(await statuses(2, 'good-a')).toEqual([401, 429]);
  });

  it('gets further with the admin key only where that cannot be found by trying', async () => {
    const word = 'good-'.padEnd(64, 'correct-horse-battery-staple-');
    const random = '0123456789abcdef'.repeat(4);
    const { statuses } = await open({ refused: 1 }, [word, random]);
    expect(await statuses(1, word)).toEqual([200]);
    expect(await statuses(1, random)).toEqual([200]);
    expect(await statuses(2, 'bad')).toEqual([401, 429]);
    expect(await statuses(1, word)).toEqual([429]);
    expect(await statuses(1, random)).toEqual([200]);
  });

  it('leaves other addresses alone, and those who use good keys uncounted', async () => {
    const { statuses } = await open({ refused: 2 });
    expect(await statuses(3, 'bad', '192.0.2.1')).toEqual([401, 401, 429]);
    expect(await statuses(5, 'good', '198.51.100.1')).toEqual([200, 200, 200, 200, 200]);
  });

  it('is not taken for one when it shows nothing at all', async () => {
    const { statuses } = await open({ refused: 1 });
    expect(await statuses(3, undefined)).toEqual([401, 401, 401]);
    expect(await statuses(1, 'good')).toEqual([200]);
  });
});

it('without limits, nothing is counted or told', async () => {
  const { get, statuses } = await open({});
  expect(await statuses(5, 'good')).toEqual([200, 200, 200, 200, 200]);
  expect((await get('good')).headers).not.toHaveProperty('ratelimit-limit');
});
