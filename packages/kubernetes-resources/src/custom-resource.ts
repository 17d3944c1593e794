import type { TSchema } from 'typebox';
import { structuralSchema, type ObjectConventions, type StructuralSchema } from './structural-schema.js';

export const group = 'waymark.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;

/** A kind of custom resource. All of ours are cluster-scoped: a network belongs to no namespace. */
export interface CustomResourceKind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: TSchema;
  readonly status: TSchema;
  readonly conventions: ObjectConventions;
  /** Sets of members of the spec of which exactly one must be given. */
  readonly exactlyOne?: readonly string[];
  readonly columns: readonly PrinterColumn[];
  /** A spec that is valid. */
  readonly example: { readonly name: string; readonly spec: unknown };
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1 and more: only with `-o wide`. */
  readonly priority?: number;
}

export const nameOfDefinition = ({ plural }: CustomResourceKind): string => `${plural}.${group}`;

/** Schema of the whole object, without the members that Kubernetes itself describes. */
export function objectSchema(kind: CustomResourceKind): StructuralSchema {
  const spec = structuralSchema(kind.spec, kind.conventions);
  const { exactlyOne } = kind;
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: exactlyOne === undefined ? spec : { ...spec, oneOf: exactlyOne.map((member) => ({ required: [member] })) },
      status: structuralSchema(kind.status, { listKeys: { conditions: ['type'] } }),
    },
  };
}

/** The CustomResourceDefinition (apiextensions.k8s.io/v1), to be applied to a cluster as it is. */
export function customResourceDefinition(kind: CustomResourceKind) {
  const { plural, singular, shortNames } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: nameOfDefinition(kind), labels: { 'app.kubernetes.io/part-of': 'waymark' } },
    spec: {
      group,
      names: { kind: kind.kind, listKind: `${kind.kind}List`, plural, singular, shortNames, categories: ['waymark'] },
      scope: 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: objectSchema(kind) },
          subresources: { status: {} },
          additionalPrinterColumns: [...kind.columns, age],
        },
      ],
    },
  };
}

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How old it is.',
};
