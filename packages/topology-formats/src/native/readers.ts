import { addressFamily, canonicalIpv6, canonicalPrefix, type AddressFamily } from '@waymark/topology';
import { nearestName } from './nearest-name.js';
import type { ProblemList } from './problem-list.js';
import { pointerTo, type PlainObject, type PlainValue } from './source-text.js';

/**
 * Reads one value, or reports what is wrong with it and returns undefined. Nothing is converted: a number in quotes is
 * text, and a bare number is no text.
 */
export type Reader<T> = (value: PlainValue, pointer: string, problems: ProblemList) => T | undefined;

export type Fields = Readonly<Record<string, Reader<unknown>>>;

/** What reading an object with these fields gives; every field may be absent. */
export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Reader<infer T> ? T : never;
};

/** Names a value in a message, shortened. */
export function show(value: PlainValue): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'named fields';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function isObject(value: PlainValue): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Unknown fields are reported with the nearest known name. null means the same as leaving the field out. */
export function readObject<F extends Fields>(
  value: PlainValue,
  pointer: string,
  problems: ProblemList,
  fields: F,
  required: readonly (keyof F & string)[] = [],
): ValuesOf<F> | undefined {
  if (!isObject(value)) {
    problems.report(pointer, `expected named fields, not ${show(value)}`);
    return undefined;
  }
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const at = pointerTo(pointer, name);
    const reader = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (reader === undefined) {
      problems.report(at, unknownField(name, Object.keys(fields)), 'key');
    } else if (member !== null) {
      const read = reader(member, at, problems);
      if (read !== undefined) result[name] = read;
    }
  }
  for (const name of required) {
    if ((value[name] ?? null) === null) problems.report(pointerTo(pointer, name), `"${name}" is missing`);
  }
  return result as ValuesOf<F>;
}

function unknownField(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? `known here: ${known.join(', ')}` : `did you mean "${nearest}"?`;
  return `there is no field ${show(name)}; ${hint}`;
}

export function object<F extends Fields>(fields: F, required: readonly (keyof F & string)[] = []): Reader<ValuesOf<F>> {
  return (value, pointer, problems) => readObject(value, pointer, problems, fields, required);
}

/** Items that could not be read are left out; their problems are reported. */
export function list<T>(item: Reader<T>, maxItems = 1_000_000): Reader<readonly T[]> {
  return (value, pointer, problems) => {
    if (!Array.isArray(value)) {
      problems.report(pointer, `expected a list, not ${show(value)}`);
      return undefined;
    }
    const items = value as readonly PlainValue[];
    if (items.length > maxItems) {
      problems.report(pointer, `at most ${maxItems} entries, not ${items.length}`);
      return undefined;
    }
    const read: T[] = [];
    for (const [i, entry] of items.entries()) {
      const result = item(entry, pointerTo(pointer, i), problems);
      if (result !== undefined) read.push(result);
    }
    return read;
  };
}

/** A list that is a set: entries given twice are reported, the rest comes sorted. */
export function set<T extends string | number>(item: Reader<T>, maxItems: number): Reader<readonly T[]> {
  const readList = list(item, maxItems);
  return (value, pointer, problems) => {
    const items = readList(value, pointer, problems);
    if (items === undefined) return undefined;
    const sorted = [...items].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const twice = sorted.find((entry, i) => i > 0 && entry === sorted[i - 1]);
    if (twice !== undefined) problems.report(pointer, `${show(twice)} is given twice`);
    return sorted;
  };
}

function number(kind: string, min: number, max: number, fits: (value: number) => boolean): Reader<number> {
  return (value, pointer, problems) => {
    if (typeof value === 'number' && fits(value) && value >= min && value <= max) return value === 0 ? 0 : value;
    const quoted = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
    const hint = quoted ? '; write it without quotes' : '';
    problems.report(pointer, `expected ${kind} from ${min} to ${max}, not ${show(value)}${hint}`);
    return undefined;
  };
}

export const integer = (min: number, max: number): Reader<number> =>
  number('a whole number', min, max, Number.isSafeInteger);

export const decimal = (min: number, max: number): Reader<number> => number('a number', min, max, Number.isFinite);

export const flag: Reader<boolean> = (value, pointer, problems) => {
  if (typeof value === 'boolean') return value;
  problems.report(pointer, `expected true or false, not ${show(value)}`);
  return undefined;
};

export function oneOf<const T extends string>(...choices: readonly T[]): Reader<T> {
  return (value, pointer, problems) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) problems.report(pointer, `expected one of ${choices.join(', ')}, not ${show(value)}`);
    return found;
  };
}

function text(what: string, fits: (value: string) => boolean): Reader<string> {
  return (value, pointer, problems) => {
    if (typeof value === 'string' && fits(value)) return value;
    const hint = typeof value === 'number' || typeof value === 'boolean' ? '; put it in quotes' : '';
    problems.report(pointer, `expected ${what}, not ${show(value)}${hint}`);
    return undefined;
  };
}

export const pattern = (what: string, expression: RegExp): Reader<string> =>
  text(what, (value) => expression.test(value));

/** Text for people: one line without control characters, and whole (no half of a surrogate pair: no database takes it). */
export const label = (maxLength: number): Reader<string> =>
  text(
    `one line of 1 to ${maxLength} characters`,
    (value) => value.length > 0 && value.length <= maxLength && !/[\p{Cc}\p{Cs}]/u.test(value),
  );

export const nodeId = pattern(
  'an id of letters, digits, ".", "_" and "-" (at most 63, the first a letter or digit)',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
);

export const linkId = pattern(
  'an id of letters, digits, ".", "_", ":" and "-" (at most 191, the first a letter or digit)',
  /^[A-Za-z0-9][A-Za-z0-9._:-]{0,190}$/,
);

/** Longer than any spelling of an address or prefix. */
const maxAddressLength = 64;

function canonical(what: string, canonicalise: (value: string) => string): Reader<string> {
  return (value, pointer, problems) => {
    if (typeof value !== 'string' || value.length > maxAddressLength) {
      problems.report(pointer, `expected ${what}, not ${show(value)}`);
      return undefined;
    }
    try {
      return canonicalise(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.report(pointer, error.message);
      return undefined;
    }
  };
}

export const ipv6Address = canonical('an IPv6 address', canonicalIpv6);

export const ipAddress = canonical('an address', (value) =>
  addressFamily(value) === 'ipv4' ? value : canonicalIpv6(value),
);

/** `family` undefined: either. */
export const prefix = (family?: AddressFamily): Reader<string> =>
  canonical('a prefix', (value) => {
    const read = canonicalPrefix(value);
    if (family !== undefined && addressFamily(read.slice(0, read.indexOf('/'))) !== family) {
      throw new RangeError(`"${value}" is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} prefix`);
    }
    return read;
  });
