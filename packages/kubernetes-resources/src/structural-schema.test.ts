import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { structuralSchema } from './structural-schema.js';

describe('structuralSchema', () => {
  it('merges a tagged union into one object and keeps apart what belongs to each branch', () => {
    const one = Type.Object({ kind: Type.Literal('one'), size: Type.Integer() });
    const other = Type.Object({
      kind: Type.Literal('other'),
      size: Type.Integer(),
      text: Type.Optional(Type.String()),
    });
    expect(structuralSchema(Type.Union([one, other]))).toEqual({
      type: 'object',
      properties: {
        kind: { type: 'string', enum: ['one', 'other'] },
        size: { type: 'integer', format: 'int64' },
        text: { type: 'string' },
      },
      required: ['kind', 'size'],
      oneOf: [
        { properties: { kind: { enum: ['one'] } }, not: { anyOf: [{ required: ['text'] }] } },
        { properties: { kind: { enum: ['other'] } } },
      ],
    });
  });

  it('takes null for absence', () => {
    const schema = Type.Object({
      delay: Type.Union([Type.Integer({ maximum: 9 }), Type.Null()], { description: 'Delay; null when unknown.' }),
    });
    expect(structuralSchema(schema)).toEqual({
      type: 'object',
      properties: { delay: { type: 'integer', format: 'int64', maximum: 9, description: 'Delay.' } },
    });
  });

  it('takes the list of "one, or a list"', () => {
    const schema = Type.Union([Type.String(), Type.Array(Type.String(), { uniqueItems: true })]);
    expect(structuralSchema(schema)).toEqual({
      type: 'array',
      items: { type: 'string' },
      'x-kubernetes-list-type': 'set',
    });
  });

  it('does not require what has a default, and knows the items of keyed lists apart', () => {
    const schema = Type.Object({ rows: Type.Array(Type.Object({ id: Type.String(), weight: Type.Integer() })) });
    expect(structuralSchema(schema, { listKeys: { rows: ['id'] }, defaults: { weight: 1 } })).toMatchObject({
      required: ['rows'],
      properties: {
        rows: {
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: { required: ['id'], properties: { weight: { default: 1 } } },
        },
      },
    });
  });

  it.each([
    ['a union of scalars', Type.Union([Type.String(), Type.Integer()])],
    [
      'branches that differ in what a name means',
      Type.Union([Type.Object({ a: Type.String() }), Type.Object({ a: Type.Integer() })]),
    ],
    ['anything at all', Type.Unknown()],
  ])('refuses %s', (_, schema) => {
    expect(() => structuralSchema(Type.Object({ member: schema }))).toThrow('member: ');
  });
});
