/** Strings packed into shared memory: one text with a separator that no id, address or name may contain. */
const SEPARATOR = '\u0000';

/** Packs strings for another thread. Throws RangeError when one of them contains U+0000. */
export function packStrings(values: readonly string[]): Uint8Array<SharedArrayBuffer> {
  if (values.some((value) => value.includes(SEPARATOR))) throw new RangeError('a name contains U+0000');
  const encoded = Buffer.from(values.join(SEPARATOR), 'utf8');
  const packed = new Uint8Array(new SharedArrayBuffer(encoded.length));
  packed.set(encoded);
  return packed;
}

/** The inverse of packStrings; `count` tells an empty list from a list of one empty string. */
export function unpackStrings(packed: Uint8Array, count: number): string[] {
  if (count === 0) return [];
  return Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength).toString('utf8').split(SEPARATOR);
}
