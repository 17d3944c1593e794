import { readIpv4, readIpv6Groups, writeIpv6Groups } from './ipv6-text.js';

/**
 * Strict on purpose: no zones, no host bits in a prefix, no padded lengths; so that one address has one spelling
 * (RFC 5952) everywhere in Waymark.
 */

export type AddressFamily = 'ipv4' | 'ipv6';

/** The family of a bare address, or undefined when the text is not one. */
export function addressFamily(text: string): AddressFamily | undefined {
  if (readIpv6Groups(text) !== undefined) return 'ipv6';
  return readIpv4(text) === undefined ? undefined : 'ipv4';
}

/** The eight 16-bit groups of an IPv6 address. Throws RangeError when it is not one. */
export function parseIpv6Words(text: string): Uint16Array {
  const groups = readIpv6Groups(text);
  if (groups === undefined) throw new RangeError(`"${text}" is not an IPv6 address`);
  return groups;
}

/** 128-bit value of an IPv6 address. Throws RangeError for anything else (zones and prefix lengths included). */
export function parseIpv6(text: string): bigint {
  return valueOf(parseIpv6Words(text));
}

function valueOf(groups: Uint16Array): bigint {
  const pair = (i: number): bigint => BigInt((groups[i] ?? 0) * 0x10000 + (groups[i + 1] ?? 0));
  return (((((pair(0) << 32n) | pair(2)) << 32n) | pair(4)) << 32n) | pair(6);
}

/** RFC 5952 text of a 128-bit value. */
export function formatIpv6(value: bigint): string {
  const groups = new Uint16Array(8);
  for (let i = 6, rest = value; i >= 0; i -= 2, rest >>= 32n) {
    const pair = Number(rest & 0xffff_ffffn);
    groups[i] = pair >>> 16;
    groups[i + 1] = pair & 0xffff;
  }
  return writeIpv6Groups(groups);
}

/** RFC 5952 spelling of an IPv6 address. Throws RangeError when it is not one. */
export function canonicalIpv6(text: string): string {
  return writeIpv6Groups(parseIpv6Words(text));
}

/** 16 bytes in network order. Throws RangeError when the text is not an IPv6 address. */
export function ipv6ToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  for (const [i, group] of parseIpv6Words(text).entries()) {
    bytes[2 * i] = group >>> 8;
    bytes[2 * i + 1] = group & 0xff;
  }
  return bytes;
}

/** RFC 5952 text of 16 bytes in network order. Throws RangeError for another length. */
export function ipv6FromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`an IPv6 address has 16 bytes, not ${String(bytes.length)}`);
  return writeIpv6Groups(
    Uint16Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)),
  );
}

export interface Prefix {
  readonly family: AddressFamily;
  /** Network address as an integer of 32 or 128 bits; host bits are zero. */
  readonly network: bigint;
  readonly length: number;
}

/**
 * Parses `address/length`. Throws RangeError for a missing or padded length, one out of range, or host bits that are set
 * (the message names the prefix that was probably meant).
 */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const lengthText = slash < 0 ? '' : text.slice(slash + 1);
  const groups = readIpv6Groups(address);
  const value = groups === undefined ? ipv4Value(address) : valueOf(groups);
  if (value === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(lengthText)) {
    throw new RangeError(`"${text}" is not a prefix of the form address/length`);
  }
  const family = groups === undefined ? 'ipv4' : 'ipv6';
  const bits = family === 'ipv4' ? 32 : 128;
  const length = Number(lengthText);
  if (length > bits) throw new RangeError(`"${text}": the length of an ${family} prefix is at most ${String(bits)}`);
  const hostBits = BigInt(bits - length);
  const network = (value >> hostBits) << hostBits;
  if (network !== value) {
    throw new RangeError(`"${text}" has host bits set; did you mean ${formatPrefix({ family, network, length })}?`);
  }
  return { family, network, length };
}

function ipv4Value(text: string): bigint | undefined {
  const value = readIpv4(text);
  return value === undefined ? undefined : BigInt(value);
}

export function formatPrefix({ family, network, length }: Prefix): string {
  const octet = (shift: number): number => (Number(network) >>> shift) & 0xff;
  const address = family === 'ipv4' ? [24, 16, 8, 0].map(octet).join('.') : formatIpv6(network);
  return `${address}/${String(length)}`;
}

/** RFC 5952 spelling of a prefix. Throws RangeError as parsePrefix does. */
export function canonicalPrefix(text: string): string {
  return formatPrefix(parsePrefix(text));
}

const neverSids = ['::/127', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'].map((text) => parsePrefix(text));

/**
 * Whether an IPv6 address can be a SID: those that are unspecified, loopback, link-local, multicast, or an IPv4 address
 * in IPv6 clothes cannot be routed to. Throws RangeError when the text is no address.
 */
export function canBeSid(address: string): boolean {
  const own = hostPrefix(address);
  return own.family === 'ipv6' && !neverSids.some((prefix) => prefixContains(prefix, own));
}

/** True when every address of `inner` lies in `outer`. */
export function prefixContains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const bits = outer.family === 'ipv4' ? 32 : 128;
  const shift = BigInt(bits - outer.length);
  return outer.network >> shift === inner.network >> shift;
}

/** The host prefix (/32 or /128) of an address. Throws RangeError when the text is no address. */
export function hostPrefix(address: string): Prefix {
  const groups = readIpv6Groups(address);
  if (groups !== undefined) return { family: 'ipv6', network: valueOf(groups), length: 128 };
  const network = ipv4Value(address);
  if (network === undefined) throw new RangeError(`"${address}" is not an address`);
  return { family: 'ipv4', network, length: 32 };
}
