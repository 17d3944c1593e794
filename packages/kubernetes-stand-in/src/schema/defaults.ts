import { isJsonObject } from '../model/kube-object.js';
import { fieldSchema, type Schema } from './schema.js';

/** The value with the defaults of the schema where fields are missing, or null where null is not allowed. */
export function applyDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const items = schema.items;
    return items === undefined ? value : value.map((item) => applyDefaults(item, items));
  }
  if (!isJsonObject(value)) return value;
  const filled: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    const inside = fieldSchema(schema, field);
    const missing = inner === null && inside?.nullable !== true && inside?.default !== undefined;
    if (!missing) filled[field] = inside === undefined ? inner : applyDefaults(inner, inside);
  }
  for (const [field, inside] of Object.entries(schema.properties ?? {})) {
    if (filled[field] === undefined && inside.default !== undefined)
      filled[field] = applyDefaults(structuredClone(inside.default), inside);
  }
  return filled;
}
