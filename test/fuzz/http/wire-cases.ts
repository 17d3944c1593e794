import type { Operation } from '../../contract/openapi-document.js';
import type { Random } from '../random.js';
import { httpCase, type HttpCase } from './http-case.js';
import { seedBodies, urlOf, usualHeaders } from './requests.js';

const etags = [
  '*',
  '"0"',
  '"1"',
  'W/"1"',
  '""',
  '"',
  '1',
  '*, *',
  '"0", "1"',
  '"99999999999999999999"',
  '"-1"',
  '"1e3"',
  ' ',
  '\u00e9',
  '"a"b',
  '"\\""',
  'x'.repeat(7_000),
];
const types = [
  ...[
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
  ],
  ...[
    'application/json; charset=',
    'application/json;;',
    'APPLICATION/JSON',
    'text/json',
    'application/*',
    '*/*',
    'application/json, text/plain',
  ],
  ...[
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/yaml',
    '',
    'application/json\t',
    'a',
    'application/problem+json',
  ],
];
const encodings = ['gzip', 'deflate', 'br', 'identity', 'GZIP', 'gzip, gzip', 'x', '*'];

/** Headers as clients should not send them; the rest of the request is right. */
export function withHostileHeaders(random: Random, operation: Operation, authorization: string): HttpCase {
  const body = operation.requestBody === undefined ? undefined : random.pick(seedBodies(operation));
  const content = body === undefined ? '' : typeof body.value === 'string' ? body.value : JSON.stringify(body.value);
  const usual = { ...usualHeaders(operation, body), authorization };
  const changed = random.pick<() => Readonly<Record<string, string>>>([
    () => ({ 'if-match': random.pick(etags) }),
    () => ({ 'if-none-match': random.pick(etags) }),
    () => ({ 'if-match': random.pick(etags), 'if-none-match': random.pick(etags) }),
    () => ({ 'content-type': random.pick(types) }),
    () => ({ 'content-encoding': random.pick(encodings) }),
    () => ({ accept: random.pick(['', ';;;', '*/*;q=2', 'text/html', 'application/json;q=0', ','.repeat(5_000)]) }),
    () => ({
      authorization: random.pick([
        '',
        'Bearer',
        'Bearer ',
        'bearer x',
        `Bearer ${'a'.repeat(8_000)}`,
        'Basic YTpi',
        'Bearer a.b.c',
        'Bearer \u00e9',
      ]),
    }),
    () => ({ 'last-event-id': random.pick(['', '-1', 'a-b', '9'.repeat(400), '\u00e9']) }),
    () => ({ expect: random.pick(['100-continue', '200-ok', '']) }),
    () => ({ host: random.pick(['', 'a b', '127.0.0.1', 'evil.example', '[::1', 'a:99999']) }),
    () => ({ 'x-forwarded-for': 'x'.repeat(random.pick([10, 9_000, 20_000])) }),
    () => ({ 'x-http-method-override': 'DELETE', 'x-request-id': '\u0001', 'accept-version': '9' }),
    () => ({ upgrade: random.pick(['h2c', 'websocket']), connection: 'close, upgrade' }),
    () => ({ range: 'bytes=0-99999999999', 'accept-encoding': 'gzip;q=x' }),
  ])();
  const headers = {
    host: 'localhost',
    connection: 'close',
    ...usual,
    ...(content === '' ? {} : { 'content-length': String(Buffer.byteLength(content)) }),
    ...changed,
  };
  const url = `${urlOf(random, operation)}${operation.operationId === 'importTopology' ? '?dryRun=true' : ''}`;
  const head = [
    `${operation.method} ${url} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n');
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), Buffer.from(content)]);
  return httpCase({ kind: 'header', operation, method: operation.method, url, headers, bytes });
}

/** What no HTTP client would send: lies about lengths, chunks that are none, other protocols. */
export function brokenWire(random: Random, authorization: string): HttpCase {
  const head = (...lines: readonly string[]): string =>
    [
      'POST /v1/path-computations HTTP/1.1',
      'Host: a',
      `Authorization: ${authorization}`,
      'Content-Type: application/json',
      ...lines,
      '',
      '',
    ].join('\r\n');
  const get = `GET /v1/topology HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n`;
  const noise = random.bytes(1 + random.below(400)).toString('latin1');
  const text = random.pick<() => string>([
    () => `${head('Content-Length: 5')}{}`,
    () => `${head('Content-Length: 1')}{} and more`,
    () => `${head('Content-Length: -1')}{}`,
    () => `${head('Content-Length: 99999999999999999999')}{}`,
    () => `${head('Content-Length: 2', 'Content-Length: 3')}{}`,
    () => `${head('Content-Length: 2', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`,
    () =>
      `${head('Transfer-Encoding: chunked')}${random.pick(['zz\r\n{}', '-1\r\n', 'ffffffffffffffffff\r\n{}', '2\r\n{}{}\r\n0\r\n\r\n', '2\n{}\n0\n\n', '2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n', '0\r\n\r\n'])}`,
    () => `${head('Transfer-Encoding: gzip, chunked')}2\r\n{}\r\n0\r\n\r\n`,
    () => `${head('Transfer-Encoding: chunked, identity')}2\r\n{}\r\n0\r\n\r\n`,
    () => `${head('X-A: b\r\n folded', 'Content-Length: 2')}{}`,
    () => `${head('X-A: b\u0000c', 'Content-Length: 2')}{}`,
    () => `${head('X A: b', 'Content-Length: 2')}{}`,
    () => `${head(': b', 'Content-Length: 2')}{}`,
    () => `${head(`X-A: ${'a'.repeat(70_000)}`, 'Content-Length: 2')}{}`,
    () => `${head(...Array.from({ length: 3_000 }, (_, i) => `X-${i}: a`), 'Content-Length: 2')}{}`,
    () => `${get}\r\n${get}\r\n${noise}`,
    () => `${get}Connection: close\r\n\r\n${get}\r\n`,
    () =>
      `${get.replace('/v1/topology', random.pick(['*', 'http://evil.example/v1/topology', '//v1/topology', '/v1/topology#x', '/v1/../v1/topology', '/v1/topology?\u0001', '/\u00e9', 'v1', `/${'a'.repeat(20_000)}`]))}Connection: close\r\n\r\n`,
    () =>
      `${get.replace('GET', random.pick(['PRI', 'TRACE', 'CONNECT', 'OPTIONS', 'HEAD', 'FOO', 'get', 'G\u0000T', 'PROPFIND', '']))}Connection: close\r\n\r\n`,
    () =>
      `${get.replace('HTTP/1.1', random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'HTTP/1.', '', 'http/1.1']))}Connection: close\r\n\r\n`,
    () => get.replace('\r\nHost: a', '').concat('Connection: close\r\n\r\n'),
    () => `GET /v1/topology\r\n\r\n`,
    () => get.replaceAll('\r\n', '\n').concat('Connection: close\n\n'),
    () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000',
    () => `\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003${noise}`,
    () => `*1\r\n$4\r\nPING\r\n`,
    () => noise,
    () => get.slice(0, random.below(get.length)),
  ])();
  return httpCase({ kind: 'wire', method: 'RAW', url: '', headers: {}, bytes: Buffer.from(text, 'latin1') });
}

const outside = [
  '../',
  '..%2f',
  '%2e%2e/',
  '%2e%2e%2f',
  '..\\',
  '..%5c',
  '....//',
  '%252e%252e%252f',
  '.%00./',
  '/',
  '%c0%ae%c0%ae/',
  './',
  '%2f',
];
const files = [
  'package.json',
  'etc/passwd',
  'index.html',
  'static/index.html',
  'static/swagger-ui.css',
  'initOAuth',
  'json',
  'yaml',
  'a\\b',
  '.git/config',
  'proc/self/environ',
  '%00',
  '',
];

/** Paths that want out of the folder with the files of Swagger UI. */
export function outOfFolder(random: Random): HttpCase {
  const url = `${random.pick(['/docs/', '/docs/static/', '/docs', '/docs/static', '/', '/v1/../docs/static/'])}${random.pick(outside).repeat(random.below(8))}${random.pick(files)}`;
  const method = random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE']);
  const bytes = Buffer.from(`${method} ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 'latin1');
  return httpCase({ kind: 'static file', method, url, headers: {}, bytes });
}
