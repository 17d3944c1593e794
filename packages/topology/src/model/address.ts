import { Address4, Address6 } from 'ip-address';

/**
 * The only file that knows the IP address library. It accepts `::1/064`, drops zones and allows host bits; here all
 * of these are refused or normalised, so that one address has one spelling (RFC 5952) everywhere in Waymark.
 */

export type AddressFamily = 'ipv4' | 'ipv6';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6_CHARACTERS = /^[0-9a-fA-F:.]+$/;

/** The family of a bare address, or undefined when the text is not one. */
export function addressFamily(text: string): AddressFamily | undefined {
  if (IPV4.test(text)) return 'ipv4';
  return IPV6_CHARACTERS.test(text) && Address6.isValid(text) ? 'ipv6' : undefined;
}

/** 128-bit value of an IPv6 address. Throws RangeError for anything else (zones and prefix lengths included). */
export function parseIpv6(text: string): bigint {
  if (addressFamily(text) !== 'ipv6') throw new RangeError(`"${text}" is not an IPv6 address`);
  return new Address6(text).bigInt();
}

/** RFC 5952 text of a 128-bit value. */
export function formatIpv6(value: bigint): string {
  return Address6.fromBigInt(value).correctForm();
}

/** RFC 5952 spelling of an IPv6 address. Throws RangeError when it is not one. */
export function canonicalIpv6(text: string): string {
  return formatIpv6(parseIpv6(text));
}

/** 16 bytes in network order. Throws RangeError when the text is not an IPv6 address. */
export function ipv6ToBytes(text: string): Uint8Array {
  let value = parseIpv6(text);
  const bytes = new Uint8Array(16);
  for (let i = 15; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

/** RFC 5952 text of 16 bytes in network order. Throws RangeError for another length. */
export function ipv6FromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`an IPv6 address has 16 bytes, not ${String(bytes.length)}`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return formatIpv6(value);
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
  const family = addressFamily(address);
  if (family === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(lengthText)) {
    throw new RangeError(`"${text}" is not a prefix of the form address/length`);
  }
  const bits = family === 'ipv4' ? 32 : 128;
  const length = Number(lengthText);
  if (length > bits) throw new RangeError(`"${text}": the length of an ${family} prefix is at most ${String(bits)}`);
  const value = family === 'ipv4' ? new Address4(address).bigInt() : new Address6(address).bigInt();
  const hostBits = BigInt(bits - length);
  const network = (value >> hostBits) << hostBits;
  if (network !== value) {
    throw new RangeError(`"${text}" has host bits set; did you mean ${formatPrefix({ family, network, length })}?`);
  }
  return { family, network, length };
}

export function formatPrefix(prefix: Prefix): string {
  const address =
    prefix.family === 'ipv4' ? Address4.fromBigInt(prefix.network).correctForm() : formatIpv6(prefix.network);
  return `${address}/${String(prefix.length)}`;
}

/** RFC 5952 spelling of a prefix. Throws RangeError as parsePrefix does. */
export function canonicalPrefix(text: string): string {
  return formatPrefix(parsePrefix(text));
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
  return parsePrefix(`${address}/${addressFamily(address) === 'ipv4' ? '32' : '128'}`);
}
