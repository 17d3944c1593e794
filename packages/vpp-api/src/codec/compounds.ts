import type { EnumDefinition } from '../definition/api-file.js';
import { VppDecodeError, VppEncodeError } from '../errors.js';
import { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import type { Codec } from './codec.js';
import { shown } from './scalars.js';
import type { VppRecord, VppValue } from './value.js';

export function enumCodec(definition: EnumDefinition, base: Codec): Codec {
  const { name, values, isFlags } = definition;
  const names = new Map([...values].map(([key, value]) => [value, key]));
  const numberOf = (value: unknown, at: string): unknown => {
    if (typeof value !== 'string') return value;
    const number = values.get(value);
    if (number !== undefined) return number;
    throw new VppEncodeError(`${at}: ${shown(value)} is not one of ${name}: ${[...values.keys()].join(', ')}`);
  };
  const combined = (value: unknown, at: string): unknown =>
    Array.isArray(value)
      ? value.reduce<number>((sum, part) => sum | Number(numberOf(part, at)), 0)
      : numberOf(value, at);
  return {
    minBytes: base.minBytes,
    write: (writer, value, at) => base.write(writer, isFlags ? combined(value, at) : numberOf(value, at), at),
    read: (reader, at) => {
      const value = base.read(reader, at);
      return isFlags ? value : (names.get(Number(value)) ?? value);
    },
  };
}

/** `u8 x[n]`. Shorter values are padded with zeros. */
export function fixedBytes(count: number): Codec {
  return {
    minBytes: count,
    write: (writer, value, at) => {
      const bytes = bytesOf(value, at);
      if (bytes.length > count) throw new VppEncodeError(`${at}: expected at most ${count} bytes, not ${bytes.length}`);
      const start = writer.claim(count);
      writer.view.set(bytes, start);
    },
    read: (reader) => Uint8Array.from(reader.take(count)),
  };
}

/** `T x[n]`. Shorter values are padded with zero bytes. */
export function fixedArray(element: Codec, count: number): Codec {
  return {
    minBytes: element.minBytes * count,
    write: (writer, value, at) => {
      const elements = elementsOf(value, at);
      if (elements.length > count) {
        throw new VppEncodeError(`${at}: expected at most ${count} elements, not ${elements.length}`);
      }
      elements.forEach((part, index) => element.write(writer, part, `${at}[${index}]`));
      writer.claim((count - elements.length) * element.minBytes);
    },
    read: (reader, at) => elementsFrom(reader, element, count, at),
  };
}

/** `T x[count]`: how many is in a field before. */
export interface CountedCodec {
  readonly countField: string;
  length(value: unknown, at: string): number;
  write(writer: ByteWriter, value: unknown, at: string): void;
  read(reader: ByteReader, count: number, at: string): VppValue;
}

export function countedBytes(countField: string): CountedCodec {
  return {
    countField,
    length: (value, at) => bytesOf(value, at).length,
    write: (writer, value, at) => writer.bytes(bytesOf(value, at)),
    read: (reader, count) => Uint8Array.from(reader.take(count)),
  };
}

export function countedArray(element: Codec, countField: string): CountedCodec {
  return {
    countField,
    length: (value, at) => elementsOf(value, at).length,
    write: (writer, value, at) => {
      elementsOf(value, at).forEach((part, index) => element.write(writer, part, `${at}[${index}]`));
    },
    read: (reader, count, at) => {
      // Held against the bytes that are there, so that a wrong count allocates nothing.
      if (element.minBytes === 0 || count > reader.remaining / element.minBytes) {
        throw new VppDecodeError(`${at}: the message is too short for ${count} elements`);
      }
      return elementsFrom(reader, element, count, at);
    },
  };
}

export interface FieldCodec {
  readonly name: string;
  readonly codec: Codec | CountedCodec;
  /** What is written when the value is left out; undefined: it may not be. */
  readonly default: unknown;
}

export function structCodec(fields: readonly FieldCodec[]): Codec {
  const counted = fields.flatMap(({ name, codec }) => (isCounted(codec) ? [{ name, codec }] : []));
  const names = new Set(fields.map(({ name }) => name));
  /** All fields as properties of its own, whatever they are called. */
  const blank = Object.fromEntries(fields.map(({ name }): [string, VppValue] => [name, 0]));
  return {
    minBytes: fields.reduce((sum, { codec }) => sum + (isCounted(codec) ? 0 : codec.minBytes), 0),
    write: (writer, values, at) => {
      const record = recordOf(values, at);
      const counts = new Map<string, number>();
      for (const { name, codec } of counted) {
        counts.set(codec.countField, codec.length(own(record, name), fieldAt(at, name)));
      }
      refuseUnknown(record, names, at);
      for (const { name, codec, default: preset } of fields) {
        const place = fieldAt(at, name);
        const count = counts.get(name);
        const value = own(record, name);
        const given = value === undefined ? (count ?? preset) : value;
        if (given === undefined) throw new VppEncodeError(`${place} is missing`);
        if (count !== undefined && given !== count) {
          throw new VppEncodeError(`${place}: ${shown(given)} is not the ${count} elements it counts; leave it out`);
        }
        codec.write(writer, given, place);
      }
    },
    read: (reader, at) => {
      const values = { ...blank };
      for (const { name, codec } of fields) {
        const place = fieldAt(at, name);
        values[name] = isCounted(codec)
          ? codec.read(reader, Number(values[codec.countField]), place)
          : codec.read(reader, place);
      }
      return values;
    },
  };
}

/** As many bytes as the largest member. Exactly one member is written; all that fit are read. */
export function unionCodec(members: readonly { readonly name: string; readonly codec: Codec }[]): Codec {
  const bytes = Math.max(0, ...members.map(({ codec }) => codec.minBytes));
  return {
    minBytes: bytes,
    write: (writer, value, at) => {
      const record = recordOf(value, at);
      const [given, ...more] = members.filter(({ name }) => own(record, name) !== undefined);
      if (given === undefined || more.length > 0) {
        throw new VppEncodeError(`${at}: expected one of ${members.map(({ name }) => name).join(', ')}`);
      }
      given.codec.write(writer, own(record, given.name), fieldAt(at, given.name));
      writer.claim(bytes - given.codec.minBytes);
    },
    read: (reader, at) => {
      const content = reader.take(bytes);
      return Object.fromEntries(
        members.map(({ name, codec }) => [name, codec.read(new ByteReader(content), fieldAt(at, name))] as const),
      );
    },
  };
}

function isCounted(codec: Codec | CountedCodec): codec is CountedCodec {
  return 'countField' in codec;
}

function fieldAt(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

function recordOf(value: unknown, at: string): VppRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new VppEncodeError(`${at}: expected an object, not ${shown(value)}`);
  }
  return value as VppRecord;
}

function own(record: VppRecord, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function elementsFrom(reader: ByteReader, element: Codec, count: number, at: string): VppValue[] {
  const elements: VppValue[] = [];
  for (let index = 0; index < count; index++) elements.push(element.read(reader, at));
  return elements;
}

function refuseUnknown(record: VppRecord, names: ReadonlySet<string>, at: string): void {
  const unknown = Object.keys(record).find((key) => !names.has(key));
  if (unknown === undefined) return;
  const known = [...names].join(', ');
  throw new VppEncodeError(`${fieldAt(at, unknown)} is not a field; there are ${known === '' ? 'none' : known}`);
}

function bytesOf(value: unknown, at: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const elements = elementsOf(value, at);
  const isByte = (part: unknown): boolean => Number.isInteger(part) && (part as number) >= 0 && (part as number) < 256;
  if (!elements.every(isByte)) throw new VppEncodeError(`${at}: expected bytes`);
  return Uint8Array.from(elements as number[]);
}

function elementsOf(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new VppEncodeError(`${at}: expected an array, not ${shown(value)}`);
  return value;
}
