import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { PageRequest } from '../model/ports.js';
import { testApp } from '../testing/test-app.js';
import { pageReply, pageRequest } from './cursor.js';
import type { ApiApp } from './type-provider.js';

let app: ApiApp | undefined;
afterEach(() => app?.close());

describe('a cursor', () => {
  const listing = { name: 'things', keyPattern: /^[a-z:]{1,20}$/ };

  it('leads back to the key it was made from', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z:]{1,20}$/), (key) => {
        const { next } = pageReply(listing, { items: [], next: key });
        expect(pageRequest(listing, { after: next ?? '' }).page).toEqual({ limit: 100, after: key });
      }),
    );
  });

  it('is refused when this list did not give it out', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.constant(Buffer.from('things\nA').toString('base64url'))),
        (text) => {
          const own = pageReply(listing, { items: [], next: Buffer.from(text, 'base64url').toString().slice(7) }).next;
          fc.pre(own !== text || !listing.keyPattern.test(Buffer.from(text, 'base64url').toString().slice(7)));
          expect(() => pageRequest(listing, { after: text })).toThrow('is not a cursor of this list');
        },
      ),
    );
  });
});

describe('a list', () => {
  it('passes page and filter apart, and gives an opaque cursor', async () => {
    const seen: unknown[] = [];
    ({ app } = await testApp({
      agents: {
        agents: (filter, page) => {
          seen.push(filter, page);
          return Promise.resolve({ items: [], next: 'dc-a' });
        },
      },
    }));
    const first = await app.inject('/v1/agents?limit=7&state=connected');
    const { next } = first.json<{ next: string }>();
    expect(next).not.toContain('dc-a');
    await app.inject(`/v1/agents?after=${next}`);
    expect(seen).toEqual([
      { state: 'connected' },
      { limit: 7 },
      {},
      { limit: 100, after: 'dc-a' } satisfies PageRequest,
    ]);
  });

  it('does not take the cursor of another list', async () => {
    ({ app } = await testApp({ agents: { agents: () => Promise.resolve({ items: [], next: 'a' }) } }));
    const { next } = (await app.inject('/v1/agents')).json<{ next: string }>();
    const response = await app.inject(`/v1/nodes?after=${next}`);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ field: 'after' });
  });

  it('passes the filters of the change log on, times as times', async () => {
    const seen: unknown[] = [];
    ({ app } = await testApp({
      topology: {
        changes: (filter) => {
          seen.push(filter);
          return Promise.resolve({ items: [], next: null });
        },
      },
    }));
    await app.inject('/v1/topology/changes?kind=topology-import&link=a:b&since=2026-01-31T12:00:00Z');
    expect(seen).toEqual([{ kind: 'topology-import', link: 'a:b', since: new Date('2026-01-31T12:00:00Z') }]);
    const response = await app.inject('/v1/topology/changes?until=2026-13-31T12:00:00Z');
    expect(response.json()).toMatchObject({ status: 400, code: 'request-invalid', field: 'until' });
  });

  const limits = ['0', '1001', '-1', '1.5', 'true', 'Infinity', '-Infinity', '1e400', 'NaN', ''];
  it.each(limits)('does not take the limit "%s"', async (limit) => {
    ({ app } = await testApp());
    const response = await app.inject(`/v1/nodes?limit=${limit}`);
    expect(response.json()).toMatchObject({ status: 400, code: 'request-invalid', field: 'limit' });
  });
});
