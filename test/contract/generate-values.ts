import fc from 'fast-check';
import type { OpenApiDocument, Schema } from './openapi-document.js';

/** Values that fit a schema. Examples, which exist in the demo, come often, so that requests get past the first check. */
export function fitting(document: OpenApiDocument, reference: Schema): fc.Arbitrary<unknown> {
  const schema = document.resolve(reference);
  const examples = (schema['examples'] ?? []) as readonly unknown[];
  const generated = generate(document, schema);
  return examples.length === 0
    ? generated
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...examples) }, { weight: 2, arbitrary: generated });
}

function generate(document: OpenApiDocument, schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema['const']);
  if ('enum' in schema) return fc.constantFrom(...(schema['enum'] as readonly unknown[]));
  if ('anyOf' in schema)
    return fc.oneof(...(schema['anyOf'] as readonly Schema[]).map((branch) => fitting(document, branch)));
  switch (schema['type']) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integers(schema as { readonly minimum: number; readonly maximum: number });
    case 'number': {
      const { minimum, maximum } = schema as unknown as { readonly minimum: number; readonly maximum: number };
      return fc.double({ min: minimum, max: maximum, noNaN: true });
    }
    case 'string':
      return texts(schema);
    case 'array':
      return arrays(document, schema);
    case 'object':
      return objects(document, schema);
    default:
      throw new Error(`no generator for ${JSON.stringify(schema)}`);
  }
}

function integers({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(minimum, maximum, Math.min(minimum + 1, maximum), Math.max(maximum - 1, minimum)),
    fc.integer({ min: minimum, max: Math.min(maximum, minimum + 1000) }),
    fc.integer({ min: minimum, max: maximum }),
  );
}

function texts(schema: {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}): fc.Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = 1000 } = schema;
  const limit = Math.min(maxLength, 300);
  if (pattern === undefined) return fc.string({ unit: 'grapheme', minLength, maxLength: limit });
  return fc.stringMatching(new RegExp(pattern, 'u')).filter((text) => text.length >= minLength && text.length <= limit);
}

function arrays(document: OpenApiDocument, schema: Schema): fc.Arbitrary<unknown[]> {
  const {
    items,
    minItems = 0,
    maxItems,
    uniqueItems = false,
  } = schema as {
    readonly items: Schema;
    readonly minItems?: number;
    readonly maxItems: number;
    readonly uniqueItems?: boolean;
  };
  const options = { minLength: minItems, maxLength: Math.min(maxItems, minItems + 3) };
  const item = fitting(document, items);
  return uniqueItems ? fc.uniqueArray(item, options) : fc.array(item, options);
}

function objects(document: OpenApiDocument, schema: Schema): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: string[];
  };
  const arbitraries = Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, fitting(document, one)]),
  );
  return fc.record(arbitraries, { requiredKeys: required, noNullPrototype: true });
}

/** Things that programs send by mistake, and people on purpose. */
export const hostileScalars: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  -0,
  2 ** 53,
  1e308,
  -(2 ** 63),
  '',
  ' ',
  '0',
  'null',
  '\u0000',
  '\ud800',
  '\u202e\u0130\ufb01',
  '\u{1f4a9}',
  "'; drop table head; --",
  '../../etc/passwd',
  '${jndi:ldap://localhost/a}',
  '<script>alert(1)</script>',
  '%00%0d%0a',
  '__proto__',
  'constructor',
  'x'.repeat(100_000),
  [],
  [[]],
  {},
  { kind: 'none' },
  { toString: 1, length: -1 },
];

type Mutation = (value: unknown) => unknown;

/** A value with one thing changed somewhere inside: another type, a missing member, an unknown one, an item too many. */
export function spoiled(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const replace = fc.constantFrom(...hostileScalars).map(
    (scalar): Mutation =>
      () =>
        scalar,
  );
  const remove = fc.nat().map(
    (n): Mutation =>
      (inner) =>
        withoutMember(inner, n),
  );
  const add = fc
    .tuple(
      fc.constantFrom('extra', '', 'a/b~c', 'constructor', '\u0000', 'toString'),
      fc.constantFrom(...hostileScalars),
    )
    .map(
      ([name, scalar]): Mutation =>
        (inner) =>
          withMember(inner, name, scalar),
    );
  const repeat = fc.nat({ max: 300 }).map(
    (n): Mutation =>
      (inner) =>
        repeated(inner, n),
  );
  return fc
    .tuple(
      value,
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.oneof({ weight: 3, arbitrary: replace }, remove, add, repeat),
    )
    .map(([whole, steps, mutation]) => changeAt(whole, steps, mutation));
}

function changeAt(value: unknown, steps: readonly number[], mutation: Mutation): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== 'object' || value === null) return mutation(value);
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return mutation(value);
  if (Array.isArray(value)) return value.with(Number(key), changeAt(value[Number(key)], rest, mutation));
  return { ...value, [key]: changeAt((value as Readonly<Record<string, unknown>>)[key], rest, mutation) };
}

function withoutMember(value: unknown, n: number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return value.slice(1);
  const keys = Object.keys(value);
  const gone = keys[n % Math.max(1, keys.length)];
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== gone));
}

function withMember(value: unknown, name: string, member: unknown): unknown {
  if (typeof value !== 'object' || value === null) return member;
  return Array.isArray(value) ? [...(value as readonly unknown[]), member] : { ...value, [name]: member };
}

function repeated(value: unknown, n: number): unknown {
  if (typeof value === 'string') return value.repeat(n);
  if (typeof value === 'number') return value * n;
  return Array.isArray(value) ? Array.from({ length: n }, () => value[0] as unknown) : value;
}
