import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import * as contract from './index.js';

type Json = Readonly<Record<string, unknown>>;

const named = Object.entries(contract).filter(([, value]) => isRecord(value) && 'title' in value) as [string, Json][];

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const validators = new Map<string, ValidateFunction>();

function validatorOf(schema: Json): ValidateFunction {
  const text = JSON.stringify(schema);
  const validate = validators.get(text) ?? new Ajv().compile(schema);
  validators.set(text, validate);
  return validate;
}

/** Every schema below `schema`, with its path. */
function* schemasIn(schema: unknown, path: string): Generator<readonly [string, Json]> {
  if (!isRecord(schema)) return;
  yield [path, schema];
  for (const [name, property] of Object.entries((schema['properties'] ?? {}) as Json))
    yield* schemasIn(property, `${path}.${name}`);
  for (const [name, value] of Object.entries((schema['patternProperties'] ?? {}) as Json))
    yield* schemasIn(value, `${path}.${name}`);
  for (const [i, branch] of ((schema['anyOf'] ?? []) as Json[]).entries())
    yield* schemasIn(branch, `${path}|${String(i)}`);
  yield* schemasIn(schema['items'], `${path}[]`);
}

describe.each(named)('%s', (title, schema) => {
  const all = [...schemasIn(schema, title)];

  it('has no id that a URL takes for a step up', () => {
    const patterns = all.flatMap(([path, { pattern }]) =>
      path.endsWith('.id') && typeof pattern === 'string' ? [[path, new RegExp(pattern)] as const] : [],
    );
    // What may contain a space is told in words, not asked for in a path.
    const ids = patterns.filter(([, pattern]) => !pattern.test('a b'));
    for (const [path, pattern] of ids) expect('..', path).not.toMatch(pattern);
  });

  it('bounds every integer by 2^53 - 1', () => {
    for (const [path, one] of all.filter(([, { type }]) => type === 'integer' || type === 'number')) {
      expect(one['maximum'], path).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
      expect(one['minimum'], path).toBeTypeOf('number');
    }
  });

  it('bounds every text and every list', () => {
    for (const [path, one] of all) {
      if (one['type'] === 'string') expect(one['maxLength'] ?? one['enum'] ?? one['const'], path).toBeDefined();
      if (one['type'] === 'array') expect(one['maxItems'], path).toBeTypeOf('number');
    }
  });

  it('refuses unknown members', () => {
    for (const [path, one] of all.filter(([, { type }]) => type === 'object')) {
      expect(one['additionalProperties'] === false || 'patternProperties' in one, path).toBe(true);
    }
  });

  it('describes itself and every property', () => {
    for (const [path, one] of all.filter(([, { type }]) => type !== 'null'))
      expect(one['description'], path).toMatch(/\w/);
  });

  it('has examples that fit it', () => {
    for (const [path, one] of all) {
      for (const example of (one['examples'] ?? []) as unknown[]) {
        const validate = validatorOf(one);
        validate(example);
        expect(validate.errors, `${path}: ${JSON.stringify(example)}`).toBeNull();
      }
    }
  });
});

describe('the contract', () => {
  it('has a title for itself in each named schema', () => {
    const byTitle = new Map<unknown, string>();
    for (const [, root] of named) {
      for (const [path, schema] of schemasIn(root, '')) {
        const { title } = schema;
        if (title === undefined) continue;
        const text = JSON.stringify({ ...schema, examples: undefined });
        expect(byTitle.get(title) ?? text, path).toBe(text);
        byTitle.set(title, text);
      }
    }
    expect(byTitle.size).toBeGreaterThan(50);
  });

  it('has an example for every request body', () => {
    const requests = named.filter(
      ([title]) => /Request$|Intent$|Batch$|^Bulk|Constraints$/.test(title) && !/Result$/.test(title),
    );
    expect(requests.length).toBeGreaterThan(8);
    for (const [title, schema] of requests) expect(schema['examples'], title).not.toHaveLength(0);
  });
});
