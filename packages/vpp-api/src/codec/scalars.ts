import { VppDecodeError, VppEncodeError } from '../errors.js';
import { addressBytes, addressText, prefixParts } from './addresses.js';
import type { Codec } from './codec.js';

/** How Buffer reads an integer. */
type Reads = (view: Buffer, at: number) => number;

function integer(bytes: 1 | 2 | 4, signed: boolean, reads: Reads): Codec {
  const [min, max] = signed ? [-(2 ** (8 * bytes - 1)), 2 ** (8 * bytes - 1) - 1] : [0, 2 ** (8 * bytes) - 1];
  return {
    minBytes: bytes,
    write: (writer, value, at) => {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
        throw new VppEncodeError(`${at}: expected a whole number from ${min} to ${max}, not ${shown(value)}`);
      }
      const start = writer.claim(bytes);
      if (signed) writer.view.writeIntBE(value, start, bytes);
      else writer.view.writeUIntBE(value, start, bytes);
    },
    read: (reader) => reads(reader.view, reader.claim(bytes)),
  };
}

function long(signed: boolean): Codec {
  const [min, max] = signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  return {
    minBytes: 8,
    write: (writer, given, at) => {
      const value = typeof given === 'number' && Number.isSafeInteger(given) ? BigInt(given) : given;
      if (typeof value !== 'bigint' || value < min || value > max) {
        throw new VppEncodeError(`${at}: expected a whole number from ${min} to ${max}, not ${shown(given)}`);
      }
      const start = writer.claim(8);
      if (signed) writer.view.writeBigInt64BE(value, start);
      else writer.view.writeBigUInt64BE(value, start);
    },
    read: (reader) =>
      signed ? reader.view.readBigInt64BE(reader.claim(8)) : reader.view.readBigUInt64BE(reader.claim(8)),
  };
}

/** The one type that VPP sends little endian. */
const float64: Codec = {
  minBytes: 8,
  write: (writer, value, at) => {
    if (typeof value !== 'number') throw new VppEncodeError(`${at}: expected a number, not ${shown(value)}`);
    const start = writer.claim(8);
    writer.view.writeDoubleLE(value, start);
  },
  read: (reader) => reader.view.readDoubleLE(reader.claim(8)),
};

const bool: Codec = {
  minBytes: 1,
  write: (writer, value, at) => {
    if (typeof value !== 'boolean') throw new VppEncodeError(`${at}: expected true or false, not ${shown(value)}`);
    const start = writer.claim(1);
    writer.view[start] = value ? 1 : 0;
  },
  read: (reader) => reader.view[reader.claim(1)] !== 0,
};

/** By the names that definitions use. */
export const scalars: ReadonlyMap<string, Codec> = new Map([
  ['u8', integer(1, false, (view, at) => view.readUInt8(at))],
  ['u16', integer(2, false, (view, at) => view.readUInt16BE(at))],
  ['u32', integer(4, false, (view, at) => view.readUInt32BE(at))],
  ['u64', long(false)],
  ['i8', integer(1, true, (view, at) => view.readInt8(at))],
  ['i16', integer(2, true, (view, at) => view.readInt16BE(at))],
  ['i32', integer(4, true, (view, at) => view.readInt32BE(at))],
  ['i64', long(true)],
  ['f64', float64],
  ['bool', bool],
]);

/** A fixed number of bytes that read better as text; `format` finds them at an offset. */
function text(
  bytes: number,
  parse: (value: string) => Uint8Array,
  format: (view: Uint8Array, at: number) => string,
): Codec {
  return {
    minBytes: bytes,
    write: (writer, value, at) => writer.bytes(parsed(value, at, parse)),
    read: (reader) => format(reader.view, reader.claim(bytes)),
  };
}

function ofFamily(bytes: 4 | 16, address: Uint8Array): Uint8Array {
  if (address.length === bytes) return address;
  throw new RangeError(`"${addressText(address)}" is not an ${bytes === 4 ? 'IPv4' : 'IPv6'} address`);
}

