import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayeredTed } from './layered-ted.js';
import {
  layerKey,
  locatorKey,
  noRows,
  sidKey,
  type LinkRow,
  type LocatorRow,
  type NodeRow,
  type SidRow,
  type TedRows,
} from './ted-rows.js';

const NODES = ['a', 'b', 'c'];
const LINKS = ['a:b', 'b:a', 'b:c', 'c:b'];

const row = {
  layer: fc.constantFrom('discovered' as const, 'operator' as const),
  source: fc.constantFrom('s', 't'),
  fromRevision: fc.integer({ min: 1, max: 4 }),
  toRevision: fc.constant(null),
};
const layerRow = { ...row, since: fc.constant({}) };
const nodeRow: fc.Arbitrary<NodeRow> = fc.record({
  ...layerRow,
  id: fc.constantFrom(...NODES),
  attributes: fc.record({ kind: fc.constant('router' as const), msdHEncaps: fc.nat(3) }, { requiredKeys: [] }),
});
const linkRow: fc.Arbitrary<LinkRow> = fc.record({
  ...layerRow,
  id: fc.constantFrom(...LINKS),
  attributes: fc.record(
    {
      from: fc.constantFrom(...NODES),
      to: fc.constantFrom(...NODES),
      reverseId: fc.constantFrom(...LINKS),
      delayUs: fc.nat(3),
    },
    { requiredKeys: [] },
  ),
});
const wellFormedLinkRow: fc.Arbitrary<LinkRow> = fc
  .record({ ...layerRow, layer: fc.constant('discovered' as const), id: fc.constantFrom(...LINKS) })
  .map((link) => {
    const [from = '', to = ''] = link.id.split(':');
    return { ...link, attributes: { from, to, reverseId: `${to}:${from}` } };
  });
const locatorRow: fc.Arbitrary<LocatorRow> = fc.record({
  ...row,
  node: fc.constantFrom(...NODES),
  locator: fc.record({
    prefix: fc.constantFrom('fd00:1::/48', 'fd00:2::/48'),
    algorithm: fc.constantFrom(0, 128),
    metric: fc.constant(0),
    anycast: fc.constant(false),
    scope: fc.constant('igp' as const),
    structure: fc.constant({ blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 }),
    origin: fc.constantFrom('discovered' as const, 'planned' as const),
  }),
});
const sidRow: fc.Arbitrary<SidRow> = fc.record({
  ...row,
  node: fc.constantFrom(...NODES),
  sid: fc.record({
    sid: fc.constantFrom('fd00:1::1', 'fd00:1::2'),
    behavior: fc.constant('End.X' as const),
    flavors: fc.constant([]),
    algorithm: fc.constant(0),
    protected: fc.boolean(),
    linkId: fc.constantFrom(...LINKS),
    structure: fc.constant(null),
    origin: fc.constantFrom('discovered' as const, 'planned' as const),
  }),
});
const openRows: fc.Arbitrary<TedRows> = fc.record({
  nodes: fc.uniqueArray(nodeRow, { selector: layerKey, maxLength: 8 }),
  links: fc.uniqueArray(fc.oneof({ weight: 3, arbitrary: wellFormedLinkRow }, linkRow), {
    selector: layerKey,
    maxLength: 12,
  }),
  locators: fc.uniqueArray(locatorRow, { selector: locatorKey, maxLength: 4 }),
  sids: fc.uniqueArray(sidRow, { selector: sidKey, maxLength: 4 }),
});

/** What leads from one set of open rows to another, one table at a time or all at once. */
function steps(before: TedRows, after: TedRows, atOnce: boolean): readonly { closed: TedRows; opened: TedRows }[] {
  if (atOnce) return [{ closed: before, opened: after }];
  return (['nodes', 'links', 'locators', 'sids'] as const).map((table) => ({
    closed: { ...noRows, [table]: before[table] },
    opened: { ...noRows, [table]: after[table] },
  }));
}

describe('the layered TED', () => {
  it('moved from state to state is what it would be built anew, in any order of the moves', () => {
    fc.assert(
      fc.property(openRows, fc.array(fc.tuple(openRows, fc.boolean()), { maxLength: 4 }), (first, others) => {
        const layered = new LayeredTed(first);
        let before = first;
        for (const [after, atOnce] of others) {
          for (const { closed, opened } of steps(before, after, atOnce)) layered.replace(closed, opened);
          expect(layered.ted(1)).toEqual(new LayeredTed(after).ted(1));
          before = after;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is always whole: ends and reverses are there, and no SID is of a link that is not', () => {
    fc.assert(
      fc.property(openRows, (rows) => {
        const { nodes, links } = new LayeredTed(rows).ted(1);
        const linkById = new Map(links.map((link) => [link.id, link]));
        const nodeIds = new Set(nodes.map((node) => node.id));
        for (const link of links) {
          expect(nodeIds.has(link.from) && nodeIds.has(link.to)).toBe(true);
          expect(linkById.get(link.reverseId)).toMatchObject({ reverseId: link.id, from: link.to, to: link.from });
        }
        for (const { sids } of nodes) for (const { linkId } of sids) expect(linkById.has(linkId ?? '')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
