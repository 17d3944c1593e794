import type { Cause } from '../model/api-error.js';
import { isJsonObject } from '../model/kube-object.js';
import { ruleProblem } from '../schema/rules.js';
import type { Schema } from '../schema/schema.js';

/** The keywords of JSONSchemaProps of apiextensions.k8s.io/v1. */
const KEYWORDS = new Set([
  ...['id', '$schema', '$ref', 'description', 'type', 'format', 'title', 'default', 'maximum', 'exclusiveMaximum'],
  ...['minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems'],
  ...['multipleOf', 'enum', 'maxProperties', 'minProperties', 'required', 'items', 'allOf', 'oneOf', 'anyOf', 'not'],
  ...['properties', 'additionalProperties', 'patternProperties', 'dependencies', 'additionalItems', 'definitions'],
  ...['externalDocs', 'example', 'nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'],
  ...['x-kubernetes-int-or-string', 'x-kubernetes-list-map-keys', 'x-kubernetes-list-type', 'x-kubernetes-map-type'],
  'x-kubernetes-validations',
]);
const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'];
/** Known and yet refused. */
const FORBIDDEN = ['$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions'];
/** Says what a value is, not whether it is right: it has no place inside allOf, anyOf, oneOf and not. */
const STRUCTURE = [
  ...['type', 'default', 'description', 'title', 'nullable', 'additionalProperties', 'x-kubernetes-list-type'],
  ...[
    'x-kubernetes-list-map-keys',
    'x-kubernetes-map-type',
    'x-kubernetes-preserve-unknown-fields',
    'x-kubernetes-embedded-resource',
  ],
  'x-kubernetes-int-or-string',
];
const FLAGS = ['exclusiveMinimum', 'exclusiveMaximum', 'uniqueItems', 'nullable'];

/** Why Kubernetes would refuse the schema of a CustomResourceDefinition as not structural, or not understand it. */
export function structuralProblems(schema: Schema, path: string): readonly Cause[] {
  return [...nodeProblems(schema, path, true), ...insideProblems(schema, path)];
}

function problem(field: string, message: string, reason = 'FieldValueForbidden'): Cause {
  return { field, message, reason };
}

