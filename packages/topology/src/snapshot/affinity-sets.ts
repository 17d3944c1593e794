import type { TedLink, TedNode } from '../model/ted.js';
import { integers } from './shared-arrays.js';

/** Sorted: every affinity that a link carries or that a flexible algorithm asks for. */
export function affinityNamesOf(nodes: readonly TedNode[], links: readonly TedLink[]): string[] {
  const names = new Set(links.flatMap((link) => [...link.affinities, ...(link.advertised?.affinities ?? [])]));
  for (const { definition } of nodes.flatMap((node) => node.flexAlgorithms)) {
    if (definition === null) continue;
    for (const name of [...definition.excludeAny, ...definition.includeAny, ...definition.includeAll]) names.add(name);
  }
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
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
