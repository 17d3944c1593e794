import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes in network order. Throws RangeError when the text is no address (zones included). */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) throw new RangeError(`"${text}" is not an IP address`);
  const [head = '', tail = ''] = text.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail);
  const bytes = new Uint8Array(16);
  before.forEach((group, i) => putGroup(bytes, i, group));
  after.forEach((group, i) => putGroup(bytes, 8 - after.length + i, group));
  return bytes;
}

/** Dotted quad of 4 bytes, RFC 5952 text of 16 (hexadecimal groups throughout). */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let run = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > run.length) run = { start, length };
    start += length;
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length === 1) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
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

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function putGroup(bytes: Uint8Array, index: number, group: number): void {
  bytes[2 * index] = group >> 8;
  bytes[2 * index + 1] = group & 0xff;
}
