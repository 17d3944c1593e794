import type { Schema } from '../schema/schema.js';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  /** Where the value stands, as in additionalPrinterColumns. */
  readonly jsonPath: string;
}

/** One version of one kind that the server serves. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** The status can be written only over the status subresource, all else only without it. */
  readonly hasStatus: boolean;
  /** Columns after the name. */
  readonly columns: readonly Column[];
  /** Fields that a field selector may name, besides metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  /** Of the whole object. Without one for its kind, a built-in's fields are taken as they come. */
  readonly schema: Schema;
  /** Defined by a CustomResourceDefinition: stricter about updates, counts generations, drops the status on creation. */
  readonly custom: boolean;
  /** metadata.generation is kept. */
  readonly countsGenerations: boolean;
  /** The version that objects are kept in; serving another one changes nothing but apiVersion. */
  readonly storageVersion: string;
}

export function apiVersionOf({ group, version }: Pick<ResourceType, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Names what is kept together, whatever the version. */
export function collectionOf({ group, plural }: Pick<ResourceType, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}