function addressOfFamily(bytes: 4 | 16): Codec {
  return text(
    bytes,
    (value) => ofFamily(bytes, addressBytes(value)),
    (view, at) => addressText(view, at, bytes),
  );
}

function macBytes(value: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)) throw new RangeError(`"${value}" is not a MAC address`);
  return Buffer.from(value.replaceAll(':', ''), 'hex');
}

const FAMILY_BYTES = [4, 16] as const;

/** u8 family (0 IPv4, 1 IPv6), then 16 bytes, of which IPv4 takes the first 4. */
function familyAndAddress(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(17);
  encoded[0] = bytes.length === 4 ? 0 : 1;
  encoded.set(bytes, 1);
  return encoded;
}

function addressOf(view: Uint8Array, at: number): string {
  const length = FAMILY_BYTES[view[at] as number];
  if (length === undefined) throw new VppDecodeError(`${view[at] as number} is not an address family`);
  return addressText(view, at + 1, length);
}

function prefixBytes(value: string, of: (address: Uint8Array) => Uint8Array): Uint8Array {
  const { address, length } = prefixParts(value);
  return Uint8Array.of(...of(address), length);
}

function prefixOfOneFamily(bytes: 4 | 16): Codec {
  return text(
    bytes + 1,
    (value) => prefixBytes(value, (address) => ofFamily(bytes, address)),
    (view, at) => `${addressText(view, at, bytes)}/${view[at + bytes] as number}`,
  );
}

/** Types of VPP's that have a text form, by name; their structure in the definitions is the same everywhere. */
export const textTypes: ReadonlyMap<string, Codec> = new Map([
  ['ip4_address', addressOfFamily(4)],
  ['ip6_address', addressOfFamily(16)],
  ['address', text(17, (value) => familyAndAddress(addressBytes(value)), addressOf)],
  [
    'prefix',
    text(
      18,
      (value) => prefixBytes(value, familyAndAddress),
      (view, at) => `${addressOf(view, at)}/${view[at + 17] as number}`,
    ),
  ],
  ['ip4_prefix', prefixOfOneFamily(4)],
  ['ip6_prefix', prefixOfOneFamily(16)],
  [
    'mac_address',
    text(6, macBytes, (view, at) =>
      Array.from(view.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(':'),
    ),
  ],
]);

/** `string x[n]`: NUL-padded, and always with a NUL at its end. */
export function fixedString(bytes: number): Codec {
  return {
    minBytes: bytes,
    write: (writer, value, at) => {
      const content = parsed(value, at, (given) => Buffer.from(given, 'utf8'));
      if (content.length >= bytes || content.includes(0)) {
        throw new VppEncodeError(`${at}: expected a text of at most ${bytes - 1} bytes without NUL`);
      }
      const start = writer.claim(bytes);
      writer.view.set(content, start);
    },
    read: (reader) => {
      const content = reader.take(bytes);
      const end = content.indexOf(0);
      return content.toString('utf8', 0, end < 0 ? bytes : end);
    },
  };
}

/** `string x[]`: u32 length, then as many bytes. VPP counts a NUL at the end of some. */
export const longString: Codec = {
  minBytes: 4,
  write: (writer, value, at) => {
    const content = parsed(value, at, (given) => Buffer.from(given, 'utf8'));
    const start = writer.claim(4);
    writer.view.writeUInt32BE(content.length, start);
    writer.bytes(content);
  },
  read: (reader) => {
    const content = reader.take(reader.take(4).readUInt32BE());
    return content.toString('utf8').replace(/\0+$/, '');
  },
};

function parsed(value: unknown, at: string, parse: (value: string) => Uint8Array): Uint8Array {
  if (typeof value !== 'string') throw new VppEncodeError(`${at}: expected a text, not ${shown(value)}`);
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof RangeError) throw new VppEncodeError(`${at}: ${error.message}`);
    throw error;
  }
}

/** A value as an error shows it: short, and never anything else than text. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
