import type { KubeObject } from '../model/kube-object.js';
import type { Column, ResourceType } from '../model/resource-type.js';
import { wholeObject, type Schema } from '../schema/schema.js';

export const CRD_GROUP = 'apiextensions.k8s.io';
/** The finalizer under which a definition waits for its objects to go. */
export const CRD_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
  readonly subresources?: { readonly status?: object };
  readonly additionalPrinterColumns?: readonly Column[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

export interface CustomResourceDefinition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: {
      readonly plural: string;
      readonly singular?: string;
      readonly kind: string;
      readonly listKind?: string;
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
    };
    readonly versions: readonly CrdVersion[];
  };
}

const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** What a definition makes the server serve: one type for each served version. */
export function typesOf({ spec }: CustomResourceDefinition): readonly ResourceType[] {
  const { group, scope, names, versions } = spec;
  const storageVersion = versions.find(({ storage }) => storage)?.name ?? '';
  return versions
    .filter(({ served }) => served)
    .map((version) => ({
      ...{ group, version: version.name, storageVersion, plural: names.plural, kind: names.kind },
      singular: names.singular ?? names.kind.toLowerCase(),
      listKind: names.listKind ?? `${names.kind}List`,
      ...{ shortNames: names.shortNames ?? [], categories: names.categories ?? [], namespaced: scope === 'Namespaced' },
      hasStatus: version.subresources?.status !== undefined,
      columns: version.additionalPrinterColumns ?? [AGE],
      selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
      schema: wholeObject(version.schema?.openAPIV3Schema ?? {}),
      ...{ custom: true, countsGenerations: true },
    }));
}
