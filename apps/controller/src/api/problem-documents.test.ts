import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../model/errors.js';
import { OutcomeUnknown } from '../model/outage.js';
import type { StatedServices } from '../testing/fixed-services.js';
import { testApp } from '../testing/test-app.js';
import type { ApiApp } from './type-provider.js';

let opened: ApiApp | undefined;
afterEach(() => opened?.close());

async function open(stated: StatedServices = {}) {
  const { app, log } = await testApp(stated);
  opened = app;
  return { app, log };
}

const path = { source: 'a', destination: 'b', metric: 'igp', constraints: {} };

describe('every error is a problem document', () => {
  it.each([
    ['an unknown path', 'GET', '/v2/nodes', 404, 'route-unknown'],
    ['an unknown method', 'PATCH', '/v1/nodes', 405, 'method-not-allowed'],
    ['an unknown method outside /v1', 'DELETE', '/healthz', 405, 'method-not-allowed'],
    ['a path out of Swagger UI', 'GET', '/docs/static/../../../package.json', 404, 'route-unknown'],
    ['a path that cannot be decoded', 'GET', '/v1/nodes/%E0%A4%A', 400, 'request-invalid'],
    ['a path parameter off its pattern', 'GET', '/v1/nodes/-a', 400, 'request-invalid'],
    ['an unknown query parameter', 'GET', '/v1/topology?verbose=1', 400, 'request-invalid'],
    ['a query parameter of the wrong type', 'GET', '/v1/nodes?limit=ten', 400, 'request-invalid'],
    ['an empty number', 'GET', '/v1/nodes?limit=', 400, 'request-invalid'],
    ['a parameter given twice', 'GET', '/v1/nodes?limit=1&limit=2', 400, 'request-invalid'],
    ['a missing body', 'POST', '/v1/path-computations', 400, 'request-invalid'],
  ] as const)('%s', async (_, method, url, status, code) => {
    const { app } = await open();
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ status, code, type: `urn:waymark:problem:${code}` });
  });

  it.each([
    ['malformed JSON', '{"source":', 'application/json', 400, 'body-malformed'],
    ['an empty body', '', 'application/json', 400, 'body-malformed'],
    ['a prototype in disguise', '{"__proto__": {"a": 1}}', 'application/json', 400, 'body-malformed'],
    ['what is no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'application/json', 400, 'body-malformed'],
    ['another charset', '{}', 'application/json; charset=utf-16', 415, 'media-type-unsupported'],
    ['another media type', 'source=a', 'application/x-www-form-urlencoded', 415, 'media-type-unsupported'],
    ['a media type of another operation', 'a: 1', 'application/yaml', 415, 'media-type-unsupported'],
    ['a large body', `"${'x'.repeat(2_000_000)}"`, 'application/json', 413, 'body-too-large'],
  ])('%s', async (_, payload, type, status, code) => {
    const { app } = await open();
    const response = await app.inject({
      method: 'POST',
      url: '/v1/path-computations',
      payload,
      headers: { 'content-type': type },
    });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ status, code });
  });

  it.each([
    ['no media type', { 'content-length': '2' }, 'Content-Type'],
    ['a compressed body', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'Content-Encoding'],
  ])('%s', async (_, headers, field) => {
    const { app } = await open();
    const response = await app.inject({ method: 'POST', url: '/v1/path-computations', payload: '{}', headers });
    expect(response.json()).toMatchObject({ status: 415, code: 'media-type-unsupported', field });
  });

  it('half a character in a text', async () => {
    const { app } = await open();
    const response = await app.inject({
      method: 'POST',
      url: '/v1/sr-policies',
      headers: { 'content-type': 'application/json' },
      payload: '{"headend":"a","color":1,"endpoint":"b","candidatePaths":[],"fallback":"drop","name":"\\ud800"}',
    });
    expect(response.json()).toMatchObject({ status: 400, field: '/name' });
  });

  it('lists the methods of a path', async () => {
    const { app } = await open();
    const response = await app.inject({ method: 'POST', url: '/v1/links/a:b/constraints' });
    expect(response.headers['allow']).toBe('DELETE, GET, HEAD, PATCH, PUT');
  });

  it('what the HTTP parser refuses', async () => {
    const { app } = await open();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1', () =>
        socket.write('NONSENSE\r\n\r\n'),
      );
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part));
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 400, code: 'request-invalid' });
  });
});

