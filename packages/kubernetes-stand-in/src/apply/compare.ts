import { isJsonObject, sameJson } from '../model/kube-object.js';
import type { Schema } from '../schema/schema.js';
import { EMPTY, node, union, type FieldSet } from './field-set.js';
import { partsOf, shapeOf } from './shape.js';

/** The paths that a configuration names, as server-side apply owns them. */
export function pathsNamedBy(value: unknown, schema: Schema | undefined): FieldSet {
  const named: Record<string, FieldSet> = {};
  for (const [step, part] of partsOf(value, schema)) {
    const below = pathsNamedBy(part.value, part.schema);
    const isLeaf = shapeOf(part.value, part.schema).kind === 'leaf';
    const isEmptyMap = isJsonObject(part.value) && Object.keys(part.value).length === 0;
    const at = node(isLeaf || isEmptyMap || !part.declared, below);
    if (at !== undefined) named[step] = at;
  }
  return named;
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Which paths differ between two states of an object. */
export function compare(before: unknown, after: unknown, schema: Schema | undefined): Comparison {
  const added: Record<string, FieldSet> = {};
  const modified: Record<string, FieldSet> = {};
  const removed: Record<string, FieldSet> = {};
  const put = (into: Record<string, FieldSet>, step: string, at: FieldSet | undefined): void => {
    if (at !== undefined) into[step] = at;
  };
  const old = partsOf(before, schema);
  const now = partsOf(after, schema);
  for (const [step, part] of old) {
    const other = now.get(step);
    if (other === undefined) {
      removed[step] = everyPath(part.value, part.schema);
    } else if (part.value !== other.value) {
      // Two empty containers, or a container and something else, are compared as leaves.
      if (comparedAsLeaf(part.value, other.value, part.schema)) {
        if (!sameJson(part.value, other.value)) modified[step] = EMPTY;
      } else {
        const inner = compare(part.value, other.value, part.schema);
        put(added, step, node(false, inner.added));
        put(modified, step, node(false, inner.modified));
        put(removed, step, node(false, inner.removed));
      }
    }
  }
  for (const [step, part] of now) if (!old.has(step)) added[step] = everyPath(part.value, part.schema);
  return { added, modified, removed };
}

/** What a write touched. */
export function changedPaths({ added, modified }: Comparison): FieldSet {
  return union(added, modified);
}

function comparedAsLeaf(a: unknown, b: unknown, schema: Schema | undefined): boolean {
  const shape = shapeOf(a, schema).kind;
  if (shape === 'leaf' || shapeOf(b, schema).kind !== shape) return true;
  return partsOf(a, schema).size === 0 && partsOf(b, schema).size === 0;
}

/** All paths of a value that came or went whole: every container counts too. */
function everyPath(value: unknown, schema: Schema | undefined): FieldSet {
  const below: Record<string, FieldSet> = {};
  for (const [step, part] of partsOf(value, schema)) below[step] = everyPath(part.value, part.schema);
  return node(true, below) ?? EMPTY;
}
