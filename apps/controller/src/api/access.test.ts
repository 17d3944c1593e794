import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import document from '../../../../openapi/openapi.json' with { type: 'json' };
import { roles, type AccessService, type ApiKeyView, type Identity, type Role } from '../model/access.js';
import { Problem } from '../model/errors.js';
import type { StatedServices } from '../testing/fixed-services.js';
import { testApp } from '../testing/test-app.js';
import { operationRoles, type OperationId } from './operation.js';
import type { ApiApp } from './type-provider.js';

interface Operation {
  readonly operationId: OperationId;
  readonly description: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly example?: unknown }[];
  readonly responses: Readonly<Record<string, object>>;
}

const operations = Object.entries(document.paths as unknown as Readonly<Record<string, Record<string, Operation>>>)
  .flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })))
  .map((one) => ({ ...one, needed: operationRoles[one.operationId] }));

/** Tokens of the tests: the role itself, and after a colon the only operation. */
const byToken: AccessService = {
  isOpen: false,
  identify(token) {
    if (token === undefined) return Promise.reject(new Problem('unauthenticated', { detail: 'nobody' }));
    const [role, only] = token.split(':');
    if (!roles.includes(role as Role)) return Promise.reject(new Problem('unauthenticated', { detail: 'unknown' }));
    const operations = only === undefined ? null : [only];
    return Promise.resolve({ name: `a-${token}`, role, operations, credential: 'test' } as Identity);
  },
};

let opened: ApiApp | undefined;
afterEach(() => opened?.close());
async function open(stated: StatedServices = { access: byToken }): Promise<ApiApp> {
  opened = (await testApp(stated)).app;
  return opened;
}

function request({ method, path, parameters = [] }: (typeof operations)[number], token?: string) {
  const url = parameters
    .filter((one) => one.in === 'path')
    .reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), path);
  return {
    method: method.toUpperCase() as 'GET',
    url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
}

describe('each operation', () => {
  it('says who may use it, and there is no other', () => {
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(operationRoles).toSorted());
  });

  it.each(operations)('$operationId documents that', ({ needed, security, description, responses }) => {
    expect(security).toEqual(needed === 'anyone' ? [] : [{ bearer: [] }]);
    expect(Object.keys(responses).includes('401')).toBe(needed !== 'anyone');
    expect(Object.keys(responses).includes('403')).toBe(needed !== 'anyone');
    if (needed !== 'anyone') expect(description).toContain(`Role: ${needed}.`);
  });

  it('is for its role and those above, and for nobody without a key', async () => {
    const app = await open();
    for (const operation of operations) {
      const status = async (token?: string) => (await app.inject(request(operation, token))).statusCode;
      const { needed, operationId } = operation;
      if (needed === 'anyone') {
        expect(await status(), operationId).toBe(200);
        continue;
      }
      expect(await status(), operationId).toBe(401);
      expect(await status('nonsense'), operationId).toBe(401);
      expect(await status('admin:getNothing'), operationId).toBe(403);
      for (const role of roles) {
        const isAllowed = roles.indexOf(role) >= roles.indexOf(needed);
        // an endless answer, and what the test does not state, are beyond the guard
        if (isAllowed && operationId !== 'streamEvents') {
          expect([401, 403], `${operationId} ${role}`).not.toContain(await status(role));
          expect([401, 403], `${operationId} ${role}`).not.toContain(await status(`${role}:${operationId}`));
        }
        if (!isAllowed) expect(await status(role), `${operationId} ${role}`).toBe(403);
      }
    }
  });

  it('changes nothing for viewers', () => {
    const computing = ['computePaths', 'computeDisjointPaths', 'proveSegmentList', 'dryRun'];
    for (const { method, operationId, needed } of operations) {
      if (needed === 'viewer' && method !== 'get') expect(computing).toContain(operationId);
    }
  });
});

describe('a refusal', () => {
  it('is a problem document, and 401 says how to do better (RFC 6750)', async () => {
    const app = await open();
    const without = await app.inject('/v1/nodes');
    expect(without.headers['www-authenticate']).toBe('Bearer realm="waymark"');
    expect(without.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
    const wrong = await app.inject({ url: '/v1/nodes', headers: { authorization: 'Bearer wrong-secret' } });
    expect(wrong.headers['www-authenticate']).toBe('Bearer realm="waymark", error="invalid_token"');
    expect(wrong.body).not.toContain('wrong-secret');
    const basic = await app.inject({ url: '/v1/nodes', headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } });
    expect(basic.json()).toMatchObject({ status: 401, field: 'Authorization' });
    const viewer = await app.inject({ method: 'POST', url: '/v1/meshes', headers: { authorization: 'Bearer viewer' } });
    expect(viewer.json()).toMatchObject({
      status: 403,
      detail: 'createMesh needs the role operator; a-viewer has viewer',
    });
  });

  it('comes before anything of the request is read', async () => {
    const app = await open();
    const response = await app.inject({
      method: 'POST',
      url: '/v1/path-computations',
      headers: { 'content-type': 'text/xml' },
      payload: 'x'.repeat(2_000_000),
    });
    expect(response.statusCode).toBe(401);
  });

  it('does not keep anybody from the document, Swagger UI, and what there is not', async () => {
    const app = await open();
    for (const url of ['/openapi.json', '/docs/', '/docs/static/swagger-ui.css']) {
      expect((await app.inject(url)).statusCode, url).toBe(200);
    }
    expect((await app.inject('/v2')).statusCode).toBe(404);
    expect((await app.inject({ method: 'PATCH', url: '/v1/nodes' })).statusCode).toBe(405);
  });
});