describe('a problem names the field', () => {
  it.each([
    ['a missing member', { ...path, metric: undefined }, '/metric'],
    ['an unknown member', { ...path, constraints: { bound: 1 } }, '/constraints/bound'],
    ['a number in quotes', { ...path, k: '3' }, '/k'],
    ['null', { ...path, k: null }, '/k'],
    ['a number that is too large', { ...path, revision: 2 ** 53 }, '/revision'],
    ['a word that is not one of those allowed', { ...path, metric: 'cost' }, '/metric'],
    [
      'an item of a list',
      { ...path, constraints: { bounds: [{ metric: 'delay', max: -1 }] } },
      '/constraints/bounds/0/max',
    ],
    ['a member with a slash in its name', { ...path, 'a/b': 1 }, '/a~1b'],
  ])('%s', async (_, payload, field) => {
    const { app } = await open();
    const response = await app.inject({ method: 'POST', url: '/v1/path-computations', payload });
    expect(response.json()).toMatchObject({ code: 'request-invalid', field });
  });

  it('that a service names', async () => {
    const { app } = await open({
      paths: { compute: () => Promise.reject(new Problem('node-unknown', { detail: 'no "a"', field: '/source' })) },
    });
    const response = await app.inject({ method: 'POST', url: '/v1/path-computations', payload: path });
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({
      code: 'node-unknown',
      detail: 'no "a"',
      field: '/source',
      remedy: 'Use an id from GET /v1/nodes.',
    });
  });
});

describe('what nobody foresaw', () => {
  it('is logged with the request id, and its details stay here', async () => {
    const { app, log } = await open({ topology: { head: () => Promise.reject(new Error('the secret of table x')) } });
    const response = await app.inject('/v1/topology');
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toContain('secret');
    const { code, requestId } = response.json<{ code: string; requestId: string }>();
    expect(code).toBe('internal-error');
    expect(log.join('')).toContain('the secret of table x');
    expect(log.join('')).toContain(requestId);
  });

  it('is a 503 with Retry-After when the database is gone', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const { app } = await open({ topology: { head: () => Promise.reject(new AggregateError([refused])) } });
    const response = await app.inject('/v1/topology');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ code: 'service-unavailable', retryAfterSeconds: 1 });
  });

  it('is a 503 with Retry-After when the disk of the database is full', async () => {
    const full = Object.assign(new Error('could not extend file'), { code: '53100' });
    const { app } = await open({ topology: { head: () => Promise.reject(full) } });
    const response = await app.inject('/v1/topology');
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ code: 'service-unavailable', retryAfterSeconds: 1 });
  });

  it('does not claim that nothing was written when the database went away during the commit', async () => {
    const lost = new OutcomeUnknown(new Error('Connection terminated unexpectedly'));
    const { app } = await open({ topology: { importTopology: () => Promise.reject(lost) } });
    const payload = { format: 'native', source: 'lab', content: 'waymark: 1' };
    const response = await app.inject({ method: 'POST', url: '/v1/topology/imports', payload });
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ code: 'outcome-unknown', retryAfterSeconds: 1 });
  });

  it('quotes nothing unprintable', async () => {
    const { app } = await open();
    const response = await app.inject({
      method: 'POST',
      url: '/v1/path-computations',
      payload: { ...path, '\u0000\u001b[31m\ud800': 1 },
    });
    expect(response.statusCode).toBe(400);
    expect(response.json<{ field: string }>().field).toBe('/\ufffd\ufffd[31m\ufffd');
  });
});
