import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { problemCatalogue } from '../model/errors.js';
import { openapiDocument } from './document.js';

interface MediaType {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description?: string;
    readonly example?: unknown;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, MediaType>> }>
  >;
}

interface Document {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly examples: Readonly<Record<string, { readonly value: { readonly status: number } }>>;
    readonly schemas: Readonly<
      Record<string, { readonly description?: string; readonly examples?: readonly unknown[] }>
    >;
  };
}

const root = new URL('../../../../', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
const document = JSON.parse(JSON.stringify(await openapiDocument(version))) as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'document', ...document });

function fits(schema: object, value: unknown): string {
  const resolved = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components')) as object;
  ajv.validate(resolved, value);
  return ajv.errorsText(ajv.errors);
}

describe('the OpenAPI document', () => {
  it('is the committed one (npm run openapi writes it)', async () => {
    const committed: unknown = JSON.parse(await readFile(new URL('openapi/openapi.json', root), 'utf8'));
    expect(committed).toEqual(document);
  });

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>);
    expect(result.errors).toBeUndefined();
    expect(validator.version).toBe('3.1');
  });

  it('has an operation id of its own for each operation', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
    expect(ids).not.toContain(undefined);
  });

  it.each(operations)('says what $name does, with a known tag', ({ operation }) => {
    expect(operation.summary).toMatch(/\w/);
    expect(operation.description).toMatch(/\w/);
    const known = document.tags.map((tag) => tag.name);
    expect(known).toEqual(expect.arrayContaining([...(operation.tags ?? ['none'])]));
  });

  it.each(operations)('describes every parameter of $name', ({ operation }) => {
    for (const parameter of operation.parameters ?? []) {
      expect(parameter.description, parameter.name).toMatch(/\w/);
      if (parameter.in === 'path') expect(parameter.example, parameter.name).toBeDefined();
    }
  });

  it.each(operations.filter(({ operation }) => operation.requestBody !== undefined))(
    'gives $name examples of its body that fit its schema',
    ({ operation }) => {
      for (const [type, media] of Object.entries(operation.requestBody?.content ?? {})) {
        const examples = [
          ...Object.values(media.examples ?? {}).map(({ value }) => value),
          ...(media.example === undefined ? [] : [media.example]),
        ];
        expect(examples.length, type).toBeGreaterThan(0);
        for (const example of examples) expect(fits(media.schema, example)).toBe('No errors');
      }
    },
  );

  it.each(operations)('documents the problems of $name with their media type', ({ operation }) => {
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue;
      expect(Object.keys(response.content ?? {})).toEqual(['application/problem+json']);
      const codes = [...response.description.matchAll(/`([a-z0-9-]+)`/g)].map((match) => match[1] ?? '');
      expect(codes.length).toBeGreaterThan(0);
      for (const code of codes) expect(problemCatalogue).toHaveProperty(code);
      const examples = Object.entries(response.content?.['application/problem+json']?.examples ?? {});
      expect(examples.map(([code]) => code)).toEqual(codes);
      for (const [code, example] of examples) {
        expect(example).toEqual({ $ref: `#/components/examples/${code}` });
        expect(document.components.examples[code]?.value.status).toBe(Number(status));
      }
    }
  });

  it.each(Object.entries(document.components.schemas))('describes schema %s, and its examples fit it', (_, schema) => {
    expect(schema.description).toMatch(/\w/);
    for (const example of schema.examples ?? []) expect(fits(schema, example)).toBe('No errors');
  });
});

describe('the examples of problems', () => {
  it.each(Object.entries(document.components.examples))('%s fits the schema of problems', (_, { value }) => {
    expect(fits({ $ref: '#/components/schemas/Problem' }, value)).toBe('No errors');
  });
});

describe('docs/errors.md', () => {
  it('lists exactly the catalogue of problems', async () => {
    const text = await readFile(new URL('docs/errors.md', root), 'utf8');
    const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` *\| (\d{3}) *\| (.*?) *\| (.*?) *\|$/gm)];
    const documented = rows.map(([, code, status, title, remedy]) => [code, { status: Number(status), title, remedy }]);
    expect(Object.fromEntries(documented)).toEqual(problemCatalogue);
  });
});