function nodeProblems(schema: Schema, path: string, structural: boolean): readonly Cause[] {
  const causes: Cause[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${path}.${keyword}`;
    if (!KEYWORDS.has(keyword)) causes.push(problem(at, 'Forbidden: unknown field'));
    if (FORBIDDEN.includes(keyword)) causes.push(problem(at, `Forbidden: ${keyword} is not supported`));
    if (FLAGS.includes(keyword) && typeof value !== 'boolean')
      causes.push(problem(at, 'Invalid value: must be true or false', 'FieldValueInvalid'));
    if (!structural && STRUCTURE.includes(keyword) && !isIntOrStringBranch(schema))
      causes.push(problem(at, 'Forbidden: must be empty to be structural'));
  }
  const { type, items, properties, additionalProperties, uniqueItems } = schema as Schema & { uniqueItems?: boolean };
  if (uniqueItems === true) causes.push(problem(`${path}.uniqueItems`, 'Forbidden: uniqueItems cannot be set to true'));
  if (type !== undefined && !TYPES.includes(type))
    causes.push(
      problem(
        `${path}.type`,
        `Unsupported value: ${JSON.stringify(type)}: supported values: ${TYPES.join(', ')}`,
        'FieldValueNotSupported',
      ),
    );
  const needsNoType =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (structural && type === undefined && !needsNoType)
    causes.push(
      problem(`${path}.type`, 'Required value: must not be empty for specified object fields', 'FieldValueRequired'),
    );
  if (type === 'array' && items === undefined && structural)
    causes.push(problem(`${path}.items`, 'Required value: must be specified', 'FieldValueRequired'));
  if (properties !== undefined && additionalProperties !== undefined)
    causes.push(
      problem(`${path}.additionalProperties`, 'Forbidden: additionalProperties and properties are mutual exclusive'),
    );
  return [...causes, ...listProblems(schema, path), ...ruleProblems(schema, path)];
}

function ruleProblems(schema: Schema, path: string): readonly Cause[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap(({ rule }, index) => {
    const why = ruleProblem(rule);
    const at = `${path}.x-kubernetes-validations[${index}].rule`;
    return why === undefined
      ? []
      : [problem(at, `Invalid value: ${JSON.stringify(rule)}: compilation failed: ${why}`, 'FieldValueInvalid')];
  });
}

/** `anyOf: [{type: integer}, {type: string}]` is how int-or-string is told to those who do not know it. */
function isIntOrStringBranch(schema: Schema): boolean {
  return Object.keys(schema).length === 1 && (schema.type === 'integer' || schema.type === 'string');
}

function listProblems(schema: Schema, path: string): readonly Cause[] {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const causes: Cause[] = [];
  if (listType !== undefined && schema.type !== 'array')
    causes.push(
      problem(
        `${path}.type`,
        'Invalid value: must be array if x-kubernetes-list-type is specified',
        'FieldValueInvalid',
      ),
    );
  if (listType === 'map' && keys.length === 0)
    causes.push(
      problem(
        `${path}.x-kubernetes-list-map-keys`,
        'Required value: must not be empty if x-kubernetes-list-type is map',
        'FieldValueRequired',
      ),
    );
  for (const key of keys) {
    const inner = schema.items?.properties?.[key];
    if (inner === undefined)
      causes.push(
        problem(
          `${path}.x-kubernetes-list-map-keys`,
          `Invalid value: ${JSON.stringify(key)}: entries must all be names of item properties`,
          'FieldValueInvalid',
        ),
      );
    else if (schema.items?.required?.includes(key) !== true && inner.default === undefined)
      causes.push(
        problem(
          `${path}.items.properties[${key}].default`,
          'Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          'FieldValueRequired',
        ),
      );
  }
  return causes;
}

function insideProblems(schema: Schema, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    causes.push(...structuralProblems(inner, `${path}.properties[${name}]`));
  if (schema.items !== undefined)
    causes.push(
      ...(isJsonObject(schema.items)
        ? structuralProblems(schema.items, `${path}.items`)
        : [problem(`${path}.items`, 'Forbidden: items must be a schema object and not an array')]),
    );
  if (typeof schema.additionalProperties === 'object')
    causes.push(...structuralProblems(schema.additionalProperties, `${path}.additionalProperties`));
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[keyword]?.forEach((inner, index) =>
      causes.push(...valueProblems(inner, schema, `${path}.${keyword}[${index}]`)),
    );
  }
  if (schema.not !== undefined) causes.push(...valueProblems(schema.not, schema, `${path}.not`));
  return causes;
}

/** Inside a junctor only fields that stand outside it, too, may be named. */
function valueProblems(inner: Schema, outer: Schema, path: string): readonly Cause[] {
  const causes = [...nodeProblems(inner, path, false)];
  for (const [name, deeper] of Object.entries(inner.properties ?? {})) {
    const known = outer.properties?.[name];
    if (known === undefined) {
      const message = `Required value: because it is defined in ${path}.properties[${name}]`;
      causes.push(problem(`${path}.properties[${name}]`, message, 'FieldValueRequired'));
    } else causes.push(...valueProblems(deeper, known, `${path}.properties[${name}]`));
  }
  if (inner.items !== undefined) causes.push(...valueProblems(inner.items, outer.items ?? {}, `${path}.items`));
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const)
    inner[keyword]?.forEach((deeper, index) =>
      causes.push(...valueProblems(deeper, outer, `${path}.${keyword}[${index}]`)),
    );
  if (inner.not !== undefined) causes.push(...valueProblems(inner.not, outer, `${path}.not`));
  return causes;
}
