import {
  Type,
  type TArray,
  type TArrayOptions,
  type TEnum,
  type TObject,
  type TProperties,
  type TSchema,
} from 'typebox';

/**
 * Building blocks of every schema of the HTTP API. Each insists on a description (with its unit) and a bound, so that no
 * property can reach the document without them.
 */

/** Largest integer that JSON, JavaScript and Postgres's bigint all hold exactly: 2^53 - 1. */
export const maxInteger = Number.MAX_SAFE_INTEGER;

/** Largest value of a 32-bit field: colors, TE metrics, SRLGs; for delays it is 71 minutes. */
export const maxUint32 = 4_294_967_295;

export interface IntegerLimits {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: number[];
  readonly default?: number;
}

export function integer(description: string, limits: IntegerLimits = {}) {
  return Type.Integer({ description, minimum: 0, maximum: maxInteger, ...limits });
}

/** A real number within bounds. */
export function real(description: string, minimum: number, maximum: number, examples: number[]) {
  return Type.Number({ description, minimum, maximum, examples });
}

export function flag(description: string) {
  return Type.Boolean({ description });
}

/** The value `true`, for members that are either absent or set. */
export function set(description: string) {
  return Type.Literal(true, { description });
}

/**
 * Text for people: anything printable. Control characters are refused (Postgres cannot store NUL), and halves of surrogate
 * pairs, which UTF-8 cannot carry.
 */
export function text(description: string, maxLength = 255, examples = [placeholder(description)]) {
  const pattern = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';
  return Type.String({ description, maxLength, pattern, examples });
}

/** What a text is about, in its place: Swagger UI would make up letters that fit the pattern. */
function placeholder(description: string): string {
  return description.replace(/\.$/, '').slice(0, 63);
}

/** Text of a fixed grammar. */
export function token(description: string, pattern: string, maxLength: number, examples: string[]) {
  return Type.String({ description, minLength: 1, maxLength, pattern, examples });
}

/** One of several words. */
export function choice<const Values extends string[]>(
  description: string,
  values: readonly [...Values],
  examples: string[] = [...values].slice(0, 1),
): TEnum<Values> {
  return Type.Enum(values, { type: 'string', description, examples });
}

/** The value, or null; `description` says what null means. */
export function nullable<Schema extends TSchema>(schema: Schema, description: string) {
  return Type.Union([schema, Type.Null()], { description });
}

export function list<Schema extends TSchema>(
  description: string,
  items: Schema,
  maxItems: number,
  options: TArrayOptions = {},
): TArray<Schema> {
  return Type.Array(items, { description, maxItems, ...options });
}

/**
 * An object that refuses unknown members. `title` names it in the OpenAPI document; without one it stays inline.
 * Spreads the properties of others with `...Other.properties`.
 */
export function object<Properties extends TProperties>(
  title: string | undefined,
  description: string,
  properties: Properties,
  examples?: unknown[],
): TObject<Properties> {
  return Type.Object(properties, {
    ...(title === undefined ? {} : { title }),
    description,
    additionalProperties: false,
    ...(examples === undefined ? {} : { examples }),
  });
}

/** One of several objects, told apart by the constant member `kind`. */
export function tagged<Branches extends TSchema[]>(
  title: string,
  description: string,
  branches: [...Branches],
  examples?: readonly unknown[],
) {
  return Type.Union(branches, { title, description, ...(examples === undefined ? {} : { examples }) });
}

/** The constant member that tells the branches of a tagged union apart. */
export function kind<const Value extends string>(value: Value, description: string) {
  return Type.Literal(value, { description });
}
