/** A structural schema, as in spec.versions[].schema.openAPIV3Schema of a CustomResourceDefinition. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
  /** Other keywords of OpenAPI v3: enum, pattern, lengths, multiples. */
  readonly [keyword: string]: unknown;
}

/** A rule in the Common Expression Language. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'object', additionalProperties: text };

/** metadata of every kind; what the merge of server-side apply must know of it. */
export const metadataSchema: Schema = {
  type: 'object',
  properties: {
    name: text,
    generateName: text,
    namespace: text,
    uid: text,
    selfLink: text,
    resourceVersion: text,
    generation: { type: 'integer' },
    creationTimestamp: { ...text, nullable: true },
    deletionTimestamp: { ...text, nullable: true },
    deletionGracePeriodSeconds: { type: 'integer' },
    labels: texts,
    annotations: texts,
    finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: text,
          kind: text,
          name: text,
          uid: text,
          controller: { type: 'boolean' },
          blockOwnerDeletion: { type: 'boolean' },
        },
      },
    },
    managedFields: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
};

/** The schema of a whole object: what the resource says, and the fields that every object has. */
export function wholeObject(schema: Schema): Schema {
  const { properties = {}, ...rest } = schema;
  return {
    ...rest,
    type: 'object',
    properties: { ...properties, apiVersion: text, kind: text, metadata: metadataSchema },
  };
}

/** The schema of a field, or undefined where the schema leaves it open. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  const named = schema?.properties?.[field];
  if (named !== undefined) return named;
  const others = schema?.additionalProperties;
  return typeof others === 'object' ? others : undefined;
}
