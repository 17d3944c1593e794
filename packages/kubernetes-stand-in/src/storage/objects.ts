import { applyConfiguration, ownersAfterUpdate, type Writer } from '../apply/managed-fields.js';
import { alreadyExists, ApiError, badRequest, conflict, invalid, notFound } from '../model/api-error.js';
import type { KubeObject, ObjectBody } from '../model/kube-object.js';
import { without } from '../model/kube-object.js';
import { apiVersionOf, collectionOf, type ResourceType } from '../model/resource-type.js';
import { crdProblems } from '../crd/crd-problems.js';
import { CRD_GROUP } from '../crd/crd.js';
import { applyDefaults } from '../schema/defaults.js';
import { prune } from '../schema/prune.js';
import { brokenRules } from '../schema/rules.js';
import { validate } from '../schema/validate.js';
import {
  changesGeneration,
  isHeld,
  kindOf,
  metadataProblems,
  newMetadata,
  replacedMetadata,
  sameContent,
  subjectOf,
  timestamp,
} from './metadata.js';
import { initial } from './initial.js';
import type { Store } from './store.js';

/** How a write was asked for. */
export interface WriteRequest {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  /** Only `status` is written, or all but the status. */
  readonly subresource: string | undefined;
  readonly fieldManager: string;
  readonly fieldValidation: string;
  readonly dryRun: boolean;
}

export interface Written {
  readonly object: KubeObject;
  /** Texts of the Warning headers. */
  readonly warnings: readonly string[];
  readonly created: boolean;
}

export interface DeleteRequest {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: string;
  readonly dryRun: boolean;
}

/** The life of objects: how they come, change and go, by the rules of Kubernetes. */
export class Objects {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws ApiError 404 */
  get(type: ResourceType, namespace: string | undefined, name: string): KubeObject {
    const found = this.find(type, namespace, name);
    if (found === undefined) throw notFound(subjectOf(type, name));
    return found;
  }

