import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import {
  customResourceKinds,
  objectSchema,
  type CustomResourceKind,
  type StructuralSchema,
} from '@waymark/kubernetes-resources';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { fitting, spoiled } from './generate-values.js';
import type { OpenApiDocument, Schema } from './openapi-document.js';

/** What an API server does with an object before it stores it: prunes what it does not know, and fills in defaults. */
function admit(kind: CustomResourceKind): (spec: unknown) => { readonly spec: unknown } | undefined {
  const ajv = new Ajv2020({ useDefaults: true, strict: false, formats: { int64: true } });
  ajv.addKeyword({
    keyword: 'x-kubernetes-list-type',
    type: 'array',
    schema: true,
    validate: (listType: string, items: readonly unknown[]) =>
      listType !== 'set' || new Set(items).size === items.length,
  });
  const schema = objectSchema(kind);
  const validate = ajv.compile(schema);
  return (spec) => {
    const object = prune(schema, { spec }) as { readonly spec: unknown };
    return validate(object) ? object : undefined;
  };
}

function prune(schema: StructuralSchema, value: unknown): unknown {
  const { items, properties } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => prune(items, item));
  if (properties === undefined || typeof value !== 'object' || value === null) return value;
  const known = Object.entries(properties).filter(([name]) => Object.hasOwn(value, name));
  return Object.fromEntries(
    known.map(([name, member]) => [name, prune(member, (value as Readonly<Record<string, unknown>>)[name])]),
  );
}

/** Where the REST API takes one or a list, and an object always has a list. */
const listed: readonly string[] = ['disjoint'];

/** As it comes to an API server: null is absence, and half a surrogate pair does not survive UTF-8. */
function asSent(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\ufffd');
  if (Array.isArray(value)) return value.map(asSent);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    members.map(([name, member]) => {
      const sent: unknown = asSent(member);
      return [name, listed.includes(name) && typeof sent === 'string' ? [sent] : sent];
    }),
  );
}

const inline = { resolve: (schema: Schema) => schema } as unknown as OpenApiDocument;

describe.each(customResourceKinds.map((kind) => [kind.kind, kind] as const))('%s', (_, kind) => {
  const admitted = admit(kind);
  const specs = fc.tuple(fitting(inline, kind.spec as Schema), fc.nat({ max: 5 })).map(([spec, kept]) => {
    const foreign = kind.exactlyOne?.filter((_, i) => kept > 1 && i !== kept % 2) ?? [];
    return asSent(Object.fromEntries(Object.entries(spec as object).filter(([name]) => !foreign.includes(name))));
  });
  const exactlyOne = (spec: unknown): boolean =>
    kind.exactlyOne === undefined || kind.exactlyOne.filter((name) => name in (spec as object)).length === 1;

  it('admits its example, with defaults that make it valid for the REST API', () => {
    const object = admitted(kind.example.spec);
    expect(Value.Errors(kind.spec, object?.spec)).toEqual([]);
  });

  it('admits what the schema of the REST API admits', () => {
    let seen = 0;
    fc.assert(
      fc.property(specs, (spec) => {
        const valid = exactlyOne(spec) && Value.Check(kind.spec, spec);
        if (valid) seen += 1;
        expect(admitted(spec) !== undefined).toBe(valid);
      }),
    );
    expect(seen).toBeGreaterThan(5);
  });

  it('admits nothing else', () => {
    let seen = 0;
    fc.assert(
      fc.property(spoiled(specs), (spec) => {
        const object = admitted(asSent(spec));
        if (object === undefined) return;
        seen += 1;
        expect(Value.Errors(kind.spec, object.spec)).toEqual([]);
      }),
    );
    expect(seen).toBeGreaterThan(5);
  });
});
