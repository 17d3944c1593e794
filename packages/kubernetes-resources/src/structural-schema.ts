import type { TSchema } from 'typebox';

/**
 * The schema dialect of custom resources (apiextensions.k8s.io/v1 JSONSchemaProps), restricted to what is structural:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface StructuralSchema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly items?: StructuralSchema;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Exactly one of these holds, besides everything else. */
  readonly oneOf?: readonly Validation[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** Inside of logical junctors a structural schema may only validate: no types, descriptions or defaults. */
export interface Validation {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, { readonly enum: readonly unknown[] }>>;
  readonly not?: { readonly anyOf: readonly Validation[] };
}

/** What Kubernetes objects have beyond the schemas of the REST API. Both go by the name of the property. */
export interface ObjectConventions {
  /** Members that tell the items of a list apart: server-side apply merges such lists item by item. */
  readonly listKeys?: Readonly<Record<string, readonly string[]>>;
  /** What the API server fills in; a property with a default is not required. */
  readonly defaults?: Readonly<Record<string, unknown>>;
}

/** The parts of JSON Schema that the schemas of the REST API are made of. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
}

/**
 * The same schema as a custom resource has it. Kubernetes' dialect knows less, so:
 * - null is absence: `nullable` members become optional ones;
 * - a union of objects becomes one object with the members of all, and `oneOf` says which belong together;
 * - "one, or a list" becomes the list;
 * - unknown members are not refused by the schema: the API server prunes them, or refuses them for `fieldValidation=Strict`,
 *   which is what kubectl asks for.
 * Throws when the schema uses something that has no structural form.
 */
export function structuralSchema(schema: TSchema, conventions: ObjectConventions = {}): StructuralSchema {
  return convert(schema, conventions, '');
}

function convert(schema: JsonSchema, conventions: ObjectConventions, name: string): StructuralSchema {
  const { anyOf } = schema;
  if (anyOf !== undefined) return convertUnion(schema, anyOf, conventions, name);
  const described = schema.description === undefined ? {} : { description: schema.description };
  switch (schema.type) {
    case 'object':
      return { type: 'object', ...described, ...convertMembers(schema, conventions) };
    case 'array': {
      if (schema.items === undefined) throw new Error(`${name}: a list needs the schema of its items`);
      const items = convert(schema.items, conventions, name);
      return {
        type: 'array',
        ...described,
        items,
        ...pick(schema, ['minItems', 'maxItems']),
        ...listType(schema, items, conventions.listKeys?.[name]),
      };
    }
    case 'string':
      return {
        type: 'string',
        ...described,
        ...enumeration(schema),
        ...pick(schema, ['minLength', 'maxLength']),
        ...(schema.pattern === undefined ? {} : { pattern: portablePattern(schema.pattern) }),
      };
    case 'integer':
      return {
        type: 'integer',
        ...described,
        format: 'int64',
        ...enumeration(schema),
        ...pick(schema, ['minimum', 'maximum']),
      };
    case 'number':
      return { type: 'number', ...described, ...pick(schema, ['minimum', 'maximum']) };
    case 'boolean':
      return { type: 'boolean', ...described, ...enumeration(schema) };
    default:
      throw new Error(`${name}: no structural form of ${JSON.stringify(schema)}`);
  }
}

function convertMembers(schema: JsonSchema, conventions: ObjectConventions) {
  const defaults = conventions.defaults ?? {};
  const members = Object.entries(schema.properties ?? {});
  const properties = Object.fromEntries(
    members.map(([name, member]) => {
      const converted = convert(member, conventions, name);
      return [name, name in defaults ? { ...converted, default: defaults[name] } : converted];
    }),
  );
  const optional = new Set(
    members.filter(([name, member]) => name in defaults || isNullable(member)).map(([name]) => name),
  );
  const required = (schema.required ?? []).filter((name) => !optional.has(name));
  return { properties, ...(required.length === 0 ? {} : { required }) };
}

function isNullable({ anyOf }: JsonSchema): boolean {
  return anyOf?.some((branch) => branch.type === 'null') === true;
}

function convertUnion(
  { description }: JsonSchema,
  anyOf: readonly JsonSchema[],
  conventions: ObjectConventions,
  name: string,
): StructuralSchema {
  const branches = anyOf.filter((branch) => branch.type !== 'null');
  const described = description === undefined ? {} : { description: withoutNull(description) };
  const [first, second] = branches;
  if (first !== undefined && second === undefined) return { ...convert(first, conventions, name), ...described };
  const whole = branches.find(
    (branch) => branch.type === 'array' && branches.every((other) => other === branch || sameType(other, branch.items)),
  );
  if (whole !== undefined) return { ...convert(whole, conventions, name), ...described };
  if (branches.some((branch) => branch.type !== 'object')) {
    throw new Error(`${name}: no structural form of a union of ${JSON.stringify(branches)}`);
  }
  return { type: 'object', ...described, ...merge(branches, conventions, name) };
}

function sameType(one: JsonSchema, other: JsonSchema | undefined): boolean {
  return one.type === other?.type;
}

/** What is said of null is of no use where there is none. */
function withoutNull(description: string): string {
  return description.replace(/[;.]?\s*\bnull\b[^.;]*\.?/g, '.').replace(/^\.\s*/, '');
}

/** One object with the members of all branches. Throws when two branches mean different things by one name. */
function merge(branches: readonly JsonSchema[], conventions: ObjectConventions, name: string) {
  const converted = branches.map((branch) => convertMembers(branch, conventions));
  const tags = tagsOf(branches);
  const properties: Record<string, StructuralSchema> = {};
  for (const branch of converted) {
    for (const [member, schema] of Object.entries(branch.properties)) {
      const known = properties[member];
      if (known === undefined) properties[member] = schema;
      else if (tags.has(member)) properties[member] = eitherTag(known, schema);
      else if (JSON.stringify(known) !== JSON.stringify(schema)) {
        throw new Error(`${name}: the branches of the union differ in what ${member} is`);
      }
    }
  }
  const everywhere = Object.keys(properties).filter((member) =>
    converted.every((branch) => branch.required?.includes(member)),
  );
  const oneOf = converted.map((branch): Validation => {
    const required = branch.required?.filter((member) => !everywhere.includes(member)) ?? [];
    const tagged = Object.entries(branch.properties).filter(([member]) => tags.has(member));
    const foreign = Object.keys(properties).filter((member) => !(member in branch.properties));
    return {
      ...(required.length === 0 ? {} : { required }),
      ...(tagged.length === 0
        ? {}
        : { properties: Object.fromEntries(tagged.map(([member, tag]) => [member, { enum: tag.enum ?? [] }])) }),
      ...(foreign.length === 0 ? {} : { not: { anyOf: foreign.map((member) => ({ required: [member] })) } }),
    };
  });
  return { properties, ...(everywhere.length === 0 ? {} : { required: everywhere }), oneOf };
}

/** Members that are a constant in every branch. */
function tagsOf(branches: readonly JsonSchema[]): ReadonlySet<string> {
  const names = Object.keys(branches[0]?.properties ?? {});
  return new Set(names.filter((name) => branches.every((branch) => branch.properties?.[name]?.const !== undefined)));
}

function eitherTag(one: StructuralSchema, other: StructuralSchema): StructuralSchema {
  const values = [...(one.enum ?? []), ...(other.enum ?? [])];
  const descriptions = [one, other].flatMap((tag) => tag.description ?? []);
  return { ...one, ...(descriptions.length === 0 ? {} : { description: descriptions.join(' ') }), enum: values };
}

function enumeration(schema: JsonSchema) {
  if (schema.const !== undefined) return { enum: [schema.const] };
  return schema.enum === undefined ? {} : { enum: schema.enum };
}

function listType(schema: JsonSchema, items: StructuralSchema, keys: readonly string[] | undefined) {
  if (keys !== undefined) return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys } as const;
  const scalar = items.type !== 'object' && items.type !== 'array';
  return { 'x-kubernetes-list-type': schema.uniqueItems === true && scalar ? 'set' : 'atomic' } as const;
}

/**
 * The API server reads patterns as RE2 does, which knows neither \uXXXX nor halves of surrogate pairs; its strings are UTF-8
 * and cannot contain the latter.
 */
function portablePattern(pattern: string): string {
  return pattern.replace(/\\ud800-\\udfff/g, '').replace(/\\u00([0-9a-f]{2})/g, '\\x$1');
}

function pick<const Name extends keyof JsonSchema>(
  schema: JsonSchema,
  names: readonly Name[],
): Partial<Pick<JsonSchema, Name>> {
  const picked: Partial<Pick<JsonSchema, Name>> = {};
  for (const name of names) if (schema[name] !== undefined) picked[name] = schema[name];
  return picked;
}