  find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#store.get(collectionOf(type), namespace, name);
  }

  create(request: WriteRequest, body: ObjectBody): Written {
    const { type, namespace } = request;
    checkKind(type, body);
    if (body.metadata?.namespace !== undefined && body.metadata.namespace !== (namespace ?? ''))
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    if ((body.metadata?.resourceVersion ?? '') !== '')
      throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
    this.#checkNamespace(type, namespace);
    const metadata = newMetadata(type, body, namespace);
    if (this.find(type, namespace, metadata.name) !== undefined) throw alreadyExists(subjectOf(type, metadata.name));
    const kept = type.custom && type.hasStatus ? without(body, 'status') : body;
    const draft = initial({ ...kept, apiVersion: apiVersionOf(type), kind: type.kind, metadata });
    const { object, warnings } = this.#admit(request, draft);
    const managedFields = ownersAfterUpdate(undefined, object, type.schema, writerOf(request, 'Update'));
    return {
      object: this.#keep(request, { ...object, metadata: { ...object.metadata, managedFields } }),
      warnings,
      created: true,
    };
  }

  /** Replaces the object, or its status. */
  replace(request: WriteRequest, name: string, body: ObjectBody): Written {
    const { type, namespace } = request;
    checkKind(type, body);
    const stored = this.get(type, namespace, name);
    if (type.custom && (body.metadata?.resourceVersion ?? '') === '') {
      const message = 'Invalid value: 0x0: must be specified for an update';
      throw invalid(kindOf(type, name), [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }]);
    }
    return this.#replace(request, stored, body);
  }

  /** @param change makes the new object of the stored one */
  patch(request: WriteRequest, name: string, change: (stored: KubeObject) => ObjectBody): Written {
    const stored = this.get(request.type, request.namespace, name);
    const body = change(stored);
    checkKind(request.type, body);
    return this.#replace(request, stored, body);
  }

  /** Server-side apply: creates what is not there. */
  apply(request: WriteRequest, name: string, configuration: ObjectBody, force: boolean): Written {
    const { type, namespace, subresource } = request;
    checkKind(type, configuration);
    if (configuration.metadata?.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
    const stored = subresource === undefined ? this.find(type, namespace, name) : this.get(type, namespace, name);
    const { metadata = {} } = configuration;
    if (metadata.name !== undefined && metadata.name !== name)
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
    if (metadata.namespace !== undefined && metadata.namespace !== (namespace ?? ''))
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    const unknown = prune(configuration, type.schema).dropped[0];
    if (unknown !== undefined) {
      const what = `${namespace === undefined ? '' : namespace}/${name}; ${apiVersionOf(type)}, Kind=${type.kind}`;
      const why = `failed to create typed patch object (${what}): .${unknown}: field not declared in schema`;
      throw new ApiError(500, '', why);
    }
    const live = stored ?? { apiVersion: apiVersionOf(type), kind: type.kind, metadata: {} };
    const ignores = (field: string): boolean =>
      subresource === undefined ? field === 'status' && type.hasStatus : field !== subresource;
    const { object, managedFields } = applyConfiguration(live, configuration, type.schema, writerOf(request, 'Apply'), {
      ...{ force, ignores },
      subject: subjectOf(type, name),
    });
    const owned = (result: KubeObject): KubeObject => ({ ...result, metadata: { ...result.metadata, managedFields } });
    if (stored !== undefined) return this.#replace(request, stored, object, owned);
    this.#checkNamespace(type, namespace);
    const draft = {
      ...object,
      metadata: newMetadata(type, { metadata: { ...(object['metadata'] as object), name } }, namespace),
    };
    const { object: admitted, warnings } = this.#admit(request, initial(draft as unknown as KubeObject));
    return { object: this.#keep(request, owned(admitted)), warnings, created: true };
  }

  /** @returns the object, and whether it is gone already: finalizers may hold it */
  delete(type: ResourceType, stored: KubeObject, request: DeleteRequest): { object: KubeObject; gone: boolean } {
    const { uid, resourceVersion, propagationPolicy, dryRun } = request;
    const { metadata } = stored;
    const differs = (what: string, asked: string, found: string): ApiError =>
      conflict(
        subjectOf(type, metadata.name),
        `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${found}`,
      );
    if (uid !== undefined && uid !== metadata.uid) throw differs('UID', uid, metadata.uid);
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
      throw differs('ResourceVersion', resourceVersion, metadata.resourceVersion);
    const policy = { Orphan: 'orphan', Foreground: 'foregroundDeletion' }[propagationPolicy ?? ''];
    const held = policy !== undefined || isHeld(stored);
    if (!held) return { object: dryRun ? stored : this.#store.delete(collectionOf(type), stored), gone: true };
    if (metadata.deletionTimestamp !== undefined) return { object: stored, gone: false };
    const finalizers = [...(metadata.finalizers ?? []), ...(policy === undefined ? [] : [policy])];
    const dying: KubeObject = {
      ...stored,
      metadata: {
        ...metadata,
        ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
        deletionTimestamp: timestamp(),
        deletionGracePeriodSeconds: 0,
        ...(finalizers.length === 0 ? {} : { finalizers }),
      },
      ...(stored.kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {}),
    };
    return { object: dryRun ? dying : this.#store.put(collectionOf(type), dying), gone: false };
  }

  #replace(
    request: WriteRequest,
    stored: KubeObject,
    asked: ObjectBody,
    owned?: (result: KubeObject) => KubeObject,
  ): Written {
    const { type, subresource } = request;
    const own = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: replacedMetadata(type, stored, asked) };
    const draft =
      subresource === undefined ? draftOf(type, stored, asked, own) : draftOfPart(subresource, stored, asked, own);
    const { object, warnings } = this.#admit(request, draft, stored);
    const counted = changesGeneration(type, stored, object)
      ? { ...object, metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 } }
      : object;
    if (owned === undefined && sameContent(stored, counted) && !forgetsOwners(asked)) {
      return { object: stored, warnings, created: false };
    }
    let result: KubeObject;
    if (owned !== undefined) result = owned(counted);
    else {
      const before = forgetsOwners(asked) ? withoutOwners(stored) : stored;
      const managedFields = ownersAfterUpdate(before, counted, type.schema, writerOf(request, 'Update'));
      result = { ...counted, metadata: { ...counted.metadata, managedFields } };
    }
    const sameOwners = JSON.stringify(stored.metadata.managedFields) === JSON.stringify(result.metadata.managedFields);
    if (sameOwners && sameContent(stored, result)) return { object: stored, warnings, created: false };
    return { object: this.#keep(request, result), warnings, created: false };
  }

  /** Drops unknown fields, fills in defaults, checks. @throws ApiError 400, 422 */
  #admit(request: WriteRequest, draft: KubeObject, stored?: KubeObject): { object: KubeObject; warnings: string[] } {
    const { type, fieldValidation } = request;
    const { value, dropped } = prune(draft, type.schema);
    const unknown = dropped.map((path) => `unknown field "${path}"`);
    if (fieldValidation === 'Strict' && unknown.length > 0)
      throw badRequest(
        `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${unknown.join(', ')}`,
      );
    const object = applyDefaults(value, type.schema) as KubeObject;
    const causes = [...validate(object, type.schema)];
    if (causes.length === 0) causes.push(...metadataProblems(object.metadata));
    if (causes.length === 0 && type.group === CRD_GROUP) causes.push(...crdProblems(object));
    if (causes.length === 0 && type.custom) causes.push(...brokenRules(object, stored, type.schema));
    if (causes.length > 0) throw invalid(kindOf(type, draft.metadata.name), causes);
    return { object, warnings: fieldValidation === 'Ignore' ? [] : unknown };
  }

  #keep({ type, dryRun }: WriteRequest, object: KubeObject): KubeObject {
    if (dryRun) return object;
    const collection = collectionOf(type);
    // The last finalizer has gone from an object that was deleted before.
    if (object.metadata.deletionTimestamp !== undefined && !isHeld(object))
      return this.#store.delete(collection, object);
    return this.#store.put(collection, object);
  }

  #checkNamespace({ namespaced, group, plural }: ResourceType, namespace: string | undefined): void {
    if (!namespaced || namespace === undefined) return;
    const found = this.#store.get('namespaces', undefined, namespace);
    if (found === undefined) throw notFound({ group: '', kind: 'namespaces', name: namespace });
    if (found.metadata.deletionTimestamp === undefined) return;
    const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw new ApiError(403, 'Forbidden', message, {
      subject: { group, kind: plural },
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    });
  }
}

