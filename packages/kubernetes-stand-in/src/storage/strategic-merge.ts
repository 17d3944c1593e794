import { badRequest } from '../model/api-error.js';
import { isJsonObject, type JsonObject, type KubeObject, type ObjectBody } from '../model/kube-object.js';
import { fieldSchema, type Schema } from '../schema/schema.js';

/**
 * A strategic merge patch, as `kubectl apply` sends it for built-in kinds: lists that have a key merge by it, sets unite.
 * The order that `$setElementOrder` asks for is not kept.
 * @throws ApiError 400 when it is no object
 */
export function strategicMergePatch(stored: KubeObject, patch: unknown, schema: Schema): ObjectBody {
  if (!isJsonObject(patch)) throw badRequest('error decoding patch: a strategic merge patch is an object');
  return mergedObject(stored, patch, schema);
}

function mergedObject(target: unknown, patch: JsonObject, schema: Schema | undefined): JsonObject {
  const result = new Map(Object.entries(isJsonObject(target) && patch['$patch'] !== 'replace' ? target : {}));
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) for (const field of result.keys()) if (!retained.includes(field)) result.delete(field);
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) {
      const [directive, name = ''] = field.split('/');
      const list = result.get(name);
      if (directive === '$deleteFromPrimitiveList' && Array.isArray(list) && Array.isArray(value))
        result.set(
          name,
          list.filter((item) => !value.includes(item)),
        );
    } else if (value === null) result.delete(field);
    else result.set(field, mergedValue(result.get(field), value, fieldSchema(schema, field)));
  }
  return Object.fromEntries(result);
}

function mergedValue(target: unknown, patch: unknown, schema: Schema | undefined): unknown {
  if (isJsonObject(patch)) return mergedObject(target, patch, schema);
  if (!Array.isArray(patch) || !Array.isArray(target)) return patch;
  const type = schema?.['x-kubernetes-list-type'];
  // What is new comes first, as a real server has it.
  if (type === 'set') return [...new Set<unknown>([...(patch as unknown[]), ...(target as unknown[])])];
  // One key, where server-side apply may have several.
  const key = type === 'map' ? schema?.['x-kubernetes-list-map-keys']?.[0] : undefined;
  return key === undefined ? patch : mergedItems(target, patch, key, schema?.items);
}

function mergedItems(
  target: readonly unknown[],
  patch: readonly unknown[],
  key: string,
  schema: Schema | undefined,
): readonly unknown[] {
  const result = [...target];
  for (const item of patch) {
    if (!isJsonObject(item))
      throw badRequest(`error decoding patch: an item of a list that merges by ${key} is an object`);
    const at = result.findIndex((found) => isJsonObject(found) && found[key] === item[key]);
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at < 0) result.push(mergedObject({}, item, schema));
    else result[at] = mergedObject(result[at], item, schema);
  }
  return result;
}