describe('a key for some operations', () => {
  const issued = () => Promise.reject(new Error('made'));
  it.each([
    [{ role: 'viewer', operations: ['getMetrics'] }, 500],
    [{ role: 'admin', operations: ['getMetrics', 'listApiKeys'] }, 500],
    [{ role: 'viewer', operations: ['getMetrics', 'createMesh'] }, 400],
    [{ role: 'operator', operations: ['getMetrics', 'toString'] }, 400],
  ])('can use what it names: %j', async (body, status) => {
    const app = await open({ access: byToken, apiKeys: { create: issued } });
    const response = await app.inject({
      ...{ method: 'POST', url: '/v1/api-keys', headers: { authorization: 'Bearer admin' } },
      payload: { name: 'some', ...body },
    });
    // the service, which this test does not state, is beyond the check
    expect(response.statusCode).toBe(status);
    if (status === 400) expect(response.json()).toMatchObject({ field: '/operations/1' });
  });
});

describe('a key of an admin for some operations', () => {
  const issued = () => Promise.reject(new Error('made'));
  const post = async (only: string, url: string, payload: object, operations: readonly string[] | null = null) => {
    const key = () => Promise.resolve({ name: 'some', operations } as unknown as ApiKeyView);
    const app = await open({ access: byToken, apiKeys: { create: issued, rotate: issued, key } });
    const headers = { authorization: `Bearer admin:${only}` };
    return app.inject({ method: 'POST', url, headers, payload });
  };

  it.each([
    [undefined, 403],
    [['createApiKey', 'getMetrics'], 403],
    [['createApiKey'], 500],
  ])('makes no key that may do more than itself: %j', async (operations, status) => {
    const response = await post('createApiKey', '/v1/api-keys', { name: 'some', role: 'admin', operations });
    // the service, which this test does not state, is beyond the check
    expect(response.statusCode).toBe(status);
    if (status === 403) expect(response.json()).toMatchObject({ field: '/operations' });
  });

  it.each([
    [null, 403],
    [['rotateApiKey', 'getMetrics'], 403],
    [['rotateApiKey'], 500],
  ])('gets no secret of one: %j', async (operations, status) => {
    const response = await post('rotateApiKey', '/v1/api-keys/some/rotate', {}, operations);
    expect(response.statusCode).toBe(status);
  });
});

describe('a stream of events', () => {
  it('ends soon after its reader may not read any more', async () => {
    let isDeleted = false;
    const access: AccessService = {
      isOpen: false,
      identify: (token) => byToken.identify(isDeleted ? undefined : token),
    };
    opened = (await testApp({ access }, { stream: { heartbeatMs: 20, stalledAfterMs: 30_000 } })).app;
    await opened.listen({ port: 0, host: '127.0.0.1' });
    const url = `http://127.0.0.1:${(opened.server.address() as AddressInfo).port}/v1/events`;
    const response = await fetch(url, { headers: { authorization: 'Bearer viewer' } });
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    await reader?.read();
    isDeleted = true;
    const rest = (async () => {
      for (;;) if ((await reader?.read())?.done !== false) return 'ended';
    })();
    expect(await rest.catch(() => 'broken off')).toMatch(/ended|broken off/);
    expect((await fetch(url, { headers: { authorization: 'Bearer viewer' } })).status).toBe(401);
  });
});

describe('without keys', () => {
  const head = {
    ...{ instance: '8c6f0e6e-6d7b-4f62-9a38-2f6f1c1d9a10', revision: 3, tedRevision: 1, computedThrough: 3 },
    ...{ nodes: 0, routers: 0, hosts: 0, links: 0 },
  };
  it.each([
    [{ host: 'localhost:8080' }, 200],
    [{ host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' }, 200],
    [{ host: '[::1]:8080', origin: 'http://[::1]:8080' }, 200],
    [{ host: 'evil.example:8080' }, 403],
    [{ host: '127.0.0.1.evil.example' }, 403],
    [{ host: '127.0.0.1:8080', origin: 'https://evil.example' }, 403],
    [{ host: '127.0.0.1:8080', origin: 'http://127.0.0.1:3000' }, 403],
    [{ host: '127.0.0.1:8080', origin: 'null' }, 403],
    [{ host: '127.0.0.1:8080', 'x-forwarded-for': '203.0.113.1' }, 403],
    [{ host: '127.0.0.1:8080', via: '1.1 proxy' }, 403],
  ])('pages of other sites, and who comes through a proxy, reach nothing: %j', async (headers, status) => {
    const app = await open({ topology: { head: () => Promise.resolve(head) } });
    expect((await app.inject({ url: '/v1/topology', headers })).statusCode).toBe(status);
  });
});
