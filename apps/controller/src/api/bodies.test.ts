import { afterEach, describe, expect, it } from 'vitest';
import type { PathRequest } from '@waymark/topology';
import type { AccessService } from '../model/access.js';
import type { Actor } from '../model/topology.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

let app: ApiApp | undefined;
afterEach(() => app?.close());

const noPath = {
  status: 'no-path',
  revision: 1,
  reason: 'path-not-found',
  message: 'there is none',
  constraint: null,
  nearestFeasible: null,
  blockingLinks: [],
  blockingNodes: [],
  isProved: true,
  conflict: { constraints: [], isMinimal: true },
} as const;

const alice: AccessService = {
  isOpen: false,
  identify: () => Promise.resolve({ name: 'alice', role: 'operator', operations: null, credential: 'api-key:wmk_1' }),
};
const actor = {
  ...{ name: 'alice', credential: 'api-key:wmk_1' },
  requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
};

describe('a body', () => {
  it('reaches the service exactly as it was sent', async () => {
    const seen: [PathRequest, number | undefined][] = [];
    ({ app } = await testApp({
      paths: {
        compute: (request, revision) => {
          seen.push([request, revision]);
          return Promise.resolve(noPath);
        },
      },
    }));
    const request = {
      source: 'a',
      destination: 'b',
      metric: 'delay',
      constraints: { bounds: [{ metric: 'delay', max: 0 }], include: [{ node: 'c' }, { link: 'c:d' }] },
      families: [],
    };
    const response = await app.inject({
      method: 'POST',
      url: '/v1/path-computations',
      payload: { ...request, revision: 7 },
    });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual(noPath);
    expect(seen).toEqual([[request, 7]]);
  });

  it.each([
    ['PATCH', '/v1/links/a:b/constraints'],
    ['PATCH', '/v1/nodes/a/constraints'],
    ['PUT', '/v1/links/a:b/constraints'],
    ['POST', '/v1/topology/imports'],
    ['POST', '/v1/sr-policies'],
  ] as const)('is missed where there is none: %s %s', async (method, url) => {
    ({ app } = await testApp());
    const response = await app.inject({ method, url, headers: { 'if-match': '*' } });
    expect([response.statusCode, response.json()]).toMatchObject([
      400,
      { code: 'request-invalid', detail: 'the request has no body', field: '' },
    ]);
  });

  it('keeps a null that clears', async () => {
    const seen: unknown[] = [];
    ({ app } = await testApp({
      topology: {
        setLinkConstraints: ({ changes, mode }) => {
          seen.push(changes, mode);
          return Promise.resolve({ revision: 2, settings: [{ id: 'a:b', version: 2, constraints: {}, owner: null }] });
        },
      },
    }));
    const response = await app.inject({
      method: 'PATCH',
      url: '/v1/links/a:b/constraints',
      headers: { 'if-match': '"1"', 'content-type': 'application/merge-patch+json' },
      payload: '{"delayUs": null}',
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers['etag']).toBe('"2"');
    const change: unknown = { link: 'a:b', constraints: { delayUs: null }, ifVersion: 1 };
    expect(seen).toEqual([[change], 'patch']);
  });

  it('has the key that its path has', async () => {
    ({ app } = await testApp());
    const intent = {
      headend: 'a',
      color: 1,
      endpoint: 'b',
      candidatePaths: [
        { discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'igp', constraints: {} } },
      ],
      fallback: 'drop',
    };
    const response = await app.inject({
      method: 'PUT',
      url: '/v1/sr-policies/a:2:b',
      headers: { 'if-none-match': '*' },
      payload: intent,
    });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'request-invalid', field: 'id' });
  });
});

