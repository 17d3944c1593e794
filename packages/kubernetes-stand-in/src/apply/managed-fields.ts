import { ApiError, type Cause, type ErrorSubject } from '../model/api-error.js';
import type { KubeObject, ManagedFieldsEntry } from '../model/kube-object.js';
import { isJsonObject, without } from '../model/kube-object.js';
import type { Schema } from '../schema/schema.js';
import { changedPaths, compare, pathsNamedBy } from './compare.js';
import { difference, EMPTY, intersection, isEmpty, pathsOf, union, type FieldSet } from './field-set.js';
import { merge, removeDisowned } from './merge.js';

/** Who writes, and how. */
export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  /** RFC 3339, for the entry of a writer that changed something. */
  readonly time: string;
}

type Entries = readonly ManagedFieldsEntry[];

/** metadata that nobody owns. */
const UNOWNED_METADATA = [
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'generation', 'managedFields', 'resourceVersion'],
  ...['deletionTimestamp', 'deletionGracePeriodSeconds', 'generateName'],
];

/** The part of an object that can be owned. */
function ownable(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { metadata } = object;
  const rest: Readonly<Record<string, unknown>> = without(object, 'apiVersion', 'kind', 'metadata');
  if (!isJsonObject(metadata)) return rest;
  const owned = Object.fromEntries(Object.entries(metadata).filter(([field]) => !UNOWNED_METADATA.includes(field)));
  return { ...rest, metadata: owned };
}

/** As `ownable`, of a configuration: metadata that says nothing is not named. */
function nameable(configuration: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const owned = ownable(configuration);
  return isJsonObject(owned['metadata']) && Object.keys(owned['metadata']).length === 0
    ? without(owned, 'metadata')
    : owned;
}

function fieldsOf(entry: ManagedFieldsEntry | undefined): FieldSet {
  return (entry?.fieldsV1 as FieldSet | undefined) ?? EMPTY;
}

function isOf(entry: ManagedFieldsEntry, { manager, operation, apiVersion, subresource }: Writer): boolean {
  return (
    entry.manager === manager &&
    entry.operation === operation &&
    entry.subresource === subresource &&
    // One manager applies once, whatever the version; updates are told apart by it.
    (operation === 'Apply' || entry.apiVersion === apiVersion)
  );
}

function entryOf({ manager, operation, apiVersion, time, subresource }: Writer, fields: FieldSet): ManagedFieldsEntry {
  const of = subresource === undefined ? {} : { subresource };
  return { manager, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: fields, ...of };
}

