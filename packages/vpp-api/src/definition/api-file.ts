import { VppDefinitionError } from '../errors.js';

/**
 * VPP's API definitions, as it installs them (`*.api.json` under /usr/share/vpp/api) and as `get_api_json` returns them.
 * Structures, messages and enumerations are arrays there: name first, options last, fields or values in between.
 */

export interface FieldDefinition {
  /** `u32`, `string`, or `vl_api_<name>_t`. */
  readonly type: string;
  readonly name: string;
  /** Number of elements; 0 with `countField`, or for what takes its length along. */
  readonly length: number | undefined;
  readonly countField: string | undefined;
  readonly default: unknown;
}

export interface StructDefinition {
  readonly name: string;
  readonly fields: readonly FieldDefinition[];
}

export interface MessageDefinition extends StructDefinition {
  /** 8 hexadecimal digits. */
  readonly crc: string;
}

export interface EnumDefinition {
  readonly name: string;
  readonly values: ReadonlyMap<string, number>;
  /** Integer type on the wire. */
  readonly base: string;
  /** Values may be combined. */
  readonly isFlags: boolean;
}

export interface AliasDefinition {
  readonly type: string;
  readonly length: number | undefined;
}

export interface ServiceDefinition {
  /** `null` in the file: the request has no reply. */
  readonly reply: string | undefined;
  /** The reply is sent any number of times, and nothing says which is the last. */
  readonly isDump: boolean;
  /** Sent any number of times before the reply. */
  readonly streamMessage: string | undefined;
  /** Messages that VPP sends of its own accord once asked. */
  readonly events: readonly string[];
}

export interface ApiFile {
  readonly structs: readonly StructDefinition[];
  readonly unions: readonly StructDefinition[];
  readonly messages: readonly MessageDefinition[];
  readonly enums: readonly EnumDefinition[];
  readonly aliases: ReadonlyMap<string, AliasDefinition>;
  /** By the name of the request. */
  readonly services: ReadonlyMap<string, ServiceDefinition>;
}

/** Reads one file's JSON; `origin` names it in errors. Throws VppDefinitionError. */
export function readApiFile(json: unknown, origin: string): ApiFile {
  const file = new Place(json, origin);
  return {
    structs: file.list('types').map(structOf),
    unions: file.list('unions').map(structOf),
    messages: file.list('messages').map(messageOf),
    enums: [
      ...file.list('enums').map((place) => enumOf(place, false)),
      ...file.list('enumflags').map((place) => enumOf(place, true)),
    ],
    aliases: new Map(file.entries('aliases').map(([name, place]) => [name, aliasOf(place)])),
    services: new Map(file.entries('services').map(([name, place]) => [name, serviceOf(place)])),
  };
}

function structOf(place: Place): StructDefinition {
  const [name, ...rest] = place.elements();
  if (name === undefined) throw place.wrong('a name and fields');
  return { name: name.text(), fields: rest.filter((part) => part.isArray).map(fieldOf) };
}

function messageOf(place: Place): MessageDefinition {
  const crc = place.elements().at(-1)?.property('crc')?.text() ?? '';
  if (!/^0x[0-9a-f]{8}$/.test(crc)) throw place.wrong('options with a crc at its end');
  return { ...structOf(place), crc: crc.slice(2) };
}

function fieldOf(place: Place): FieldDefinition {
  const [type, name, ...rest] = place.elements();
  if (type === undefined || name === undefined) throw place.wrong('a type and a name');
  const options = rest.find((part) => part.isObject);
  const [length, countField] = rest.filter((part) => !part.isObject);
  return {
    type: type.text(),
    name: name.text(),
    length: length?.count(),
    countField: countField?.text(),
    default: options?.property('default')?.value,
  };
}

function enumOf(place: Place, isFlags: boolean): EnumDefinition {
  const [name, ...rest] = place.elements();
  if (name === undefined) throw place.wrong('a name and values');
  const values = rest
    .filter((part) => part.isArray)
    .map((part): [string, number] => {
      const [key, value] = part.elements();
      if (key === undefined || value === undefined) throw part.wrong('a name and a number');
      return [key.text(), value.count()];
    });
  // Some that are combined are declared as plain enumerations, such as if_status_flags.
  const isCombined = isFlags || name.text().endsWith('_flags');
  const base =
    rest
      .find((part) => part.isObject)
      ?.property('enumtype')
      ?.text() ?? 'u32';
  return { name: name.text(), values: new Map(values), base, isFlags: isCombined };
}

function aliasOf(place: Place): AliasDefinition {
  const type = place.property('type');
  if (type === undefined) throw place.wrong('an alias with a type');
  return { type: type.text(), length: place.property('length')?.count() };
}

function serviceOf(place: Place): ServiceDefinition {
  const reply = place.property('reply')?.text();
  const streamMessage = place.property('stream_msg')?.text();
  return {
    reply: reply === 'null' ? undefined : reply,
    isDump: place.property('stream')?.value === true && streamMessage === undefined,
    streamMessage,
    events: place.list('events').map((event) => event.text()),
  };
}

/** A value somewhere in the file, and where that is. */
class Place {
  readonly value: unknown;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.#path = path;
  }

  get isArray(): boolean {
    return Array.isArray(this.value);
  }

  get isObject(): boolean {
    return typeof this.value === 'object' && this.value !== null && !this.isArray;
  }

  wrong(expected: string): VppDefinitionError {
    return new VppDefinitionError(`${this.#path}: expected ${expected}`);
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('a text');
    return this.value;
  }

  count(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 0) throw this.wrong('a whole number');
    return this.value as number;
  }

  elements(): Place[] {
    if (!Array.isArray(this.value)) throw this.wrong('an array');
    return this.value.map((value, index) => new Place(value, `${this.#path}[${index}]`));
  }

  property(name: string): Place | undefined {
    if (!this.isObject) throw this.wrong('an object');
    const value: unknown = Object.getOwnPropertyDescriptor(this.value, name)?.value;
    return value === undefined ? undefined : new Place(value, `${this.#path}.${name}`);
  }

  /** An array under a name that may be missing. */
  list(name: string): Place[] {
    return this.property(name)?.elements() ?? [];
  }

  /** An object under a name that may be missing. */
  entries(name: string): [string, Place][] {
    const place = this.property(name);
    if (place === undefined) return [];
    if (!place.isObject) throw place.wrong('an object');
    return Object.entries(place.value as object).map(([key, value]) => [
      key,
      new Place(value, `${place.#path}.${key}`),
    ]);
  }
}