type Own = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;

/** The object as asked for; a status with its own subresource stays. */
function draftOf({ hasStatus }: ResourceType, stored: KubeObject, asked: ObjectBody, own: Own): KubeObject {
  if (!hasStatus) return { ...asked, ...own };
  const status = stored['status'] === undefined ? {} : { status: stored['status'] };
  return { ...without(asked, 'status'), ...own, ...status };
}

/** The object as stored but for one part. Labels and annotations may be written with it; what holds the object may not. */
function draftOfPart(part: string, stored: KubeObject, asked: ObjectBody, own: Own): KubeObject {
  const held = pick(stored.metadata, ['finalizers', 'ownerReferences']);
  const metadata = { ...without(own.metadata, 'finalizers', 'ownerReferences'), ...held };
  return { ...without(stored, part), ...own, metadata, ...(asked[part] === undefined ? {} : { [part]: asked[part] }) };
}

function writerOf({ type, fieldManager, subresource }: WriteRequest, operation: 'Apply' | 'Update'): Writer {
  return { manager: fieldManager, operation, apiVersion: apiVersionOf(type), subresource, time: timestamp() };
}

function checkKind(type: ResourceType, { apiVersion, kind, metadata }: ObjectBody): void {
  const expected = apiVersionOf(type);
  if (type.custom && (apiVersion === undefined || kind === undefined))
    throw badRequest(`Object '${apiVersion === undefined ? 'apiVersion' : 'Kind'}' is missing in the object`);
  if ((apiVersion ?? expected) !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion ?? ''}) does not match the expected API version (${expected})`,
    );
  }
  if ((kind ?? type.kind) === type.kind) return;
  const message = `${kind ?? ''} in version "${expected}" cannot be handled as a ${type.kind}`;
  if (!type.custom) throw badRequest(message);
  throw invalid(kindOf({ ...type, kind: kind ?? '' }, metadata?.name), [
    { reason: 'FieldValueInvalid', message: `Invalid value: "${kind ?? ''}": must be ${type.kind}`, field: 'kind' },
  ]);
}

/** managedFields of one empty entry: the client wants all ownership forgotten. */
function forgetsOwners({ metadata }: ObjectBody): boolean {
  const asked = metadata?.managedFields;
  return asked?.length === 1 && Object.keys(asked[0] ?? {}).length === 0;
}

function withoutOwners(object: KubeObject): KubeObject {
  return { ...object, metadata: without({ ...object.metadata }, 'managedFields') };
}

function pick<T extends object>(from: T, fields: readonly (keyof T)[]): Partial<T> {
  const picked: Partial<T> = {};
  for (const field of fields) if (from[field] !== undefined) picked[field] = from[field];
  return picked;
}
