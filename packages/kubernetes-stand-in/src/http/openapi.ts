import { apiVersionOf, type ResourceType } from '../model/resource-type.js';

function pathOf({ group, version }: ResourceType): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** GET /openapi/v3: where the description of each group and version is. */
export function openApiRoot(types: readonly ResourceType[]): object {
  const paths = [...new Set(types.map(pathOf))].map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }]);
  return { paths: Object.fromEntries(paths) as object };
}

/** GET /openapi/v3/{path}: the schemas, and as much of the operations as kubectl looks at; undefined for other paths. */
export function openApiOf(types: readonly ResourceType[], path: string): object | undefined {
  const served = types.filter((type) => pathOf(type) === path);
  if (served.length === 0) return undefined;
  const operations = served.map((type) => {
    const place = type.namespaced ? 'namespaces/{namespace}/' : '';
    return [`/${path}/${place}${type.plural}/{name}`, { patch: patchOf(type) }];
  });
  const schemas = served.map((type) => [
    nameOf(type),
    { ...type.schema, 'x-kubernetes-group-version-kind': [gvkOf(type)] },
  ]);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.33.0' },
    paths: Object.fromEntries(operations) as object,
    components: { schemas: Object.fromEntries(schemas) as object },
  };
}

function gvkOf({ group, version, kind }: ResourceType): object {
  return { group, version, kind };
}

function nameOf(type: ResourceType): string {
  const host = (type.group === '' ? 'core' : type.group).split('.').reverse().join('.');
  return `${host}.${type.version}.${type.kind}`;
}

function patchOf(type: ResourceType): object {
  const parameter = (name: string): object => ({ name, in: 'query', schema: { type: 'string' } });
  return {
    operationId: `patch ${apiVersionOf(type)} ${type.kind}`,
    parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(parameter),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': gvkOf(type),
  };
}