/** Applied entries first, then the older ones. */
function sorted(entries: Entries): Entries {
  const rank = ({ operation, time = '', manager = '' }: ManagedFieldsEntry): string =>
    `${operation === 'Apply' ? 0 : 1} ${time} ${manager}`;
  return [...entries].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

/** Takes fields from every entry but the writer's; an entry without fields is gone. */
function disown(entries: Entries, writer: Writer, lost: (entry: ManagedFieldsEntry) => FieldSet): Entries {
  return entries.flatMap((entry) => {
    if (isOf(entry, writer)) return [entry];
    const fields = difference(fieldsOf(entry), lost(entry));
    return isEmpty(fields) ? [] : [{ ...entry, fieldsV1: fields }];
  });
}

/**
 * The owners after a write that was no apply: the writer takes what it changed.
 * @param before the stored object, undefined for a new one
 */
export function ownersAfterUpdate(
  before: KubeObject | undefined,
  after: Readonly<Record<string, unknown>>,
  schema: Schema,
  writer: Writer,
): Entries {
  const owners = before?.metadata.managedFields ?? [];
  const changes = compare(before === undefined ? { metadata: {} } : ownable(before), ownable(after), schema);
  const changed = changedPaths(changes);
  const removed = changes.removed;
  if (isEmpty(changed) && isEmpty(removed)) return owners;
  const touched = union(changed, removed);
  const others = disown(owners, writer, () => touched);
  const mine = others.find((entry) => isOf(entry, writer));
  const fields = union(difference(fieldsOf(mine), removed), changed);
  const rest = others.filter((entry) => entry !== mine);
  return sorted(isEmpty(fields) ? rest : [...rest, entryOf(writer, fields)]);
}

export interface Applied {
  readonly object: Readonly<Record<string, unknown>>;
  readonly managedFields: Entries;
}

/**
 * Server-side apply: the live object with the configuration laid over it, without what the same manager applied before
 * and no longer names and nobody else owns.
 * @param ignores top-level fields that this endpoint does not write
 * @throws ApiError 409 with a cause for each field that another manager owns and that would change, unless forced
 */
export function applyConfiguration(
  live: Readonly<Record<string, unknown>>,
  configuration: Readonly<Record<string, unknown>>,
  schema: Schema,
  writer: Writer,
  { force, subject, ignores }: { force: boolean; subject: ErrorSubject; ignores: (field: string) => boolean },
): Applied {
  const owners = (live['metadata'] as KubeObject['metadata'] | undefined)?.managedFields ?? [];
  const ignored = Object.keys(nameable(configuration)).filter(ignores);
  const written = without(configuration, ...ignored);
  const named = pathsNamedBy(nameable(written), schema);
  const before = owners.find((entry) => isOf(entry, writer));
  const others = owners.filter((entry) => entry !== before);
  const merged = merge(live, written, schema) as Readonly<Record<string, unknown>>;
  const kept = others.reduce((all, entry) => union(all, fieldsOf(entry)), named);
  const result = removeDisowned(merged, schema, fieldsOf(before), kept) as Readonly<Record<string, unknown>>;
  const { added, modified, removed } = compare(ownable(live), ownable(result), schema);
  const changed = union(added, modified);
  const conflicts = others
    .map((entry) => ({ entry, fields: intersection(fieldsOf(entry), changed) }))
    .filter(({ fields }) => !isEmpty(fields));
  if (conflicts.length > 0 && !force) throw applyConflict(subject, conflicts);
  const left = disown(others, writer, (entry) => union(removed, intersection(fieldsOf(entry), changed)));
  const unchanged = before !== undefined && isEmpty(changed) && isEmpty(removed) && sameFields(fieldsOf(before), named);
  const mine = unchanged ? [before] : isEmpty(named) ? [] : [entryOf(writer, named)];
  return { object: result, managedFields: sorted([...left, ...mine]) };
}

function sameFields(a: FieldSet, b: FieldSet): boolean {
  return isEmpty(difference(a, b)) && isEmpty(difference(b, a));
}

function applyConflict(
  subject: ErrorSubject,
  conflicts: readonly { readonly entry: ManagedFieldsEntry; readonly fields: FieldSet }[],
): ApiError {
  const causes = conflicts.flatMap(({ entry, fields }): Cause[] => {
    const via = entry.subresource === undefined ? '' : ` with subresource "${entry.subresource}"`;
    const using = entry.operation === 'Update' ? ` using ${entry.apiVersion ?? ''}` : '';
    const message = `conflict with "${entry.manager ?? ''}"${via}${using}`;
    return pathsOf(fields).map((field) => ({ reason: 'FieldManagerConflict', message, field }));
  });
  const [only] = causes;
  const told =
    only !== undefined && causes.length === 1
      ? `1 conflict: ${only.message}: ${only.field}`
      : `${causes.length} conflicts: ${byManager(causes)}`;
  return new ApiError(409, 'Conflict', `Apply failed with ${told}`, { subject, causes });
}

function byManager(causes: readonly Cause[]): string {
  const fields = new Map<string, string[]>();
  for (const { message, field } of causes) fields.set(message, [...(fields.get(message) ?? []), `- ${field}`]);
  return [...fields]
    .map(([message, list]) => [`${message.replace('conflict', 'conflicts')}:`, ...list].join('\n'))
    .join('\n');
}
