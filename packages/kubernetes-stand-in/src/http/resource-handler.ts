import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { ApiError, badRequest, invalid, notFound } from '../model/api-error.js';
import type { JsonObject, KubeObject } from '../model/kube-object.js';
import type { Registry } from '../model/registry.js';
import { collectionOf, type ResourceType } from '../model/resource-type.js';
import type { Lists } from '../storage/lists.js';
import { subjectOf } from '../storage/metadata.js';
import type { DeleteRequest, Objects, WriteRequest, Written } from '../storage/objects.js';
import { jsonPatch, mergePatch } from '../storage/patch.js';
import { strategicMergePatch } from '../storage/strategic-merge.js';
import { fieldSelector, labelSelector, type Selector } from '../storage/selectors.js';
import { objectOf, valueOf, type Body } from './body.js';
import { Encoder, formOf } from './encoding.js';
import { isTrue, type RequestInfo, type Target } from './request-info.js';
import { forbidden, mayUse, type User } from './users.js';
import type { Watches } from './watches.js';

export interface Answer {
  readonly code: number;
  readonly body: object;
  readonly warnings?: readonly string[];
}

export interface Parts {
  readonly registry: Registry;
  readonly objects: Objects;
  readonly lists: Lists;
  readonly watches: Watches;
}

/** Answers requests for resources. A watch is answered by itself and gives undefined. */
export class ResourceHandler {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  handle(
    info: RequestInfo & { readonly target: Target },
    user: User,
    headers: IncomingHttpHeaders,
    body: Body,
    response: ServerResponse,
  ): Answer | undefined {
    const { target, query, verb } = info;
    const type = this.#typeOf(target);
    const encoder = new Encoder(type, formOf(headers.accept), query.get('includeObject') ?? 'Metadata');
    if (verb === 'watch') {
      this.#parts.watches.open(type, info, selectorOf(type, info) ?? (() => true), encoder, response);
      return undefined;
    }
    if (target.name === undefined) return this.#handleCollection(info, type, encoder, headers, body);
    const { name } = target;
    const { objects } = this.#parts;
    const request = writeRequestOf(type, info, headers);
    switch (verb) {
      case 'get':
        return { code: 200, body: encoder.one(objects.get(type, target.namespace, name)) };
      case 'update':
        return written(encoder, objects.replace(request, name, objectOf(body)));
      case 'patch':
        return written(encoder, this.#patch(request, name, info, user, body));
      case 'delete': {
        if (target.subresource !== undefined) throw methodNotAllowed();
        const stored = objects.get(type, target.namespace, name);
        const { object, gone } = objects.delete(type, stored, deleteRequestOf(query, body));
        return { code: 200, body: gone && type.custom ? deletedStatus(type, object) : encoder.one(object) };
      }
      default:
        throw methodNotAllowed();
    }
  }

  #typeOf({ apiVersion, resource, namespace, name, subresource }: Target): ResourceType {
    const type = this.#parts.registry.find(apiVersion, resource);
    // A namespaced resource may be listed over all namespaces, and nothing else without one.
    const misplaced =
      type !== undefined && (type.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined);
    const served = subresource === undefined || (subresource === 'status' && type?.hasStatus === true);
    if (type === undefined || misplaced || !served)
      throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    return type;
  }

