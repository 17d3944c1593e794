import { hostileTexts } from './hostile-values.js';
import type { Random } from './random.js';

/*
 * Protobuf on the wire, without its schema: a message is a list of fields, each with a number, a wire type and bytes. So a
 * mutation hits any field at any depth, and leaves everything around it as it was.
 */

interface Field {
  readonly number: number;
  readonly type: 0 | 1 | 2 | 5;
  /** Of type 2 without the length. */
  readonly bytes: Buffer;
}

const hostileVarints: readonly bigint[] = [
  ...[0n, 1n, 2n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 48n, 2n ** 48n + 1n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];

/** The message with one thing changed somewhere inside; what is no message at all has its bytes changed. */
export function mutatedProtobuf(random: Random, message: Buffer): Buffer {
  const fields = fieldsOf(message);
  if (fields === undefined || fields.length === 0 || random.chance(0.1)) return mutatedBytes(random, message);
  const at = random.below(fields.length);
  const field = fields[at] as Field;
  const replaced = (...instead: readonly Field[]): Buffer => encoded(fields.toSpliced(at, 1, ...instead));
  return random.pick<() => Buffer>([
    () => replaced(),
    () => replaced(field, field),
    () => replaced(...Array.from({ length: random.pick([3, 100, 5_000]) }, () => field)),
    () => replaced({ ...field, number: random.pick([field.number + 1, 15, 16, 19_000, 536_870_911]) }),
    () => replaced({ ...field, type: random.pick([0, 1, 2, 5] as const) }),
    () => encoded(fields.toReversed()),
    ...Array.from({ length: 8 }, () => () => replaced({ ...field, bytes: hostileContent(random, field) })),
  ])();
}

function hostileContent(random: Random, { type, bytes }: Field): Buffer {
  if (type === 0) return random.chance(0.1) ? Buffer.alloc(11, 0xff) : varint(random.pick(hostileVarints));
  if (type !== 2) return random.bytes(bytes.length);
  const inner = fieldsOf(bytes);
  if (inner !== undefined && inner.length > 0 && random.chance(0.75)) return mutatedProtobuf(random, bytes);
  return random.pick<() => Buffer>([
    () => Buffer.alloc(0),
    () => Buffer.alloc(random.pick([1, 15, 17, 31, 33, 100_000])),
    () => random.bytes(bytes.length),
    () => mutatedBytes(random, bytes),
    () => Buffer.from(random.pick(hostileTexts)),
    () =>
      Buffer.from(
        random.pick([
          'nobody:1:x',
          'dc-london:100:dc-athens',
          'DE:1:FR',
          'DE:0:FR',
          'DE:1:DE',
          'DE:4294967296:FR',
          'redis',
          'linux',
          'End.X',
        ]),
      ),
    () => Buffer.from([0xc3, 0x28]),
    () => Buffer.concat([bytes, Buffer.from([0])]),
  ])();
}

export function mutatedBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  return random.pick<() => Buffer>([
    () => bytes.subarray(0, at),
    () => bytes.subarray(at),
    () => Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(8)), bytes.subarray(at)]),
    () => Buffer.concat([bytes, bytes]),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
    () => flipped(random, bytes),
    () => random.bytes(random.below(200)),
  ])();
}

function flipped(random: Random, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  for (let i = random.below(4); i >= 0 && changed.length > 0; i--) {
    const at = random.below(changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  }
  return changed;
}

function fieldsOf(message: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  for (let offset = 0; offset < message.length;) {
    const key = readVarint(message, offset);
    if (key === undefined) return undefined;
    const [number, type] = [Number(key.value >> 3n), Number(key.value & 7n)];
    if (number === 0 || number > 536_870_911) return undefined;
    const start = key.end;
    if (type === 0) {
      const value = readVarint(message, start);
      if (value === undefined) return undefined;
      fields.push({ number, type, bytes: message.subarray(start, value.end) });
      offset = value.end;
    } else if (type === 1 || type === 5) {
      offset = start + (type === 1 ? 8 : 4);
      if (offset > message.length) return undefined;
      fields.push({ number, type, bytes: message.subarray(start, offset) });
    } else if (type === 2) {
      const length = readVarint(message, start);
      if (length === undefined || length.end + Number(length.value) > message.length) return undefined;
      offset = length.end + Number(length.value);
      fields.push({ number, type, bytes: message.subarray(length.end, offset) });
    } else {
      return undefined;
    }
  }
  return fields;
}

function encoded(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, type, bytes }) => {
      const key = varint((BigInt(number) << 3n) | BigInt(type));
      return type === 2 ? [key, varint(BigInt(bytes.length)), bytes] : [key, bytes];
    }),
  );
}

function readVarint(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  return undefined;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