describe('a hand-written list', () => {
  it.each([
    [64, 201],
    [65, 400],
  ])('of %i SIDs gives %i', async (count, status) => {
    const sids = Array.from({ length: count }, () => 'fcbb:bb00:1::');
    const path = { kind: 'explicit', segmentLists: [{ weight: 1, sids }] } as const;
    const intent = {
      headend: 'a',
      color: 1,
      endpoint: 'b',
      candidatePaths: [{ discriminator: 1, preference: 100, path }],
      fallback: 'drop',
    } as const;
    const view = {
      id: 'a:1:b',
      version: 1,
      intent,
      mesh: null,
      owner: null,
      pinned: false,
      canRollBack: false,
      state: null,
    };
    ({ app } = await testApp({ policies: { createPolicy: () => Promise.resolve(view) } }));
    const response = await app.inject({ method: 'POST', url: '/v1/sr-policies', payload: intent });
    expect(response.statusCode).toBe(status);
    if (status === 400)
      expect(response.json()).toMatchObject({
        code: 'request-invalid',
        field: '/candidatePaths/0/path/segmentLists/0/sids',
        detail: '/candidatePaths/0/path/segmentLists/0/sids must NOT have more than 64 items, not a list of 65',
      });
  });
});

describe('a topology file', () => {
  const result = {
    revision: 1,
    changed: true,
    nodes: { added: 1, changed: 0, removed: 0 },
    links: { added: 0, changed: 0, removed: 0 },
    planned: { locators: 0, sids: 0 },
  };

  async function imported(options: { url: string; type: string; payload: string }) {
    const seen: unknown[] = [];
    ({ app } = await testApp({
      topology: {
        importTopology: (input) => {
          seen.push(input);
          return Promise.resolve(result);
        },
      },
      access: alice,
    }));
    const headers = { 'content-type': options.type };
    const response = await app.inject({ method: 'POST', url: options.url, headers, payload: options.payload });
    return { response, seen };
  }

  it('comes as JSON with its format and source', async () => {
    const payload = JSON.stringify({ format: 'repetita', source: 'one', content: 'NODES 0' });
    const { response, seen } = await imported({
      url: '/v1/topology/imports?dryRun=true',
      type: 'application/json',
      payload,
    });
    expect(response.json()).toEqual(result);
    expect(seen).toEqual([{ text: 'NODES 0', format: 'repetita', source: 'one', dryRun: true, actor }]);
  });

  it.each([
    ['application/yaml', '', 'native', 'upload'],
    ['application/graphml+xml; charset=utf-8', '?source=zoo', 'graphml', 'zoo'],
    ['text/plain', '?source=zoo&format=repetita', 'repetita', 'zoo'],
  ])('comes as it is as %s', async (type, query, format, source) => {
    const { response, seen } = await imported({ url: `/v1/topology/imports${query}`, type, payload: 'some text' });
    expect(response.statusCode).toBe(200);
    expect(seen).toEqual([{ text: 'some text', format, source, actor }]);
  });

  it('has one format', async () => {
    const payload = JSON.stringify({ format: 'native', source: 'one', content: 'x' });
    const { response } = await imported({
      url: '/v1/topology/imports?format=repetita',
      type: 'application/json',
      payload,
    });
    expect(response.json()).toMatchObject({ code: 'request-invalid', field: 'format' });
  });
});

describe('the actor', () => {
  it('is whom the key or token names, whatever else the request says', async () => {
    const seen: Actor[] = [];
    ({ app } = await testApp({
      topology: {
        confirmPlannedSids: (_, by) => {
          seen.push(by);
          return Promise.resolve({ revision: 1, confirmed: { locators: 0, sids: 0 } });
        },
      },
      access: alice,
    }));
    const call = { method: 'POST', url: '/v1/sid-confirmations', payload: { all: true } } as const;
    for (let i = 0; i < 2; i++) await app.inject({ ...call, headers: { 'waymark-actor': 'bob', 'request-id': '1' } });
    expect(seen).toEqual([actor, actor]);
    expect(seen[0]?.requestId).not.toBe(seen[1]?.requestId);
  });
});
