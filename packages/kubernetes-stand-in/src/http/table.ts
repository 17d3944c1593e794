import { parseJsonPath, valuesAt } from '../model/json-path.js';
import type { KubeObject } from '../model/kube-object.js';
import type { Column, ResourceType } from '../model/resource-type.js';

const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  jsonPath: '.metadata.name',
};

/** A Table of meta.k8s.io/v1, as `kubectl get` asks for it. */
export function tableOf(
  type: ResourceType,
  objects: readonly KubeObject[],
  metadata: object,
  { includeObject, withColumns }: { readonly includeObject: string; readonly withColumns: boolean },
): object {
  const columns = [NAME, ...type.columns];
  const paths = columns.map(({ jsonPath }) => parseJsonPath(jsonPath));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns
      ? columns.map(({ name, type: of, format = '', description = '', priority = 0 }) => ({
          ...{ name, type: of, format, description, priority },
        }))
      : null,
    rows: objects.map((object) => ({
      cells: columns.map((column, index) => cellOf(column, valuesAt(object, paths[index] ?? []))),
      ...(includeObject === 'None' ? {} : { object: includeObject === 'Object' ? object : partialOf(object) }),
    })),
  };
}

/** What `as=PartialObjectMetadata` asks for. */
export function partialOf(object: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function cellOf({ type }: Column, values: readonly unknown[]): unknown {
  const [value] = values;
  if (value === undefined || value === null) return null;
  if (type === 'date') return typeof value === 'string' ? age(value) : '<invalid>';
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : null;
  if (type === 'boolean') return typeof value === 'boolean' ? value : null;
  const told = values.map((inner) => (typeof inner === 'string' ? inner : JSON.stringify(inner)));
  return told.length === 1 ? told[0] : told.join(',');
}

const UNITS: readonly (readonly [unit: string, seconds: number, upTo: number])[] = [
  ['s', 1, 120],
  ['m', 60, 3 * 3600],
  ['h', 3600, 48 * 3600],
  ['d', 86_400, Infinity],
];

/** How long ago, in the coarse words of kubectl. */
function age(time: string): string {
  const seconds = Math.floor((Date.now() - Date.parse(time)) / 1000);
  if (Number.isNaN(seconds)) return '<invalid>';
  const [unit, length] = UNITS.find(([, , upTo]) => seconds < upTo) ?? ['s', 1];
  return `${Math.max(0, Math.floor(seconds / length))}${unit}`;
}
