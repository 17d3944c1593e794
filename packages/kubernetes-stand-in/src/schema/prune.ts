import { isJsonObject } from '../model/kube-object.js';
import { fieldSchema, type Schema } from './schema.js';

export interface Pruned {
  readonly value: unknown;
  /** Paths of the fields that the schema does not know, as in `spec.colour`. */
  readonly dropped: readonly string[];
}

/** Drops the fields that a structural schema does not specify, as Kubernetes does before it stores a custom resource. */
export function prune(value: unknown, schema: Schema): Pruned {
  const dropped: string[] = [];
  return { value: pruneAt(value, schema, '', dropped), dropped };
}

const ANYTHING: Schema = { 'x-kubernetes-preserve-unknown-fields': true };
/** Any value, but of an object no field. */
const UNSPECIFIED: Schema = {};

function pruneAt(value: unknown, schema: Schema, path: string, dropped: string[]): unknown {
  if (Array.isArray(value)) {
    const items = schema.items;
    return items === undefined ? value : value.map((item, index) => pruneAt(item, items, `${path}[${index}]`, dropped));
  }
  if (!isJsonObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    const at = path === '' ? field : `${path}.${field}`;
    const known = fieldSchema(schema, field) ?? openSchema(schema, field);
    if (known === undefined) dropped.push(at);
    else kept[field] = pruneAt(inner, known, at, dropped);
  }
  return kept;
}

/** The schema of a field that is not named, where such fields may stand. */
function openSchema(schema: Schema, field: string): Schema | undefined {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return ANYTHING;
  // Where there may be none, validation says so.
  if (typeof schema.additionalProperties === 'boolean') return UNSPECIFIED;
  const ofEmbedded = field === 'apiVersion' || field === 'kind' || field === 'metadata';
  return schema['x-kubernetes-embedded-resource'] === true && ofEmbedded ? ANYTHING : undefined;
}
