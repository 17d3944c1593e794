import type { Cause } from '../model/api-error.js';
import { isJsonObject, sameJson, type KubeObject } from '../model/kube-object.js';
import { parseJsonPath } from '../model/json-path.js';
import { applyDefaults } from '../schema/defaults.js';
import { prune } from '../schema/prune.js';
import type { Schema } from '../schema/schema.js';
import { validate } from '../schema/validate.js';
import type { CrdVersion, CustomResourceDefinition } from './crd.js';
import { structuralProblems } from './structural-problems.js';

/** Why Kubernetes would refuse a CustomResourceDefinition. */
export function crdProblems(object: KubeObject): readonly Cause[] {
  const { spec, metadata } = object as CustomResourceDefinition;
  const causes: Cause[] = [];
  const required = (field: string, value: unknown): void => {
    if (value === undefined || value === '')
      causes.push({ reason: 'FieldValueRequired', message: 'Required value', field });
  };
  required('spec.group', spec.group);
  required('spec.scope', spec.scope);
  required('spec.names.plural', spec.names.plural);
  required('spec.names.kind', spec.names.kind);
  if (causes.length > 0) return causes;
  if (metadata.name !== `${spec.names.plural}.${spec.group}`)
    causes.push(wrong('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  if (!['Namespaced', 'Cluster'].includes(spec.scope))
    causes.push(wrong('spec.scope', spec.scope, 'supported values: Cluster, Namespaced'));
  if (spec.versions.filter(({ storage }) => storage).length !== 1)
    causes.push(wrong('spec.versions', '', 'must have exactly one version marked as storage version'));
  spec.versions.forEach((version, index) => causes.push(...versionProblems(version, `spec.versions[${index}]`)));
  return causes;
}

function wrong(field: string, value: unknown, why: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field };
}

function versionProblems({ schema, additionalPrinterColumns = [] }: CrdVersion, path: string): readonly Cause[] {
  const root = schema?.openAPIV3Schema;
  const at = `${path}.schema.openAPIV3Schema`;
  if (root === undefined)
    return [{ reason: 'FieldValueRequired', message: 'Required value: schemas are required', field: at }];
  const structure = [...structuralProblems(root, at)];
  if (root.type !== 'object') structure.push(wrong(`${at}.type`, root.type, 'must be object at the root'));
  for (const part of Object.keys(root.properties?.['metadata']?.properties ?? {})) {
    if (part !== 'name' && part !== 'generateName')
      structure.push({
        reason: 'FieldValueForbidden',
        message: 'Forbidden: must not specify anything other than name and generateName',
        field: `${at}.properties[metadata]`,
      });
  }
  if (structure.length > 0) return structure;
  return [
    ...defaultProblems(root, at),
    ...columnProblems(additionalPrinterColumns, `${path}.additionalPrinterColumns`),
  ];
}

function columnProblems(columns: NonNullable<CrdVersion['additionalPrinterColumns']>, path: string): readonly Cause[] {
  return columns.flatMap(({ jsonPath, type }, index) => {
    const at = `${path}[${index}]`;
    if (!['integer', 'number', 'string', 'boolean', 'date'].includes(type))
      return [wrong(`${at}.type`, type, 'must be one of boolean,date,integer,number,string')];
    try {
      parseJsonPath(jsonPath);
      return jsonPath.startsWith('.')
        ? []
        : [wrong(`${at}.jsonPath`, jsonPath, 'must be a simple json path starting with .')];
    } catch (error) {
      return [wrong(`${at}.jsonPath`, jsonPath, error instanceof Error ? error.message : String(error))];
    }
  });
}

/** A default must be what the schema allows, with nothing to prune. */
function defaultProblems(schema: Schema, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  if (schema.default !== undefined) {
    const at = `${path}.default`;
    if (!sameJson(prune(schema.default, schema).value, schema.default))
      causes.push(wrong(at, schema.default, 'must not have unknown fields'));
    for (const { message } of validate(applyDefaults(schema.default, schema), schema))
      causes.push(wrong(at, schema.default, message));
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    causes.push(...defaultProblems(inner, `${path}.properties[${name}]`));
  if (isJsonObject(schema.items)) causes.push(...defaultProblems(schema.items, `${path}.items`));
  if (typeof schema.additionalProperties === 'object')
    causes.push(...defaultProblems(schema.additionalProperties, `${path}.additionalProperties`));
  return causes;
}
