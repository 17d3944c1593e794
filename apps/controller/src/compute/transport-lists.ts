import type { TransportList } from './evaluate-policies-model.js';

export function sameLists(a: readonly TransportList[], b: readonly TransportList[]): boolean {
  return a.length === b.length && a.every((list, index) => listKey(list) === listKey(b[index] as TransportList));
}

export function listKey({ weight, sids }: TransportList): string {
  return `${weight} ${sids.join()}`;
}
