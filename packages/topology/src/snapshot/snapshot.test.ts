import { queryObjects } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePaths } from '../engine/compute-paths.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { buildTed } from '../testing/build-ted.js';
import { freezeSnapshot } from './freeze-snapshot.js';
import { reservableBps } from './reservable-bps.js';
import { snapshotFromShared, snapshotToShared } from './shared-snapshot.js';

const ted = buildTed(
  ['b', 'a', 'h1'],
  [
    { between: 'a-b', reservableBandwidthBps: 5, back: { bandwidthBps: null, reservableBandwidthBps: null } },
    { between: 'a-b#2', operationalState: 'down', back: { operationalState: 'up' } },
    { between: 'h1-a' },
  ],
);

describe('a snapshot', () => {
  it('numbers nodes and arcs in the order of their ids, and finds them again', () => {
    const snapshot = freezeSnapshot(ted);
    expect(snapshot.nodeIds).toEqual(['a', 'b', 'h1']);
    expect(snapshot.linkIds).toEqual(['a:b', 'a:b:2', 'a:h1', 'b:a', 'b:a:2', 'h1:a']);
    snapshot.linkIds.forEach((id, arc) => expect(snapshot.arcOf(id)).toBe(arc));
    expect(snapshot.linksOf(snapshot.nodeIndexOf('a'))).toEqual([0, 1, 2]);
    expect(snapshot.linksInto(snapshot.nodeIndexOf('a'))).toEqual([3, 4, 5]);
    expect([snapshot.nodeIndexOf('z'), snapshot.arcOf('z'), snapshot.sidOf('::1')]).toEqual([-1, -1, -1]);
    expect(() => snapshot.nodeIdOf(3)).toThrow(RangeError);
  });

  it('uses a link only when both of its directions and both of its nodes are up', () => {
    const snapshot = freezeSnapshot(ted);
    const usable = (id: string) => snapshot.isUsable(snapshot.arcOf(id));
    expect(['a:b', 'b:a', 'a:h1'].map(usable)).toEqual([true, true, true]);
    expect(['a:b:2', 'b:a:2'].map(usable)).toEqual([false, false]);
    const nodes = ted.nodes.map((node) => (node.id === 'b' ? { ...node, operationalState: 'down' as const } : node));
    const down = freezeSnapshot({ ...ted, nodes });
    expect(down.isUsable(down.arcOf('a:b'))).toBe(false);
  });

  it('leaves out a link to an unknown node, and refuses an id that occurs twice', () => {
    const dangling = freezeSnapshot({ ...ted, nodes: ted.nodes.filter((node) => node.id !== 'h1') });
    expect(dangling.arcOf('a:h1')).toBe(-1);
    expect(() => freezeSnapshot({ ...ted, nodes: [...ted.nodes, ...ted.nodes] })).toThrow(/occurs twice/);
  });

  it('reserves what is reservable, or else the bandwidth, or nothing that is known', () => {
    const snapshot = freezeSnapshot(ted);
    const reservable = reservableBps(snapshot);
    expect(reservable[snapshot.arcOf('a:b')]).toBe(5);
    expect(reservable[snapshot.arcOf('a:h1')]).toBe(10_000_000_000);
    expect(reservable[snapshot.arcOf('b:a')]).toBeNaN();
  });

  it('finds the locators that cover an address, longest prefix first', () => {
    const [a, b] = ted.nodes;
    const wide = { ...a?.locators[0], prefix: 'fd00::/32' } as NonNullable<typeof a>['locators'][number];
    const nodes = ted.nodes.map((node) => (node === b ? { ...node, locators: [...node.locators, wide] } : node));
    const snapshot = freezeSnapshot({ ...ted, nodes });
    const owners = snapshot.locators
      .covering(a?.sids[0]?.sid ?? '')
      .map((same) => same.map((locator) => snapshot.nodeIdOf(snapshot.data.locatorNode[locator] ?? -1)));
    expect(owners).toEqual([['a'], ['b']]);
    expect(snapshot.locators.covering('2001:db8::1')).toEqual([]);
  });

  it('remembers not every address that somebody makes up', () => {
    const { locators } = freezeSnapshot(ted);
    const before = queryObjects(Array, { format: 'count' });
    for (let n = 0; n < 110_000; n++)
      locators.covering(`2001:db8::${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}`);
    expect(queryObjects(Array, { format: 'count' }) - before).toBeLessThan(100_000);
    expect(locators.covering('2001:db8::1')).toEqual([]);
  });

  it('answers the same after crossing a thread, and shares its memory', () => {
    fc.assert(
      fc.property(arbitraryTed({ maxRouters: 5, maxLinks: 8 }), (network) => {
        const snapshot = freezeSnapshot(network);
        const shared = structuredClone(snapshotToShared(snapshot));
        const received = snapshotFromShared(shared);
        expect(received.linkIds).toEqual(snapshot.linkIds);
        expect(received.sidTexts).toEqual(snapshot.sidTexts);
        for (const { id } of network.nodes) {
          const request = { source: 'a', destination: id, metric: 'delay', constraints: {} } as const;
          expect(computePaths(received, request)).toEqual(computePaths(snapshot, request));
        }
        for (const value of Object.values(shared)) {
          if (typeof value !== 'number') expect((value as Uint8Array).buffer).toBeInstanceOf(SharedArrayBuffer);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [{ igpMetric: 0.1 }, 'igpMetric of link a:b is 0.1; it has to be a whole number'],
    [{ delayUs: Number.NaN }, 'delayUs of link a:b is NaN; it has to be a whole number'],
    [
      { advertised: { teMetric: 1.5, delayMinUs: null, affinities: [], srlgs: [] } },
      'advertised.teMetric of link a:b is 1.5; it has to be a whole number',
    ],
  ])('is refused with metrics that do not add up exactly: %j', (attributes, message) => {
    const network = buildTed(['a', 'b'], [{ between: 'a-b', ...attributes }]);
    expect(() => freezeSnapshot(network)).toThrow(new RangeError(message));
  });
});
