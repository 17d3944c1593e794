import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Layer } from '../model/topology.js';
import { linkAttributes, type Authority } from './attributes.js';
import { rowInForce } from './effective-values.js';
import type { LinkRow } from './ted-rows.js';

const layers: readonly Layer[] = ['discovered', 'measured', 'operator'];

const row = fc
  .record({
    layer: fc.constantFrom(...layers),
    source: fc.constantFrom('a', 'b', 'c'),
    fromRevision: fc.integer({ min: 3, max: 6 }),
    delayUs: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    since: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  })
  .map(({ layer, source, fromRevision, delayUs, since }): LinkRow => ({
    id: 'x:y',
    layer,
    source,
    fromRevision,
    toRevision: null,
    attributes: delayUs === undefined ? {} : { delayUs },
    since: delayUs === undefined || since === undefined ? {} : { delayUs: since },
  }));
const rows = fc.uniqueArray(row, { selector: ({ layer, source }) => `${layer} ${source}`, maxLength: 9 });

/** Puts the rules in words one after the other, on sorted lists. */
function oracle(all: readonly LinkRow[], authority: Authority): LinkRow | undefined {
  const age = (candidate: LinkRow): number => candidate.since['delayUs'] ?? candidate.fromRevision;
  const newestFirst = all
    .filter((candidate) => candidate.attributes.delayUs !== undefined)
    .sort((a, b) => age(b) - age(a) || (a.source < b.source ? -1 : 1));
  const of = (layer: Layer): LinkRow[] => newestFirst.filter((candidate) => candidate.layer === layer);
  const byLayer = [...of('operator'), ...of('measured'), ...of('discovered')];
  switch (authority) {
    case 'routers':
      return of('discovered')[0];
    case 'operator':
      return of('operator')[0];
    case 'constraint':
      return byLayer[0];
    case 'limit': {
      const least = Math.min(...byLayer.map((candidate) => candidate.attributes.delayUs ?? Infinity));
      return byLayer.find((candidate) => candidate.attributes.delayUs === least);
    }
  }
}

describe('the value in force', () => {
  it.each(['routers', 'operator', 'constraint', 'limit'] as const)(
    'with authority %s follows the rules',
    (authority) => {
      fc.assert(
        fc.property(rows, (all) => {
          expect(rowInForce(all, 'delayUs', authority)).toBe(oracle(all, authority));
        }),
      );
    },
  );

  it('of what routers use is never the operator’s', () => {
    const names = Object.entries(linkAttributes)
      .filter(([, { authority }]) => authority === 'routers')
      .map(([name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(['igpMetric', 'operationalState', 'interfaceAddresses', 'from', 'to', 'reverseId']),
    );
  });
});
