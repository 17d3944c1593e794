import type { Ted, TedLink, TedNode } from '@waymark/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diamond } from '../testing/sketched-network.js';
import { elementOf, pairsOf } from './sorted-elements.js';
import { tedChanges } from './ted-changes.js';

const operationalState = fc.constantFrom('up' as const, 'down' as const);
const adminState = fc.constantFrom('up' as const, 'drained' as const, 'down' as const);

const linkChange: fc.Arbitrary<Partial<TedLink> | null> = fc.oneof(
  fc.record({ operationalState }),
  fc.record({ adminState }),
  fc.record({ igpMetric: fc.integer({ min: 5, max: 15 }) }),
  fc.record({ delayUs: fc.constantFrom(null, 500, 1500) }),
  fc.record({ affinities: fc.subarray(['red', 'blue']) }),
  fc.record({}),
  fc.constant(null),
);
const nodeChange: fc.Arbitrary<Partial<TedNode> | null> = fc.oneof(
  fc.record({ operationalState }),
  fc.record({ adminState }),
  fc.record({ site: fc.constantFrom(null, 'here') }),
  fc.record({ msdHEncaps: fc.integer({ min: 1, max: 3 }) }),
  fc.record({}),
  fc.constant(null),
);

/** Some elements with other values, or (null) gone; the others stay the same objects. */
function changed<T extends object>(elements: readonly T[], changes: readonly (readonly [number, Partial<T> | null])[]) {
  const byPlace = new Map(changes.map(([place, values]) => [place % elements.length, values]));
  return elements.flatMap((element, i) => {
    const values = byPlace.get(i);
    return values === null ? [] : values === undefined ? [element] : [{ ...element, ...values }];
  });
}

const before = diamond();
const arbitraryTed = fc
  .record({
    links: fc.array(fc.tuple(fc.nat(), linkChange), { maxLength: 4 }),
    nodes: fc.array(fc.tuple(fc.nat(), nodeChange), { maxLength: 2 }),
  })
  .map(({ links, nodes }): Ted => ({
    ...before,
    links: changed(before.links, links),
    nodes: changed(before.nodes, nodes),
  }));

describe('what differs between two states of the topology', () => {
  it('is the same whether what did not change is the same object or has to be compared', () => {
    fc.assert(
      fc.property(arbitraryTed, arbitraryTed, (a, b) => {
        expect(tedChanges(a, b)).toEqual(tedChanges(a, structuredClone(b)));
      }),
      { numRuns: 500 },
    );
  });
});

const LETTERS = 'a b c d e f g h'.split(' ');
const names = fc.uniqueArray(fc.constantFrom(...LETTERS), { maxLength: 8 }).map((ids) => ids.sort());

describe('elements sorted by id', () => {
  it('are found by it, and merged by it', () => {
    fc.assert(
      fc.property(names, names, fc.constantFrom(...LETTERS, 'i'), (first, second, id) => {
        const same = new Map(LETTERS.map((name) => [name, { id: name }]));
        const list = (ids: readonly string[]) => ids.map((name) => same.get(name) ?? { id: name });
        const [a, b] = [list(first), list(second)];
        expect(elementOf(a, id)).toBe(a.find((element) => element.id === id));
        const all = pairsOf(a, b, () => true);
        expect(all.map((pair) => pair.id)).toEqual([...new Set([...first, ...second])].sort());
        for (const pair of all) {
          expect([pair.before, pair.after]).toEqual([elementOf(a, pair.id), elementOf(b, pair.id)]);
        }
        expect(pairsOf(a, b)).toEqual(all.filter((pair) => pair.before !== pair.after));
      }),
    );
  });
});
