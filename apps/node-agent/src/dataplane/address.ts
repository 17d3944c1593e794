import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes as text: dotted quad, or RFC 5952 (always in hexadecimal groups). Throws RangeError otherwise. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16));
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return groups.join(':');
  return `${groups.slice(0, zeros.start).join(':')}::${groups.slice(zeros.start + zeros.length).join(':')}`;
}

/** Address text, as people and iproute2 write it, as 4 or 16 bytes. Throws RangeError for anything else. */
export function parseAddress(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) throw new RangeError(`"${text}" is not an address`);
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const missing = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  [...before, ...missing, ...after].forEach((group, index) => view.setUint16(index * 2, group));
  return bytes;
}

/** One spelling per address, so that texts can be compared. Throws RangeError. */
export function canonicalAddress(text: string): string {
  return formatAddress(parseAddress(text));
}

/** `address/length` in its one spelling; an address without a length is a host prefix. Throws RangeError. */
export function canonicalPrefix(text: string): string {
  const [address = '', length] = text.split('/');
  const bytes = parseAddress(address);
  return `${formatAddress(bytes)}/${length ?? bytes.length * 8}`;
}

/** Whether an address lies in a prefix of its family. Throws RangeError for what is neither. */
export function isInPrefix(address: string, prefix: string): boolean {
  const [network = '', length] = prefix.split('/');
  const [bytes, bits] = [parseAddress(address), parseAddress(network)];
  if (bytes.length !== bits.length) return false;
  const masked = withoutHostBits(bytes, Number(length ?? bits.length * 8));
  return masked.every((byte, index) => byte === bits[index]);
}

/** The address with all bits past `length` zero. */
export function withoutHostBits(address: Uint8Array, length: number): Uint8Array {
  return address.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, length - index * 8))));
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The first of the longest runs, as RFC 5952 §4.2.3 asks. */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== '0') start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}
