import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import document from '../../../../openapi/openapi.json' with { type: 'json' };
import { Problem } from '../model/errors.js';
import { fixedServices } from '../testing/fixed-services.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

let app: ApiApp | undefined;
afterEach(() => app?.close());

const expected = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
};

describe('every answer', () => {
  it.each([
    ...[
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/v1/topology',
      '/v1/nodes?x=1',
      '/v2',
      '/v1/nodes/%E0%A4%A',
    ],
    ...[
      '/docs/',
      '/docs',
      '/docs/json',
      '/docs/static/swagger-ui.css',
      '/docs/static/waymark.css',
      '/docs/static/none',
    ],
  ])('tells browsers to do nothing with it but what it is for: %s', async (url) => {
    ({ app } = await testApp());
    const { headers } = await app.inject(url);
    expect(headers).toMatchObject(expected);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['server']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('of the stream of events too', async () => {
    ({ app } = await testApp());
    await app.listen({ port: 0, host: '127.0.0.1' });
    const stop = new AbortController();
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1/events`;
    const response = await fetch(url, { signal: stop.signal });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    stop.abort();
  });

  it('lets scripts run nowhere but in Swagger UI, and there its own only', async () => {
    ({ app } = await testApp());
    const policyAt = async (url: string) => String((await app?.inject(url))?.headers['content-security-policy']);
    expect(await policyAt('/v1/nodes?x=1')).not.toContain('script-src');
    expect(await policyAt('/docs/')).toMatch(/script-src 'self';/);
  });

  it('shows no folder', async () => {
    ({ app } = await testApp());
    for (const url of ['/docs/static/', '/docs/static', '/docs/../', '/docs/static/..%2f..%2fpackage.json']) {
      const { statusCode, body } = await app.inject(url);
      // Swagger UI itself, or nothing
      expect([200, 302, 404], url).toContain(statusCode);
      expect(body).not.toMatch(/Index of|node_modules/);
    }
  });

  it('to what the HTTP parser refuses is one that nobody keeps or takes for a page', async () => {
    ({ app } = await testApp());
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toContain('X-Content-Type-Options: nosniff');
    expect(answer).toContain('Cache-Control: no-store');
  });
});

describe('secrets', () => {
  const secret = `wmk_0123456789abcdef_${'s3cr3t'.repeat(7)}x`;

  it('of requests are not in the log, whatever becomes of them', async () => {
    let log: string[];
    ({ app, log } = await testApp(
      {
        access: {
          isOpen: false,
          identify: (token) =>
            token === secret
              ? fixedServices().access.identify(undefined)
              : Promise.reject(new Problem('unauthenticated', { detail: 'no' })),
        },
        topology: { head: () => Promise.reject(new Error('out of order')) },
      },
      { level: 'trace' },
    ));
    const answers: string[] = [];
    const host = 'localhost';
    for (const authorization of [
      `Bearer ${secret}`,
      `bearer ${secret}x`,
      `Basic ${secret}`,
      secret,
      `Bearer ${secret} x`,
    ]) {
      for (const url of ['/v1/topology', '/v1/nodes?limit=x', '/v2', '/v1/nodes/%E0%A4%A']) {
        answers.push((await app.inject({ url, headers: { authorization, host } })).body);
      }
      const call = { method: 'POST', url: '/v1/api-keys', headers: { authorization, host } } as const;
      answers.push((await app.inject({ ...call, payload: '{"name":' })).body);
    }
    expect(log.join('')).toContain('out of order');
    for (const text of [...answers, ...log]) expect(text).not.toContain('s3cr3t');
  });

  it('are none in the document', () => {
    const keys = JSON.stringify(document).match(/wmk_[0-9a-f]{16}_[A-Za-z0-9_-]+/g) ?? [];
    for (const key of keys) expect(key).toMatch(/_x{43}$/);
  });
});
