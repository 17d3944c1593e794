import { stringify } from 'yaml';
import { apiVersion, objectSchema, type CustomResourceKind } from './custom-resource.js';
import type { StructuralSchema } from './structural-schema.js';

/** Reference of one kind, as Markdown: an example, then every field of spec and status. */
export function referenceOf(kind: CustomResourceKind): string {
  const { spec, status } = objectSchema(kind).properties ?? {};
  if (spec === undefined || status === undefined) throw new Error(`${kind.kind} has no spec or no status`);
  const example = { apiVersion, kind: kind.kind, metadata: { name: kind.example.name }, spec: kind.example.spec };
  return [
    `## ${kind.kind}`,
    kind.description,
    `\`kubectl get ${kind.plural}\` or \`kubectl get ${kind.shortNames.join('` or `kubectl get ')}\`; cluster-scoped.`,
    `\`\`\`yaml\n${stringify(example)}\`\`\``,
    ...(kind.exactlyOne === undefined
      ? []
      : [`Exactly one of ${kind.exactlyOne.map((name) => `\`spec.${name}\``).join(' and ')} is given.`]),
    listed(fieldsOf('spec', spec, true)),
    'Written by the controller:',
    listed(fieldsOf('status', status, false)),
  ].join('\n\n');
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

function fieldsOf(path: string, schema: StructuralSchema, required: boolean): readonly Field[] {
  const own = { path, type: typeOf(schema), required, description: describe(schema) };
  const inner = schema.items ?? schema;
  const base = schema.items === undefined ? path : `${path}[]`;
  const members = Object.entries(inner.properties ?? {}).flatMap(([name, member]) =>
    fieldsOf(`${base}.${name}`, member, inner.required?.includes(name) === true),
  );
  return [own, ...members];
}

function typeOf({ type, items }: StructuralSchema): string {
  return items === undefined ? type : `list of ${items.type}s`;
}

function describe(schema: StructuralSchema): string {
  const words = schema.items?.enum ?? schema.enum;
  const limits = [
    ...(words === undefined ? [] : [`One of ${words.map((word) => `\`${String(word)}\``).join(', ')}.`]),
    ...(schema.minimum === undefined || schema.maximum === undefined
      ? []
      : [`${schema.minimum} to ${schema.maximum}.`]),
    ...(schema.maxItems === undefined ? [] : [`At most ${schema.maxItems}.`]),
    ...(schema.default === undefined ? [] : [`Default \`${JSON.stringify(schema.default)}\`.`]),
  ];
  return [schema.description ?? '', ...limits].join(' ').trim();
}

function listed(fields: readonly Field[]): string {
  return fields
    .map(
      ({ path, type, required, description }) =>
        `- \`${path}\` (${type}${required ? ', required' : ''}): ${description}`,
    )
    .join('\n');
}
