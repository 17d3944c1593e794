import fc from 'fast-check';
import { requestsFor } from '../../contract/generate-requests.js';
import type { OpenApiDocument, Operation } from '../../contract/openapi-document.js';
import { hostileAddresses, hostileNumbers, hostileTexts, nested } from '../hostile-values.js';
import { withHostileShape, withHostileValue } from '../mutate-json.js';
import type { Random } from '../random.js';
import { RawJson, rawJson } from '../raw-json.js';
import { httpCase, type HttpCase } from './http-case.js';
import { seedBodies, urlOf, usualHeaders, type SeedBody } from './requests.js';

/** Requests as the contract test makes them: as documented, or with one or more parts spoiled. */
export class DocumentedRequests {
  readonly #document: OpenApiDocument;
  readonly #arbitraries = new Map<string, ReturnType<typeof requestsFor>>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  one(random: Random, operation: Operation): HttpCase {
    const known = this.#arbitraries.get(operation.operationId) ?? requestsFor(this.#document, operation);
    this.#arbitraries.set(operation.operationId, known);
    const [made] = fc.sample(known, { seed: random.bits() | 0, numRuns: 1 });
    if (made === undefined) throw new Error('no request was made');
    const { method, url, headers, body } = made;
    return httpCase({
      kind: 'documented',
      operation,
      method,
      url,
      headers,
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    });
  }
}

export function withSpoiledBody(document: OpenApiDocument, random: Random, operation: Operation): HttpCase {
  const seed = random.pick(seedBodies(operation));
  const kind = random.weighted({ 'body value': 6, 'body shape': 2, 'body twice': 1, 'body bytes': 1 });
  const made =
    typeof seed.value === 'string' || kind === 'body bytes' ? bytesOf(random, seed) : jsonOf(random, seed, kind);
  const url = `${urlOf(random, operation)}${operation.operationId === 'importTopology' ? '?dryRun=true' : ''}`;
  return httpCase({
    ...{ kind, operation, method: operation.method, url, headers: usualHeaders(operation, seed), body: made },
    mustRefuse: isMisfit(document, operation, seed.type, made),
  });
}

function jsonOf(random: Random, { value }: SeedBody, kind: 'body value' | 'body shape' | 'body twice'): Buffer {
  const once = kind === 'body shape' ? withHostileShape(random, value) : withHostileValue(random, value);
  const all = kind === 'body twice' && !hasRaw(once.value) ? withHostileValue(random, once.value) : once;
  return Buffer.from(rawJson(all.value));
}

function hasRaw(value: unknown): boolean {
  if (value instanceof RawJson) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasRaw);
}

const junk = ['\u0000', '\ufeff', ' ', '}', ']', '"', '\\', '//', '/*', ',', 'null', '\u2028', '\r\n', '<!--'].map(
  (text) => Buffer.from(text),
);
/** No UTF-8: a lone continuation, a cut sequence, an overlong slash, half a surrogate pair, beyond Unicode. */
const noUtf8 = [[0x80], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff, 0xfe]].map((bytes) =>
  Buffer.from(bytes),
);

function bytesOf(random: Random, { value }: SeedBody): Buffer {
  const good = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const at = random.below(good.length + 1);
  const [before, after] = [good.subarray(0, at), good.subarray(at)];
  return random.pick([
    () => before,
    () => after,
    () => Buffer.concat([good, good]),
    () => Buffer.concat([before, random.pick(junk), after]),
    () => Buffer.concat([before, random.pick(noUtf8), after]),
    () => Buffer.concat([before, random.bytes(1 + random.below(8)), after]),
    () => Buffer.concat([before, after.subarray(1)]),
    () => Buffer.from(good.toString(), 'utf16le'),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good]),
    () => Buffer.from(nested(random)),
    () => random.bytes(random.below(300)),
    () => (random.chance(0.02) ? Buffer.alloc(10_000_000, random.pick(['a', ' ', '[', '0'])) : Buffer.alloc(0)),
  ])();
}

/** By a reader and a validator that are not the controller's. Raw texts are read by the importer, not by a schema. */
function isMisfit(document: OpenApiDocument, operation: Operation, type: string, body: Buffer): boolean {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return true;
  }
  const schema = operation.requestBody?.content[type]?.schema;
  if (schema === undefined || !type.endsWith('json')) return false;
  try {
    return document.misfit(schema, JSON.parse(text)) !== undefined;
  } catch {
    return true;
  }
}

export function withSpoiledParameter(random: Random, operation: Operation): HttpCase {
  const body = operation.requestBody === undefined ? undefined : random.pick(seedBodies(operation));
  const inQuery = operation.parameters.filter((parameter) => parameter.in === 'query');
  const value = (): string => {
    const text = random.pick([...hostileTexts, ...hostileAddresses, ...hostileNumbers.map((one) => rawJson(one))]);
    return random.chance(0.15)
      ? random.pick(['%', '%ff', '%c0%af', '%ed%a0%80', '%00', '%2e%2e%2f', '+', '%E2%80%AE'])
      : encoded(text);
  };
  const path =
    /\{\w+\}/.test(operation.path) && random.chance(0.5)
      ? operation.path.replaceAll(/\{\w+\}/g, () => value())
      : urlOf(random, operation);
  const terms = Array.from({ length: random.below(4) }, () => {
    const name =
      inQuery.length > 0 && random.chance(0.8)
        ? random.pick(inQuery).name
        : encoded(random.pick(hostileTexts).slice(0, 200));
    return random.chance(0.1) ? name : `${name}${random.pick(['=', '=', '=', '[]=', '[a]=', '=='])}${value()}`;
  });
  const doubled = random.chance(0.2) ? [...terms, ...terms] : terms;
  return httpCase({
    ...{ kind: 'parameter', operation, method: operation.method, headers: usualHeaders(operation, body) },
    url: `${path.slice(0, 14_000)}${doubled.length === 0 ? '' : `?${doubled.join('&')}`.slice(0, 14_000)}`,
    ...(body === undefined
      ? {}
      : { body: Buffer.from(typeof body.value === 'string' ? body.value : JSON.stringify(body.value)) }),
  });
}

function encoded(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '\ufffd'));
}
