import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import type { SrPolicyIntent, SrPolicyView } from '../model/sr-policy.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

const intent: SrPolicyIntent = {
  headend: 'a',
  color: 1,
  endpoint: 'b',
  candidatePaths: [{ discriminator: 1, preference: 100, path: { kind: 'dynamic', metric: 'igp', constraints: {} } }],
  fallback: 'drop',
};
const policy: SrPolicyView = {
  id: 'a:1:b',
  version: 5,
  intent,
  mesh: null,
  owner: null,
  pinned: false,
  canRollBack: false,
  state: null,
};
const url = '/v1/sr-policies/a:1:b';

let app: ApiApp;
let calls: unknown[];

beforeEach(async () => {
  calls = [];
  const write = (name: string, ifVersion: number) => {
    calls.push([name, ifVersion]);
    if (ifVersion !== policy.version) throw new Problem('precondition-failed', { detail: 'the version is 5' });
    return Promise.resolve(policy);
  };
  ({ app } = await testApp({
    policies: {
      policy: () => Promise.resolve(policy),
      createPolicy: ({ fallback }) => {
        calls.push(['create']);
        if (fallback !== policy.intent.fallback)
          return Promise.reject(new Problem('already-exists', { detail: 'with another intent' }));
        return Promise.resolve(policy);
      },
      replacePolicy: (_, __, ifVersion) => write('replace', ifVersion),
      deletePolicy: async (_, ifVersion) => {
        await write('delete', ifVersion);
      },
      pin: (_, ifVersion) => write('pin', ifVersion),
    },
  }));
});
afterEach(() => app.close());

describe('what operators edit', () => {
  it('comes with its ETag', async () => {
    expect((await app.inject(url)).headers['etag']).toBe('"5"');
  });

  it('says where it is when it was created', async () => {
    const response = await app.inject({ method: 'POST', url: '/v1/sr-policies', payload: intent });
    expect(response.statusCode).toBe(201);
    expect(response.headers).toMatchObject({ location: url, etag: '"5"' });
  });

  it.each([
    ['no header', undefined, 428, 'precondition-required', []],
    ['the current ETag', '"5"', 200, undefined, [['replace', 5]]],
    ['an outdated ETag', '"4"', 412, 'precondition-failed', [['replace', 4]]],
    ['anything', '*', 200, undefined, [['replace', 5]]],
    ['several ETags, one of them current', '"4", "5"', 200, undefined, [['replace', 5]]],
    ['several ETags, none current', '"3","4"', 412, 'precondition-failed', []],
    ['a weak ETag', 'W/"5"', 412, 'precondition-failed', []],
    ['an ETag of another kind', '"abc"', 412, 'precondition-failed', []],
    ['an ETag that looks like the current one', '"05"', 412, 'precondition-failed', []],
    ['a number that no version can have', '"99999999999999999999"', 412, 'precondition-failed', []],
    ['no quotes', '5', 400, 'request-invalid', []],
    ['nothing', '', 400, 'request-invalid', []],
  ])('is replaced only on top of what was read: %s', async (_, ifMatch, status, code, expected) => {
    const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
    const response = await app.inject({ method: 'PUT', url, headers, payload: intent });
    expect(response.statusCode).toBe(status);
    if (code !== undefined) expect(response.json()).toMatchObject({ code });
    expect(calls).toEqual(expected);
  });

  it('is deleted and acted on only with If-Match', async () => {
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(428);
    expect((await app.inject({ method: 'POST', url: `${url}/pin` })).statusCode).toBe(428);
    expect((await app.inject({ method: 'POST', url: `${url}/pin`, headers: { 'if-match': '"5"' } })).statusCode).toBe(
      200,
    );
    expect((await app.inject({ method: 'DELETE', url, headers: { 'if-match': '"5"' } })).statusCode).toBe(204);
    expect(calls).toEqual([
      ['pin', 5],
      ['delete', 5],
    ]);
  });

  it('is created by a PUT only with If-None-Match: *', async () => {
    const created = await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: intent });
    expect(created.statusCode).toBe(201);
    const other = await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '"5"' }, payload: intent });
    expect(other.statusCode).toBe(400);
    const both = await app.inject({
      method: 'PUT',
      url,
      headers: { 'if-none-match': '*', 'if-match': '*' },
      payload: intent,
    });
    expect(both.statusCode).toBe(400);
    expect(calls).toEqual([['create']]);
  });

  it('is not created over something else: a conflict by POST, a failed precondition by PUT', async () => {
    const payload = { ...intent, fallback: 'shortest-path' };
    const posted = await app.inject({ method: 'POST', url: '/v1/sr-policies', payload });
    expect(posted.json()).toMatchObject({ status: 409, code: 'already-exists' });
    const put = await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload });
    expect(put.json()).toMatchObject({ status: 412, code: 'precondition-failed', field: 'If-None-Match' });
  });
});

describe('the constraints of one link', () => {
  it.each([
    ['link-unknown', '/changes/0/link', { status: 404, code: 'not-found' }],
    ['precondition-failed', '/changes/0/ifVersion', { status: 412, code: 'precondition-failed', field: 'If-Match' }],
  ] as const)('do not speak of a bulk: %s', async (code, field, expected) => {
    const fault = new Problem(code, { detail: 'as the bulk has it', field });
    const one = await testApp({ topology: { setLinkConstraints: () => Promise.reject(fault) } });
    const response = await one.app.inject({
      method: 'DELETE',
      url: '/v1/links/a:b/constraints',
      headers: { 'if-match': '"1"' },
    });
    expect(response.json()).toMatchObject(expected);
    expect(response.body).not.toContain('/changes');
    await one.app.close();
  });
});
