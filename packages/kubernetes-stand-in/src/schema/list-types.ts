import type { Cause } from '../model/api-error.js';
import { isJsonObject } from '../model/kube-object.js';
import { fieldSchema, type Schema } from './schema.js';

/**
 * What makes an item of a set or of a map-list the item it is, as in a path of managed fields: `v:"a"`, `k:{"name":"a"}`.
 * Undefined for an item of an atomic list, and for one that is no object in a map-list.
 */
export function itemKey(item: unknown, list: Schema | undefined): string | undefined {
  const type = list?.['x-kubernetes-list-type'];
  if (type === 'set') return `v:${JSON.stringify(item)}`;
  if (type !== 'map' || !isJsonObject(item)) return undefined;
  const keys: [string, unknown][] = [];
  for (const key of list?.['x-kubernetes-list-map-keys'] ?? []) {
    const value = item[key] ?? list?.items?.properties?.[key]?.default;
    if (value !== undefined) keys.push([key, value]);
  }
  return `k:${JSON.stringify(Object.fromEntries(keys.sort(([a], [b]) => (a < b ? -1 : 1))))}`;
}

/** Items that stand twice in a set or a map-list. */
export function duplicateItems(value: unknown, schema: Schema | undefined, path = ''): readonly Cause[] {
  const causes: Cause[] = [];
  if (Array.isArray(value)) {
    const seen = new Set<string>();
    value.forEach((item: unknown, index) => {
      const at = `${path}[${index}]`;
      const key = itemKey(item, schema);
      if (key !== undefined && seen.has(key)) {
        causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${key.slice(2)}`, field: at });
      }
      if (key !== undefined) seen.add(key);
      causes.push(...duplicateItems(item, schema?.items, at));
    });
  } else if (isJsonObject(value)) {
    for (const [field, inner] of Object.entries(value)) {
      if (typeof inner === 'object')
        causes.push(...duplicateItems(inner, fieldSchema(schema, field), path === '' ? field : `${path}.${field}`));
    }
  }
  return causes;
}
