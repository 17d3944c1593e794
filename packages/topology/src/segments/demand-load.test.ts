import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { buildTed } from '../testing/build-ted.js';
import { demandLoad } from './demand-load.js';

/** Two equal ways from a to d, and a host at each end: the one behind d is only routed there. */
const square = buildTed(
  ['a', 'b', 'c', 'd', { id: 'h1', scope: 'igp' }, { id: 'h2', scope: 'attachment' }, 'e'],
  ['a-b', 'b-d', 'a-c', 'c-d', 'h1-a', 'h2-d'].map((between) => ({ between })),
);
const snapshot = freezeSnapshot(square);

function load(source: string, destination: string) {
  const found = demandLoad(snapshot, { source, destination, bandwidthBps: 9 });
  return found && Object.fromEntries(found.map(({ linkId, bandwidthBps }) => [linkId, bandwidthBps]));
}

describe('the load of a demand', () => {
  it('is split evenly where the IGP has several ways, and rounded up', () => {
    expect(load('a', 'd')).toEqual({ 'a:b': 5, 'a:c': 5, 'b:d': 5, 'c:d': 5 });
    expect(load('h1', 'h2')).toEqual({ 'h1:a': 9, 'a:b': 5, 'a:c': 5, 'b:d': 5, 'c:d': 5, 'd:h2': 9 });
    expect(load('d', 'h1')).toMatchObject({ 'd:b': 5, 'a:h1': 9 });
  });

  it('is nothing where there is no way, or no such node', () => {
    expect([load('a', 'e'), load('a', 'nobody'), load('nobody', 'a'), load('a', 'a')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('is all of it on each named link', () => {
    const links = ['c:d', 'a:b', 'a:b', 'no:link'];
    expect(demandLoad(snapshot, { links, bandwidthBps: 9 })).toEqual([
      { linkId: 'a:b', bandwidthBps: 9 },
      { linkId: 'c:d', bandwidthBps: 9 },
    ]);
  });

  it('leaves its source and arrives at its destination whole, and is kept in between', () => {
    const teds = arbitraryTed({ maxRouters: 6, maxLinks: 10, healthy: true, routing: 'never' });
    fc.assert(
      fc.property(teds, fc.nat(), fc.nat(), (ted, from, to) => {
        const source = ted.nodes[from % ted.nodes.length]?.id ?? '';
        const destination = ted.nodes[to % ted.nodes.length]?.id ?? '';
        const found = demandLoad(freezeSnapshot(ted), { source, destination, bandwidthBps: 2 ** 40 });
        if (found === null) return;
        const balance = new Map<string, number>();
        const links = new Map(ted.links.map((link) => [link.id, link]));
        for (const { linkId, bandwidthBps } of found) {
          const { from: tail = '', to: head = '' } = links.get(linkId) ?? {};
          balance.set(tail, (balance.get(tail) ?? 0) - bandwidthBps);
          balance.set(head, (balance.get(head) ?? 0) + bandwidthBps);
        }
        for (const { id } of ted.nodes) {
          const wanted = id === source ? -(2 ** 40) : id === destination ? 2 ** 40 : 0;
          expect(Math.abs((balance.get(id) ?? 0) - wanted)).toBeLessThan(100);
        }
      }),
      { numRuns: 300 },
    );
  });
});