  #handleCollection(
    info: RequestInfo & { readonly target: Target },
    type: ResourceType,
    encoder: Encoder,
    headers: IncomingHttpHeaders,
    body: Body,
  ): Answer {
    const { target, query, verb } = info;
    const { objects } = this.#parts;
    switch (verb) {
      case 'list': {
        const page = this.#list(type, info);
        const { resourceVersion, continueToken, remaining } = page;
        const metadata = {
          resourceVersion,
          ...(continueToken === undefined ? {} : { continue: continueToken }),
          ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
        };
        return { code: 200, body: encoder.list(page.items, metadata) };
      }
      case 'create':
        if (type.namespaced && target.namespace === undefined) throw methodNotAllowed();
        return written(encoder, objects.create(writeRequestOf(type, info, headers), objectOf(body)));
      case 'deletecollection': {
        if (type.namespaced && target.namespace === undefined) throw methodNotAllowed();
        const { items, resourceVersion } = this.#list(type, info);
        const request = deleteRequestOf(query, body);
        const deleted = items.map((object) => objects.delete(type, object, request).object);
        return { code: 200, body: encoder.list(deleted, { resourceVersion }) };
      }
      default:
        throw methodNotAllowed();
    }
  }

  #list(type: ResourceType, info: RequestInfo & { readonly target: Target }): ReturnType<Lists['list']> {
    const { target, query } = info;
    const asked = query.get('limit') ?? '0';
    if (!/^\d+$/.test(asked)) throw badRequest(`limit: ${asked} is not a whole number`);
    return this.#parts.lists.list({
      collection: collectionOf(type),
      namespace: target.namespace,
      selects: selectorOf(type, info),
      limit: Number(asked),
      continueToken: query.get('continue') ?? undefined,
      resourceVersion: query.get('resourceVersion') ?? undefined,
      resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
    });
  }

  #patch(
    request: WriteRequest,
    name: string,
    { target, query }: RequestInfo & { readonly target: Target },
    user: User,
    body: Body,
  ): Written {
    const { objects } = this.#parts;
    const { type } = request;
    switch (body.mediaType) {
      case 'application/json-patch+json':
        return objects.patch(request, name, (stored) => jsonPatch(inRequested(type, stored), valueOf(body)));
      case 'application/merge-patch+json':
        return objects.patch(request, name, (stored) => mergePatch(inRequested(type, stored), valueOf(body)));
      case 'application/strategic-merge-patch+json':
        // As on a real server, only what is built in has a strategy.
        if (type.custom) throw unsupportedPatch();
        return objects.patch(request, name, (stored) => strategicMergePatch(stored, valueOf(body), type.schema));
      case 'application/apply-patch+yaml': {
        if (query.get('fieldManager') === null) {
          const message = 'Required value: is required for apply patch';
          const subject = { group: 'meta.k8s.io', kind: 'PatchOptions', name: '' };
          throw invalid(subject, [{ reason: 'FieldValueRequired', message, field: 'fieldManager' }]);
        }
        const isNew = objects.find(type, target.namespace, name) === undefined;
        if (isNew && target.subresource !== undefined) throw notFound(subjectOf(type, name));
        // What may not be created may not be applied into being either.
        if (isNew && !mayUse(user, 'create', target)) throw forbidden(user, 'create', target);
        return objects.apply(request, name, objectOf(body), isTrue(query.get('force')));
      }
      default:
        throw unsupportedPatch();
    }
  }
}

function inRequested(type: ResourceType, stored: KubeObject): KubeObject {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  return stored.apiVersion === apiVersion ? stored : { ...stored, apiVersion };
}

/** Undefined when everything is asked for. */
function selectorOf(type: ResourceType, { query, target }: RequestInfo): Selector | undefined {
  const labels = query.get('labelSelector') ?? '';
  const fields = query.get('fieldSelector') ?? '';
  const name = target?.name;
  if (labels === '' && fields === '' && name === undefined) return undefined;
  const byLabels = labelSelector(labels);
  const byFields = fieldSelector(fields, type.selectableFields);
  // A watch may name one object in its path.
  return (object) => (name === undefined || object.metadata.name === name) && byLabels(object) && byFields(object);
}

function writeRequestOf(
  type: ResourceType,
  { query, target }: RequestInfo,
  headers: IncomingHttpHeaders,
): WriteRequest {
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All'))
    throw badRequest(`Unsupported value: "${dryRun.join()}": dryRun may be All`);
  const fieldValidation = query.get('fieldValidation') ?? 'Warn';
  if (!['Strict', 'Warn', 'Ignore'].includes(fieldValidation))
    throw badRequest(`Unsupported value: "${fieldValidation}": fieldValidation may be Strict, Warn or Ignore`);
  return {
    type,
    namespace: target?.namespace,
    subresource: target?.subresource,
    fieldManager: query.get('fieldManager') ?? (headers['user-agent'] ?? 'unknown').split('/')[0] ?? 'unknown',
    fieldValidation,
    dryRun: dryRun.length > 0,
  };
}

function deleteRequestOf(query: URLSearchParams, body: Body): DeleteRequest {
  const options: JsonObject = body.text === '' ? {} : objectOf(body);
  const preconditions = (options['preconditions'] ?? {}) as {
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  const policy = (options['propagationPolicy'] as string | undefined) ?? query.get('propagationPolicy') ?? undefined;
  return {
    ...(preconditions.uid === undefined ? {} : { uid: preconditions.uid }),
    ...(preconditions.resourceVersion === undefined ? {} : { resourceVersion: preconditions.resourceVersion }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    dryRun: query.has('dryRun') || options['dryRun'] !== undefined,
  };
}

function written(encoder: Encoder, { object, warnings, created }: Written): Answer {
  return { code: created ? 201 : 200, body: encoder.one(object), warnings };
}

function deletedStatus({ group, plural }: ResourceType, { metadata: { name, uid } }: KubeObject): object {
  const details = { name, group, kind: plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
}

function unsupportedPatch(): ApiError {
  const kinds = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
  const message = `the body of the request was in an unknown format - accepted media types include: ${kinds.join(', ')}`;
  return new ApiError(415, 'UnsupportedMediaType', message);
}
