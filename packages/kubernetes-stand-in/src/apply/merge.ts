import { isJsonObject, type JsonObject } from '../model/kube-object.js';
import { fieldSchema, type Schema } from '../schema/schema.js';
import { EMPTY, isMember, stepsBelow, type FieldSet } from './field-set.js';
import { shapeOf } from './shape.js';

/** The live value with the applied one laid over it: objects by field, map-lists and sets by item, all else replaced. */
export function merge(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  const [below, above] = [shapeOf(live, schema), shapeOf(applied, schema)];
  if (below.kind === 'fields' && above.kind === 'fields') {
    const merged: Record<string, unknown> = { ...below.fields };
    for (const [field, value] of Object.entries(above.fields)) {
      merged[field] = Object.hasOwn(merged, field) ? merge(merged[field], value, fieldSchema(schema, field)) : value;
    }
    return merged;
  }
  if (below.kind === 'items' && above.kind === 'items') return mergeItems(below.items, above.items, schema?.items);
  return applied;
}

/**
 * The order that structured-merge-diff gives: shared items as applied, an item of one list only where it stood among the
 * shared ones, and there those of the live list first.
 */
function mergeItems(
  live: ReadonlyMap<string, unknown>,
  applied: ReadonlyMap<string, unknown>,
  schema: Schema | undefined,
): readonly unknown[] {
  const waiting = [...live.keys()];
  const merged: unknown[] = [];
  const done = new Set<string>();
  const takeLiveUntil = (stop: (key: string) => boolean): void => {
    while (waiting[0] !== undefined && !stop(waiting[0])) {
      const key = waiting.shift() ?? '';
      if (!applied.has(key)) merged.push(live.get(key));
    }
  };
  for (const [key, item] of applied) {
    // A shared item that is still to come ends the run, unless the live list has it too early.
    if (live.has(key)) takeLiveUntil((next) => next === key);
    else takeLiveUntil((next) => applied.has(next) && !done.has(next));
    done.add(key);
    merged.push(live.has(key) ? merge(live.get(key), item, schema) : item);
  }
  takeLiveUntil(() => false);
  return merged;
}

/**
 * Takes away what a manager applied last time (`last`) and nobody owns now (`kept`: the paths of all managers).
 * @returns the value, or undefined when nothing is left of it
 */
export function removeDisowned(
  value: unknown,
  schema: Schema | undefined,
  last: FieldSet,
  kept: FieldSet | undefined,
): unknown {
  const shape = shapeOf(value, schema);
  if (shape.kind === 'leaf') return kept === undefined && isMember(last) ? undefined : value;
  let left: JsonObject | readonly unknown[];
  if (shape.kind === 'fields') {
    const fields = new Map(Object.entries(shape.fields));
    for (const step of stepsBelow(last)) {
      const field = step.slice(2);
      if (!fields.has(field)) continue;
      const inner = removeDisowned(fields.get(field), fieldSchema(schema, field), last[step] ?? EMPTY, kept?.[step]);
      if (inner === undefined) fields.delete(field);
      else fields.set(field, inner);
    }
    left = Object.fromEntries(fields);
  } else {
    left = [...shape.items].flatMap(([step, item]) => {
      const lastOfItem = last[step];
      if (lastOfItem === undefined) return [item];
      const inner = removeItem(item, schema, lastOfItem, kept?.[step]);
      return inner === undefined ? [] : [inner];
    });
  }
  const isEmpty = Object.keys(left).length === 0;
  return isEmpty && kept === undefined ? undefined : left;
}

/** The fields that name an item of a map-list go only with the item. */
function removeItem(item: unknown, list: Schema | undefined, last: FieldSet, kept: FieldSet | undefined): unknown {
  const left = removeDisowned(item, list?.items, last, kept);
  if (!isJsonObject(item) || !isJsonObject(left ?? {})) return left;
  const keys = list?.['x-kubernetes-list-map-keys'] ?? [];
  const rest = Object.keys((left ?? {}) as JsonObject).filter((field) => !keys.includes(field));
  if (rest.length === 0 && kept === undefined) return undefined;
  const named = keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]] as const);
  return { ...Object.fromEntries(named), ...(left as JsonObject | undefined) };
}
