import { ApiError } from '../model/api-error.js';
import { without, type KubeObject } from '../model/kube-object.js';
import { apiVersionOf, type ResourceType } from '../model/resource-type.js';
import { partialOf, tableOf } from './table.js';

/** In what form the client wants objects. */
export type Form = 'object' | 'table' | 'partial';

/** Reads the Accept header. @throws ApiError 406 when nothing in it is served */
export function formOf(accept: string | undefined): Form {
  if (accept === undefined || accept === '') return 'object';
  for (const entry of accept.split(',')) {
    const [mime = '', ...parameters] = entry.split(';').map((part) => part.trim());
    if (!['application/json', 'application/*', '*/*'].includes(mime)) continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    if (as === undefined) return 'object';
    const known = parameters.includes('g=meta.k8s.io') && parameters.includes('v=v1');
    if (known && as === 'Table') return 'table';
    if (known && (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')) return 'partial';
  }
  throw new ApiError(406, 'NotAcceptable', 'only the following media types are accepted: application/json');
}

/** Turns stored objects into what one client asked for. */
export class Encoder {
  readonly #type: ResourceType;
  readonly #form: Form;
  readonly #includeObject: string;
  #toldColumns = false;

  constructor(type: ResourceType, form: Form, includeObject: string) {
    this.#type = type;
    this.#form = form;
    this.#includeObject = includeObject;
  }

  one(object: KubeObject): object {
    const served = inVersion(this.#type, object);
    if (this.#form === 'object') return served;
    if (this.#form === 'partial') return partialOf(served);
    const { resourceVersion } = object.metadata;
    return this.#table([served], { resourceVersion });
  }

  list(objects: readonly KubeObject[], metadata: object): object {
    const type = this.#type;
    if (this.#form === 'table') {
      const served = objects.map((object) => inVersion(type, object));
      return this.#table(served, metadata);
    }
    if (this.#form === 'partial') {
      const items = objects.map(partialOf);
      return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items };
    }
    // As on a real server, items of built-in lists do not repeat their kind.
    const items = objects.map((object) => {
      if (type.custom) return inVersion(type, object);
      return without(object, 'apiVersion', 'kind');
    });
    return { kind: type.listKind, apiVersion: apiVersionOf(type), metadata, items };
  }

  /** The object of a bookmark event. */
  bookmark(resourceVersion: string, annotations?: Readonly<Record<string, string>>): object {
    const { kind } = this.#type;
    const metadata = {
      resourceVersion,
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    };
    const bare = { kind, apiVersion: apiVersionOf(this.#type), metadata };
    return this.#form === 'table' ? this.#table([], { resourceVersion }) : bare;
  }

  /** Only the first table of a watch tells its columns. */
  #table(objects: readonly KubeObject[], metadata: object): object {
    const withColumns = !this.#toldColumns;
    this.#toldColumns = true;
    return tableOf(this.#type, objects, metadata, { includeObject: this.#includeObject, withColumns });
  }
}

function inVersion(type: ResourceType, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(type);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
