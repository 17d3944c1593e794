import { isIP } from 'node:net';

export type Family = 'ipv4' | 'ipv6';

export interface Address {
  readonly family: Family;
  /** 4 or 16 bytes. */
  readonly bytes: Buffer;
}

/** @throws RangeError for text that is no address. */
export function parseAddress(text: string): Address {
  const version = isIP(text);
  if (version === 4) return { family: 'ipv4', bytes: Buffer.from(text.split('.').map(Number)) };
  if (version !== 6 || text.includes('%')) throw new RangeError(`not an address: ${text}`);
  return { family: 'ipv6', bytes: parseIpv6(text) };
}

function parseIpv6(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const front = groups(head);
  const back = groups(tail ?? '');
  const middle = new Array<number>(8 - front.length - back.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...front, ...middle, ...back].entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** RFC 5952 text of 4 or 16 bytes. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = Buffer.from(bytes);
  const words = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(index * 2));
  const run = longestZeroRun(words);
  const text = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  if (run.length < 2) return text(words);
  return `${text(words.slice(0, run.start))}::${text(words.slice(run.start + run.length))}`;
}

function longestZeroRun(words: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start += 1) {
    let length = 0;
    while (words[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Address bytes with the host bits of a prefix of this length cleared. */
export function mask(bytes: Uint8Array, length: number): Buffer {
  return Buffer.from(
    bytes.map((byte, index) => {
      const bits = Math.min(8, Math.max(0, length - index * 8));
      return byte & (0xff << (8 - bits));
    }),
  );
}
