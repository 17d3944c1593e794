import { randomBytes, randomUUID } from 'node:crypto';
import { badRequest, conflict, invalid, MODIFIED, type Cause, type ErrorSubject } from '../model/api-error.js';
import {
  isJsonObject,
  sameJson,
  without,
  type KubeObject,
  type ObjectBody,
  type ObjectMeta,
} from '../model/kube-object.js';
import type { ResourceType } from '../model/resource-type.js';

/** Names what an error is about by the resource. */
export function subjectOf({ group, plural }: ResourceType, name?: string): ErrorSubject {
  return { group, kind: plural, name };
}

/** Names what an error is about by the kind, as errors about fields do. */
export function kindOf({ group, kind }: ResourceType, name?: string): ErrorSubject {
  return { group, kind, name };
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** What is wrong with the metadata that a client may set. */
export function metadataProblems(metadata: Partial<ObjectMeta>): readonly Cause[] {
  const causes: Cause[] = [];
  const refuse = (field: string, value: unknown, why: string): void => {
    const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
    causes.push({ reason: 'FieldValueInvalid', message, field: `metadata.${field}` });
  };
  const { name = '', labels = {}, annotations = {}, finalizers = [] } = metadata;
  if (name.length > 253 || !SUBDOMAIN.test(name)) {
    refuse(
      'name',
      name,
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
    );
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!QUALIFIED.test(key))
      refuse('labels', key, "name part must consist of alphanumeric characters, '-', '_' or '.'");
    if (!LABEL_VALUE.test(value))
      refuse(
        'labels',
        value,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'",
      );
  }
  for (const key of Object.keys(annotations)) {
    if (!QUALIFIED.test(key))
      refuse('annotations', key, "name part must consist of alphanumeric characters, '-', '_' or '.'");
  }
  for (const finalizer of finalizers) {
    if (!QUALIFIED.test(finalizer))
      refuse('finalizers', finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
  }
  return causes;
}

const SET_BY_SERVER = [
  ...(['namespace', 'resourceVersion', 'uid', 'managedFields', 'creationTimestamp', 'generation'] as const),
  ...(['deletionTimestamp', 'deletionGracePeriodSeconds'] as const),
];

/** The metadata of a new object; the name comes from generateName where none is given. */
export function newMetadata(type: ResourceType, body: ObjectBody, namespace: string | undefined): ObjectMeta {
  const { generateName, name: given, ...asked } = body.metadata ?? {};
  const name =
    given ?? (generateName === undefined ? undefined : generateName + randomBytes(3).toString('hex').slice(0, 5));
  if (name === undefined || name === '') {
    const message = 'Required value: name or generateName is required';
    throw invalid(kindOf(type, ''), [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }]);
  }
  return {
    ...without(asked, ...SET_BY_SERVER),
    name,
    ...(generateName === undefined ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    uid: randomUUID(),
    resourceVersion: '',
    ...(type.countsGenerations ? { generation: 1 } : {}),
    creationTimestamp: timestamp(),
  };
}

/** The metadata after a replacement: what the server keeps itself stays. */
export function replacedMetadata(type: ResourceType, stored: KubeObject, body: ObjectBody): ObjectMeta {
  const { metadata: old } = stored;
  const asked = body.metadata ?? {};
  if (asked.name !== undefined && asked.name !== old.name) {
    throw badRequest(`the name of the object (${asked.name}) does not match the name on the URL (${old.name})`);
  }
  if (asked.uid !== undefined && asked.uid !== '' && asked.uid !== old.uid) {
    const why = `Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${old.uid}`;
    throw conflict(subjectOf(type, old.name), why);
  }
  if (
    asked.resourceVersion !== undefined &&
    asked.resourceVersion !== '' &&
    asked.resourceVersion !== old.resourceVersion
  )
    throw conflict(subjectOf(type, old.name), MODIFIED);
  const added = (asked.finalizers ?? []).filter((finalizer) => old.finalizers?.includes(finalizer) !== true);
  if (old.deletionTimestamp !== undefined && added.length > 0) {
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
    throw invalid(kindOf(type, old.name), [{ reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }]);
  }
  const { labels, annotations, finalizers, ownerReferences } = asked;
  const { name, generateName, namespace, uid, resourceVersion, generation, creationTimestamp } = old;
  const { deletionTimestamp, deletionGracePeriodSeconds, managedFields } = old;
  return defined({
    ...{ name, generateName, namespace, uid, resourceVersion, generation, creationTimestamp },
    ...{ deletionTimestamp, deletionGracePeriodSeconds },
    ...{ labels: filled(labels), annotations: filled(annotations), finalizers: filled(finalizers) },
    ...{ ownerReferences: filled(ownerReferences), managedFields },
  });
}

/** Kubernetes writes no empty maps and lists in metadata. */
function filled<T extends object>(value: T | null | undefined): T | undefined {
  return value === undefined || value === null || Object.keys(value).length === 0 ? undefined : value;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Whether the object says the same, whatever its bookkeeping (owners of fields, resourceVersion). */
export function sameContent(a: KubeObject, b: KubeObject): boolean {
  return sameJson(content(a), content(b));
}

function content(object: KubeObject): unknown {
  const metadata = without(object.metadata, 'managedFields', 'resourceVersion');
  return { ...object, metadata };
}

/** Whether what `generation` counts has changed: all but metadata and, where it has its own subresource, the status. */
export function changesGeneration(type: ResourceType, before: KubeObject, after: KubeObject): boolean {
  const counted = (object: KubeObject): unknown => {
    const rest = without(object, 'metadata');
    return type.hasStatus ? without(rest, 'status') : rest;
  };
  return type.countsGenerations && !sameJson(counted(before), counted(after));
}

/** Something must be done before the object can go. */
export function isHeld(object: KubeObject): boolean {
  if ((object.metadata.finalizers?.length ?? 0) > 0) return true;
  const spec = object['spec'];
  return (
    object.kind === 'Namespace' &&
    isJsonObject(spec) &&
    Array.isArray(spec['finalizers']) &&
    spec['finalizers'].length > 0
  );
}
