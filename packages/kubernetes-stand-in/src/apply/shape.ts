import { isJsonObject, type JsonObject } from '../model/kube-object.js';
import { itemKey } from '../schema/list-types.js';
import { fieldSchema, type Schema } from '../schema/schema.js';

/** How a value takes part in ownership: as one piece, or through its fields or items. */
export type Shape =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'fields'; readonly fields: JsonObject }
  | { readonly kind: 'items'; readonly items: ReadonlyMap<string, unknown> };

const LEAF: Shape = { kind: 'leaf' };

/** Without a schema, objects are merged by field and lists replaced whole. */
export function shapeOf(value: unknown, schema: Schema | undefined): Shape {
  if (isJsonObject(value)) {
    return schema?.['x-kubernetes-map-type'] === 'atomic' ? LEAF : { kind: 'fields', fields: value };
  }
  if (!Array.isArray(value)) return LEAF;
  const items = new Map<string, unknown>();
  for (const item of value as readonly unknown[]) {
    const key = itemKey(item, schema);
    if (key === undefined) return LEAF;
    items.set(key, item);
  }
  const type = schema?.['x-kubernetes-list-type'];
  return type === 'set' || type === 'map' ? { kind: 'items', items } : LEAF;
}

/** The parts of a value by the step that leads to each, with their schemas; none of a leaf. */
export function partsOf(value: unknown, schema: Schema | undefined): ReadonlyMap<string, Part> {
  const shape = shapeOf(value, schema);
  const parts = new Map<string, Part>();
  if (shape.kind === 'fields') {
    for (const [field, inner] of Object.entries(shape.fields)) {
      const declared = Object.hasOwn(schema?.properties ?? {}, field);
      parts.set(`f:${field}`, { value: inner, schema: fieldSchema(schema, field), declared });
    }
  }
  if (shape.kind === 'items') {
    for (const [key, item] of shape.items) parts.set(key, { value: item, schema: schema?.items, declared: false });
  }
  return parts;
}

export interface Part {
  readonly value: unknown;
  readonly schema: Schema | undefined;
  /** A field that the schema names: it is there for its content, not an entry by itself. */
  readonly declared: boolean;
}
