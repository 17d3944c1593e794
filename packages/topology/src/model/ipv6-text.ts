/*
 * IPv6 addresses between text (RFC 4291 section 2.2, written as RFC 5952 wants it) and eight 16-bit groups. An import
 * reads and writes hundreds of thousands of them, so this is done by hand; a test holds it against a library.
 */

const ZERO = 0x30;
const COLON = 0x3a;
const DOT = 0x2e;
/** Of the longest spelling: six groups of four digits and an embedded IPv4 address. */
const MAX_LENGTH = 45;

/** The groups of an address, or undefined when the text is not one (zones and prefix lengths included). */
export function readIpv6Groups(text: string): Uint16Array | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const groups = new Uint16Array(8);
  let count = 0;
  /** How many groups stand before `::`. */
  let gap = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return undefined;
    const start = at;
    let group = 0;
    for (let digit = hexDigit(text.charCodeAt(at)); digit >= 0; digit = hexDigit(text.charCodeAt(++at))) {
      group = group * 16 + digit;
    }
    if (text.charCodeAt(at) === DOT) {
      const ipv4 = readIpv4(text.slice(start));
      if (ipv4 === undefined || count > 6) return undefined;
      groups[count++] = ipv4 >>> 16;
      groups[count++] = ipv4 & 0xffff;
      break;
    }
    if (at === start || at - start > 4) return undefined;
    groups[count++] = group;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== COLON) return undefined;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined;
      gap = count;
      at += 1;
    } else if (at === text.length) {
      return undefined;
    }
  }
  if (gap < 0) return count === 8 ? groups : undefined;
  if (count === 8) return undefined;
  groups.copyWithin(gap + 8 - count, gap, count);
  return groups.fill(0, gap, gap + 8 - count);
}

/** The value of a dotted quad without leading zeros, or undefined when the text is none. */
export function readIpv4(text: string): number | undefined {
  if (!IPV4.test(text)) return undefined;
  return text.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** RFC 5952 text of eight groups. An embedded IPv4 address is written in hexadecimal, like any other bits. */
export function writeIpv6Groups(groups: ArrayLike<number>): string {
  const zeros = longestZeros(groups);
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === zeros.start) {
      text += '::';
      i += zeros.length - 1;
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':';
      text += (groups[i] ?? 0).toString(16);
    }
  }
  return text;
}

/** The first of the longest runs of two or more zeros. */
function longestZeros(groups: ArrayLike<number>): { readonly start: number; readonly length: number } {
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = Math.max(i, end - 1);
  }
  return best;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  // Lower case by setting the bit that tells the cases apart.
  const letter = (code | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}
