import { integers } from './shared-arrays.js';

/** Every name of these sets, sorted. */
export function affinityNamesOf(sets: readonly (readonly string[])[]): string[] {
  return [...new Set(sets.flat())].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The names in each of `count` sets: the inverse of affinitySets. */
export function namesInSets(names: readonly string[], sets: Uint32Array, count: number): string[][] {
  const words = Math.ceil(names.length / 32);
  return Array.from({ length: count }, (_, i) =>
    names.filter((_, bit) => ((sets[i * words + (bit >>> 5)] as number) & (1 << (bit & 31))) !== 0),
  );
}

/** Sets of affinities, one after the other; bit b of a set is the b-th name. */
export function affinitySets(
  names: readonly string[],
  sets: readonly (readonly string[])[],
): Uint32Array<SharedArrayBuffer> {
  const bitOf = new Map(names.map((name, bit) => [name, bit]));
  const words = new Array<number>(Math.ceil(names.length / 32) * sets.length).fill(0);
  sets.forEach((set, i) => {
    for (const name of set) {
      const bit = bitOf.get(name) as number;
      const word = i * Math.ceil(names.length / 32) + (bit >>> 5);
      words[word] = (words[word] as number) | (1 << (bit & 31));
    }
  });
  return integers(words);
}
