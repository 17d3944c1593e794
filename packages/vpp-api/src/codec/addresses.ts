import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes in network order. Throws RangeError when the text is no address (zones included). */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  const bytes = bytesOfGroups(text) ?? bytesOfGroups(withoutDottedQuad(text));
  if (bytes === undefined) throw new RangeError(`"${text}" is not an IP address`);
  return bytes;
}

/** Dotted quad of 4 bytes from `at`, RFC 5952 text of 16 (hexadecimal groups throughout). */
export function addressText(bytes: Uint8Array, at = 0, length: 4 | 16 = bytes.length === 4 ? 4 : 16): string {
  if (length === 4) return bytes.subarray(at, at + 4).join('.');
  const zeros = longestZeroRun(bytes, at);
  if (zeros.length === 8) return '::';
  let text = '';
  for (let group = 0; group < 8; group++) {
    if (zeros.length > 1 && group === zeros.start) {
      text += '::';
      group += zeros.length - 1;
    } else {
      if (group > 0 && group !== zeros.start + zeros.length) text += ':';
      const high = bytes[at + 2 * group] as number;
      const low = bytes[at + 2 * group + 1] as number;
      text += high === 0 ? hexOf(low) : hexOf(high) + (PADDED_HEX[low] as string);
    }
  }
  return text;
}

/** Address and length of a prefix, host bits as they are. Throws RangeError; a length beyond the family's kills VPP. */
export function prefixParts(text: string): { readonly address: Uint8Array; readonly length: number } {
  const [address = '', length = '', ...rest] = text.split('/');
  const bytes = addressBytes(address);
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bytes.length * 8) {
    throw new RangeError(`"${text}" is not a prefix of the form address/length`);
  }
  return { address: bytes, length: Number(length) };
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16));
const PADDED_HEX: readonly string[] = HEX.map((byte) => byte.padStart(2, '0'));
const COLON = 0x3a;

function hexOf(byte: number): string {
  return HEX[byte] as string;
}

/** The first of the longest runs of two or more zero groups; otherwise one before the first group, of length 0. */
function longestZeroRun(bytes: Uint8Array, at: number): { readonly start: number; readonly length: number } {
  let start = -1;
  let longest = 1;
  let run = 0;
  for (let group = 0; group < 8; group++) {
    const isZero = bytes[at + 2 * group] === 0 && bytes[at + 2 * group + 1] === 0;
    run = isZero ? run + 1 : 0;
    if (run <= longest) continue;
    longest = run;
    start = group + 1 - run;
  }
  return { start, length: start < 0 ? 0 : longest };
}

/** IPv6 text in hexadecimal groups alone; undefined when it is none. Addresses are most of what is sent: one pass. */
function bytesOfGroups(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16);
  let at = 0;
  let gap = -1;
  let i = 0;
  if (text.startsWith('::')) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    const begin = i;
    let group = 0;
    for (let digit = hexDigit(text, i); digit >= 0; digit = hexDigit(text, ++i)) group = group * 16 + digit;
    if (i === begin || i - begin > 4 || at === 16) return undefined;
    bytes[at++] = group >> 8;
    bytes[at++] = group & 0xff;
    if (i === text.length) break;
    if (text.charCodeAt(i++) !== COLON || i === text.length) return undefined;
    if (text.charCodeAt(i) !== COLON) continue;
    if (gap >= 0) return undefined;
    gap = at;
    i++;
  }
  if (gap < 0) return at === 16 ? bytes : undefined;
  if (at === 16) return undefined;
  const tail = 16 - (at - gap);
  bytes.copyWithin(tail, gap, at);
  return bytes.fill(0, gap, tail);
}

/** Value of the hexadecimal digit there, or -1. */
function hexDigit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The four numbers with which an IPv6 address may end, as two groups. */
function withoutDottedQuad(text: string): string {
  const begin = text.lastIndexOf(':') + 1;
  if (!isIPv6(text) || !isIPv4(text.slice(begin))) return '';
  const [a = 0, b = 0, c = 0, d = 0] = text.slice(begin).split('.').map(Number);
  return `${text.slice(0, begin)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
