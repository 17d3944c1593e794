/** Every name of these sets, sorted. */
export function affinityNamesOf(sets: readonly (readonly string[])[]): string[] {
  return [...new Set(sets.flat())].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The names in each of `count` sets: the inverse of affinitySets. */
export function namesInSets(names: readonly string[], sets: Uint32Array, count: number): string[][] {
  const words = Math.ceil(names.length / 32);
  return Array.from({ length: count }, (_, i) => {
    const inSet: string[] = [];
    for (let word = 0; word < words; word++) {
      for (let bits = sets[i * words + word] as number; bits !== 0; bits &= bits - 1) {
        inSet.push(names[32 * word + 31 - Math.clz32(bits & -bits)] as string);
      }
    }
    return inSet;
  });
}

/** Sets of affinities, one after the other; bit b of a set is the b-th name. */
export function affinitySets(
  names: readonly string[],
  sets: readonly (readonly string[])[],
): Uint32Array<SharedArrayBuffer> {
  const bitOf = new Map(names.map((name, bit) => [name, bit]));
  const words = Math.ceil(names.length / 32);
  const packed = new Uint32Array(new SharedArrayBuffer(4 * words * sets.length));
  sets.forEach((set, i) => {
    for (const name of set) {
      const bit = bitOf.get(name) as number;
      const word = i * words + (bit >>> 5);
      packed[word] = (packed[word] as number) | (1 << (bit & 31));
    }
  });
  return packed;
}
