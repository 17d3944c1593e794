import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TedLink } from '../model/ted.js';
import { arbitraryChange, withChanges } from '../testing/arbitrary-changes.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { buildTed } from '../testing/build-ted.js';
import { deriveSnapshot } from './derive-snapshot.js';
import { freezeSnapshot } from './freeze-snapshot.js';
import { snapshotChanges } from './snapshot-changes.js';

describe('a snapshot derived from another', () => {
  it('is what freezing the changed TED gives', () => {
    const steps = fc.array(fc.array(arbitraryChange, { maxLength: 3 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(arbitraryTed({ maxRouters: 5, maxLinks: 8, cSids: true }), steps, (first, sequence) => {
        let ted = first;
        let snapshot = freezeSnapshot(first);
        for (const changes of sequence) {
          const next = withChanges(ted, changes);
          const found = snapshotChanges(snapshot, ted, next);
          if (found === null) throw new Error('no values alone');
          snapshot = deriveSnapshot(snapshot, found);
          ted = next;
          const frozen = freezeSnapshot(ted);
          expect(snapshot.data).toEqual(frozen.data);
          expect(snapshot.affinityNames).toEqual(frozen.affinityNames);
        }
      }),
      { numRuns: 300 },
    );
  });

  const ted = buildTed(['a', 'b', 'c'], [{ between: 'a-b' }, { between: 'b-c' }]);
  const base = freezeSnapshot(ted);

  it('shares what did not change, and leaves what it came from as it was', () => {
    const arc = base.arcOf('a:b');
    const derived = deriveSnapshot(base, { revision: 2, arcs: new Map([[arc, { operationalState: 'down' }]]) });
    expect([derived.revision, base.revision]).toEqual([2, 1]);
    expect([derived.isUsable(arc), derived.isUsable(base.arcOf('b:a')), base.isUsable(arc)]).toEqual([
      false,
      false,
      true,
    ]);
    const differing = Object.keys(base.data).filter(
      (field) => derived.data[field as keyof typeof base.data] !== base.data[field as keyof typeof base.data],
    );
    expect(differing.sort()).toEqual(['arcFlags', 'revision']);
    expect(derived.linkIds).toBe(base.linkIds);
    expect(derived.locators).toBe(base.locators);
    expect(derived.data.arcFlags.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('is refused for what is not there, and for metrics that do not add up exactly', () => {
    const change = (arc: number, values: object) => () => deriveSnapshot(base, { arcs: new Map([[arc, values]]) });
    expect(change(99, {})).toThrow(RangeError);
    expect(change(0, { igpMetric: 0.5 })).toThrow('igpMetric of link a:b is 0.5; it has to be a whole number');
    expect(change(0, { advertised: { delayMinUs: 0.5 } })).toThrow('advertised.delayMinUs of link a:b is 0.5');
    expect(() => deriveSnapshot(base, { nodes: new Map([[3, {}]]) })).toThrow(RangeError);
  });

  it.each<[string, (links: readonly TedLink[]) => readonly TedLink[]]>([
    ['a link less', (links) => links.slice(1)],
    ['another link', ([first, ...links]) => [{ ...(first as TedLink), id: 'a:a' }, ...links]],
    ['another end', ([first, ...links]) => [{ ...(first as TedLink), to: 'c' }, ...links]],
  ])('is not to be had for %s', (_, change) => {
    expect(snapshotChanges(base, ted, { ...ted, links: change(ted.links) })).toBeNull();
  });

  it('is not to be had for other SIDs', () => {
    const nodes = ted.nodes.map((node) => (node.id === 'a' ? { ...node, sids: [] } : node));
    expect(snapshotChanges(base, ted, { ...ted, nodes })).toBeNull();
  });
});
