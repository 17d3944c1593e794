import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import type { Cause } from '../model/api-error.js';
import { isJsonObject } from '../model/kube-object.js';
import { isCidr } from './cidr.js';
import { duplicateItems } from './list-types.js';
import type { Schema } from './schema.js';

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: false,
  logger: false,
  unicodeRegExp: false,
  formats: {
    cidr: isCidr,
    mac: /^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/,
  },
});
formats.default(ajv, [
  ...(['date', 'date-time', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid', 'byte', 'password'] as const),
  ...(['int32', 'int64', 'float', 'double'] as const),
]);

const compiled = new WeakMap<Schema, ValidateFunction>();

/** What is wrong with the value by the schema, worded as Kubernetes does. */
export function validate(value: unknown, schema: Schema): readonly Cause[] {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = ajv.compile(jsonSchema(schema));
    compiled.set(schema, check);
  }
  const errors = check(value) ? [] : (check.errors ?? []);
  return [...errors.filter((error) => !inBranch(error)).map(causeOf), ...duplicateItems(value, schema)];
}

/** Says nothing about validity, or is told in other words. */
const LEFT_OUT = [
  ...['default', 'description', 'example', 'externalDocs', 'nullable'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
];

/** A structural schema in the words of JSON Schema; what only Kubernetes knows is left out. */
function jsonSchema(schema: Schema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (!keyword.startsWith('x-') && !LEFT_OUT.includes(keyword)) out[keyword] = value;
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    if (schema[keyword] !== undefined) out[keyword] = schema[keyword].map(jsonSchema);
  }
  if (schema.not !== undefined) out['not'] = jsonSchema(schema.not);
  if (schema.items !== undefined) out['items'] = jsonSchema(schema.items);
  if (typeof schema.additionalProperties === 'object')
    out['additionalProperties'] = jsonSchema(schema.additionalProperties);
  if (schema.properties !== undefined) {
    const named = Object.entries(schema.properties).map(([name, inner]) => [name, jsonSchema(inner)]);
    out['properties'] = Object.fromEntries(named);
  }
  if (schema['x-kubernetes-int-or-string'] === true) out['type'] = ['integer', 'string'];
  if (schema.nullable === true && out['type'] !== undefined) out['nullable'] = true;
  // OpenAPI v3 has the exclusive bounds as flags.
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined) out[exclusiveMinimum === true ? 'exclusiveMinimum' : 'minimum'] = minimum;
  if (maximum !== undefined) out[exclusiveMaximum === true ? 'exclusiveMaximum' : 'maximum'] = maximum;
  return out;
}

/** The alternative's own failure says enough. */
function inBranch({ schemaPath }: ErrorObject): boolean {
  return /\/(anyOf|oneOf)\/\d+\/|\/not\//.test(schemaPath);
}

function fieldPath(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`), '');
}

function causeOf({ keyword, params, instancePath, data, schema }: ErrorObject): Cause {
  const at = fieldPath(instancePath);
  const given = (reason: string, text: string): Cause => ({
    reason,
    message: `Invalid value: ${describe(data)}: ${at} in body ${text}`,
    field: at === '' ? '<nil>' : at,
  });
  const limit = String((params as Record<string, unknown>)['limit']);
  switch (keyword) {
    case 'required': {
      const missing = String((params as Record<string, unknown>)['missingProperty']);
      const field = at === '' ? missing : `${at}.${missing}`;
      return { reason: 'FieldValueRequired', message: 'Required value', field };
    }
    case 'type': {
      const found = typeName(data);
      const wanted = [schema].flat().join(',');
      const message = `Invalid value: "${found}": ${at} in body must be of type ${wanted}: "${found}"`;
      return { reason: 'FieldValueTypeInvalid', message, field: at };
    }
    case 'enum': {
      const allowed = (schema as readonly unknown[]).map((value) => JSON.stringify(value)).join(', ');
      const message = `Unsupported value: ${describe(data)}: supported values: ${allowed}`;
      return { reason: 'FieldValueNotSupported', message, field: at };
    }
    case 'minimum':
      return given('FieldValueInvalid', `should be greater than or equal to ${limit}`);
    case 'maximum':
      return given('FieldValueInvalid', `should be less than or equal to ${limit}`);
    case 'exclusiveMinimum':
      return given('FieldValueInvalid', `should be greater than ${limit}`);
    case 'exclusiveMaximum':
      return given('FieldValueInvalid', `should be less than ${limit}`);
    case 'pattern':
      return given('FieldValueInvalid', `should match '${String(schema)}'`);
    case 'format':
      return given('FieldValueInvalid', `must be of type ${String(schema)}: ${describe(data)}`);
    case 'minLength':
      return given('FieldValueInvalid', `should be at least ${limit} chars long`);
    case 'maxLength':
      return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes`, field: at };
    case 'minItems':
      return given('FieldValueInvalid', `should have at least ${limit} items`);
    case 'maxItems': {
      const count = Array.isArray(data) ? data.length : 0;
      return {
        reason: 'FieldValueTooMany',
        message: `Too many: ${count}: must have at most ${limit} items`,
        field: at,
      };
    }
    case 'additionalProperties': {
      const { additionalProperty: name = '' } = params as { readonly additionalProperty?: string };
      const message = `Invalid value: "${name}": ${at}.${name} in body is a forbidden property`;
      return { reason: 'FieldValueInvalid', message, field: at };
    }
    case 'anyOf':
    case 'oneOf':
      return given(
        'FieldValueInvalid',
        `must validate ${keyword === 'anyOf' ? 'at least one' : 'one and only one'} schema (${keyword})`,
      );
    default:
      return given('FieldValueInvalid', `does not satisfy ${keyword}: ${JSON.stringify(schema)}`);
  }
}

function describe(value: unknown): string {
  return isJsonObject(value) || Array.isArray(value) ? `"${typeName(value)}"` : JSON.stringify(value);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
