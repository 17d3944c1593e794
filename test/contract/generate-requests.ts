import fc from 'fast-check';
import type { MediaType, OpenApiDocument, Operation, Parameter } from './openapi-document.js';
import { fitting, hostileScalars, spoiled } from './generate-values.js';

export interface ContractRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Requests for an operation: some as documented, some with one or more parts spoiled. */
export function requestsFor(document: OpenApiDocument, operation: Operation): fc.Arbitrary<ContractRequest> {
  return fc
    .tuple(
      fc.tuple(...inPlace(operation, 'path').map((parameter) => pathValue(document, parameter))),
      fc.tuple(...inPlace(operation, 'query').map((parameter) => queryValue(document, parameter))),
      fc.option(fc.constantFrom('extra=1', 'limit=1&limit=2', '__proto__=1', '%00=1', 'limit[]=1', '=', '&&', '%zz'), {
        freq: 10,
      }),
      headersFor(operation),
      bodyFor(document, operation),
    )
    .map(([path, query, extra, headers, body]) => {
      const names = inPlace(operation, 'path').map((parameter) => parameter.name);
      const filled = names.reduce((text, name, i) => text.replace(`{${name}}`, path[i] ?? ''), operation.path);
      const terms = [...query.filter((term) => term !== undefined), ...(extra === null ? [] : [extra])];
      return {
        method: operation.method,
        url: terms.length === 0 ? filled : `${filled}?${terms.join('&')}`,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': body.type }) },
        ...(body === undefined ? {} : { body: body.text }),
      };
    });
}

function inPlace(operation: Operation, place: Parameter['in']): readonly Parameter[] {
  return operation.parameters.filter((parameter) => parameter.in === place);
}

// An empty path parameter would be another path.
const hostileTexts = hostileScalars.filter((value) => typeof value === 'string' && value !== '' && value.length < 1000);

function parameterText(document: OpenApiDocument, parameter: Parameter): fc.Arbitrary<string> {
  const { example } = parameter;
  const asDocumented = fitting(document, parameter.schema);
  const good =
    example === undefined ? asDocumented : fc.oneof({ weight: 4, arbitrary: fc.constant(example) }, asDocumented);
  return fc
    .oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) })
    .map((value) => encodeURIComponent(String(value).replaceAll(/\p{Cs}/gu, '\ufffd')))
    .filter((text) => text !== '' && text !== '.' && text !== '..');
}

function pathValue(document: OpenApiDocument, parameter: Parameter): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 20, arbitrary: parameterText(document, parameter) },
    { weight: 1, arbitrary: fc.constantFrom('%ff', '%', '%2F', 'x'.repeat(2000)) },
  );
}

function queryValue(document: OpenApiDocument, parameter: Parameter): fc.Arbitrary<string | undefined> {
  const given = parameterText(document, parameter).map((text) => `${parameter.name}=${text}`);
  return parameter.required ? given : fc.option(given, { nil: undefined, freq: 2 });
}

const ifMatch = fc.constantFrom(
  '*',
  '*',
  '*',
  '"0"',
  '"1"',
  '"0", "1"',
  'W/"1"',
  '""',
  '1',
  '"',
  '*, *',
  '"99999999999999999999"',
  ' ',
);

const unknownKey = `wmk_${'0'.repeat(16)}_${'a'.repeat(43)}`;

function headersFor(operation: Operation): fc.Arbitrary<Readonly<Record<string, string>>> {
  const names = new Set(operation.parameters.map(({ name }) => name));
  const always = names.has('If-Match') ? { 'if-match': '*' } : {};
  const sometimes = [
    ['authorization', fc.constantFrom('', 'Bearer', 'Bearer x', 'Basic YTpi', `Bearer ${unknownKey}`, '\u00e9')],
    ['accept', fc.constantFrom('application/json', '*/*', 'text/html', 'application/problem+json', ';;;')],
    ['last-event-id', fc.constantFrom('', 'x-1', '-')],
    ...(names.has('If-Match') ? [['if-match', ifMatch] as const] : []),
    ...(names.has('If-None-Match') ? [['if-none-match', fc.constantFrom('*', '"1"', '')] as const] : []),
  ] as const;
  const chosen = sometimes.map(([name, values]) => {
    const header = values.map((value) => [name, value] as const);
    if (name !== 'authorization') return fc.option(header);
    // most get past the guard
    return fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: header });
  });
  return fc.tuple(fc.boolean(), ...chosen).map(([withAlways, ...headers]) => ({
    ...(withAlways ? always : {}),
    ...Object.fromEntries(headers.filter((header) => header !== null)),
  }));
}

interface Body {
  readonly type: string;
  readonly text: string;
}

const brokenTexts = [
  '',
  '{',
  '{"a":1}}',
  '[1,2',
  '"',
  'nul',
  '\ufeff{}',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}}}',
  '1e400',
  '[-0]',
  '['.repeat(20_000),
  '{"a":'.repeat(5000),
  '\u0000',
  '<a/>',
  'a: &a [*a]',
];

function bodyFor(document: OpenApiDocument, operation: Operation): fc.Arbitrary<Body | undefined> {
  const content = Object.entries(operation.requestBody?.content ?? {});
  const stray = fc.constantFrom<Body | undefined>(
    undefined,
    { type: 'application/json', text: '{}' },
    { type: 'text/xml', text: '<a/>' },
  );
  if (operation.method === 'GET') return fc.constant(undefined);
  if (content.length === 0) return fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, stray);
  return fc.oneof(
    ...content.map(([type, media]) => ({
      weight: type === 'application/json' ? 10 : 3,
      arbitrary: documentedBody(document, type, media),
    })),
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constantFrom(
          ...content.map(([type]) => type),
          'text/xml',
          'application/json; charset=utf-16',
          'multipart/form-data',
          '',
        ),
        text: fc.constantFrom(...brokenTexts),
      }),
    },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

function documentedBody(
  document: OpenApiDocument,
  type: string,
  { schema, examples = {} }: MediaType,
): fc.Arbitrary<Body> {
  const known = Object.values(examples).map(({ value }) => value);
  const good = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...known) },
    { weight: 2, arbitrary: fitting(document, schema) },
  );
  if (!type.endsWith('json'))
    return fc
      .oneof(
        good,
        good.map((text) => String(text).slice(1)),
      )
      .map((text) => ({ type, text: String(text) }));
  // JSON has no undefined: a value that was removed as a whole becomes null
  return fc.oneof(good, spoiled(good)).map((value) => ({ type, text: JSON.stringify(value ?? null) }));
}
