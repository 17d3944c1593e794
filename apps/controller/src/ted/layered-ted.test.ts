import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayeredTed } from './layered-ted.js';
import {
  layerKey,
  locatorKey,
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
  attributes: fc.record(
    {
      kind: fc.constant('router' as const),
      msdHEncaps: fc.nat(3),
      flexAlgorithms: fc.constantFrom([], [{ algorithm: 128, definition: null }]),
    },
    { requiredKeys: [] },
  ),
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
      teMetric: fc.nat(3),
      affinities: fc.constantFrom(['gold'], []),
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

const TABLES = ['nodes', 'links', 'locators', 'sids'] as const;

/** Rows of the pool that one step opens when they are closed, and closes when they are open. */
const step = fc.array(fc.record({ table: fc.constantFrom(...TABLES), index: fc.nat(11) }), {
  minLength: 1,
  maxLength: 3,
});

function select(pool: TedRows, isChosen: (table: keyof TedRows, index: number) => boolean): TedRows {
  return {
    nodes: pool.nodes.filter((_row, index) => isChosen('nodes', index)),
    links: pool.links.filter((_row, index) => isChosen('links', index)),
    locators: pool.locators.filter((_row, index) => isChosen('locators', index)),
    sids: pool.sids.filter((_row, index) => isChosen('sids', index)),
  };
}

describe('the layered TED', () => {
  it('moved row by row is what it would be built anew', () => {
    fc.assert(
      fc.property(openRows, fc.array(step, { minLength: 1, maxLength: 8 }), (pool, steps) => {
        const layered = new LayeredTed(pool);
        const closed = new Set<string>();
        for (const toggles of steps) {
          const touched = new Set(toggles.map(({ table, index }) => `${table} ${index}`));
          const isTouched = (table: string, index: number) => touched.has(`${table} ${index}`);
          const isClosed = (table: string, index: number) => closed.has(`${table} ${index}`);
          const toClose = select(pool, (table, index) => isTouched(table, index) && !isClosed(table, index));
          const toOpen = select(pool, (table, index) => isTouched(table, index) && isClosed(table, index));
          for (const key of touched) if (!closed.delete(key)) closed.add(key);
          layered.replace(toClose, toOpen);
          const anew = new LayeredTed(select(pool, (table, index) => !isClosed(table, index)));
          expect(layered.ted(1)).toEqual(anew.ted(1));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps apart what routers advertise of a link, whatever operators say of it', () => {
    fc.assert(
      fc.property(openRows, (rows) => {
        const layered = new LayeredTed(rows);
        const discovered = layered.discoveredOnly();
        for (const link of layered.ted(1).links) {
          const { teMetric, affinities } = discovered.link(link.id) ?? {};
          expect(link.advertised ?? link).toMatchObject({ teMetric, affinities });
          const isSame = link.teMetric === teMetric && link.affinities.join() === affinities?.join();
          expect(link.advertised === null).toBe(isSame);
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
