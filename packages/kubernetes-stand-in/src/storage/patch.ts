import { applyPatch, type Operation } from 'rfc6902';
import { ApiError, badRequest } from '../model/api-error.js';
import { isJsonObject, type KubeObject, type ObjectBody } from '../model/kube-object.js';

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/**
 * A JSON patch (RFC 6902).
 * @throws ApiError 400 when it is no patch, 422 when an operation (a test, too) fails
 */
export function jsonPatch(stored: KubeObject, patch: unknown): ObjectBody {
  const isOperation = (operation: unknown): boolean =>
    isJsonObject(operation) &&
    OPERATIONS.includes(String(operation['op'])) &&
    typeof operation['path'] === 'string' &&
    (operation['path'] === '' || operation['path'].startsWith('/'));
  if (!Array.isArray(patch) || !patch.every(isOperation))
    throw badRequest('error decoding patch: a JSON patch is a list of operations with op and path');
  const copy = structuredClone(stored) as ObjectBody;
  const failed = applyPatch(copy, patch as Operation[]).find((error) => error !== null);
  if (failed !== undefined)
    throw new ApiError(
      422,
      'Invalid',
      `the server rejected our request due to an error in our request: ${failed.message}`,
    );
  return copy;
}

/** A JSON merge patch (RFC 7386). @throws ApiError 400 when it is no object */
export function mergePatch(stored: KubeObject, patch: unknown): ObjectBody {
  if (!isJsonObject(patch)) throw badRequest('error decoding patch: a merge patch is an object');
  return merged(stored, patch) as ObjectBody;
}

function merged(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) result.delete(field);
    else result.set(field, merged(result.get(field), value));
  }
  return Object.fromEntries(result);
}
