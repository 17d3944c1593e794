import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIpv6, canonicalPrefix } from '../model/address.js';
import type { Locator, Sid, Ted, TedNode } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { buildTed } from '../testing/build-ted.js';
import { nodesReadOtherwise } from './read-otherwise.js';
import { proveSegmentList } from './segment-list.js';

const ROUTERS = ['a', 'b', 'c', 'd', 'e'];

/** a to e are nodes 1 to 5, h1 and h2 are 6 and 7. */
const network = fc
  .record({
    kinds: fc.array(fc.constantFrom('next' as const, 'next' as const, 'both' as const, 'plain' as const), {
      minLength: 7,
      maxLength: 7,
    }),
    metrics: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 7, maxLength: 7 }),
  })
  .map(({ kinds, metrics }) =>
    buildTed(
      [...ROUTERS, 'h1', 'h2'].map((id, i) => ({ id, sidKind: kinds[i] ?? 'next', scope: 'igp' as const })),
      ['h1-a', 'h2-d', 'a-b', 'b-d', 'a-c', 'c-d', 'd-e'].map((between, i) => ({
        between,
        igpMetric: metrics[i] ?? 1,
      })),
    ),
  );

/** Node numbers and functions that exist, and some that do not. */
const word = fc.constantFrom('1', '2', '3', '4', '5', '7', '9', 'd4', 'e000', 'e001', 'e002');

const locator = fc.tuple(word, fc.option(word, { nil: undefined })).map(([node, behind]): Locator => ({
  prefix: canonicalPrefix(behind === undefined ? `fd00:0:${node}::/48` : `fd00:0:${node}:${behind}::/64`),
  algorithm: 0,
  metric: 0,
  anycast: false,
  scope: 'igp',
  structure: { blockBits: 32, nodeBits: 16, functionBits: 16, argumentBits: 0 },
  origin: 'discovered',
}));

const sid = fc.tuple(word, fc.option(word, { nil: undefined }), fc.boolean()).map(([node, behind, isNext]): Sid => ({
  sid: canonicalIpv6(behind === undefined ? `fd00:0:${node}::` : `fd00:0:${node}:${behind}::`),
  behavior: 'End',
  flavors: isNext ? ['NEXT-C-SID'] : [],
  algorithm: 0,
  protected: false,
  linkId: null,
  structure: { blockBits: 32, nodeBits: 16, functionBits: behind === undefined ? 0 : 16, argumentBits: 0 },
  origin: 'discovered',
}));

function changedBy(ted: Ted, id: string, change: (node: TedNode) => TedNode): Ted {
  return { ...ted, nodes: ted.nodes.map((node) => (node.id === id ? change(node) : node)) };
}

/** What is pushed for a list, and where that goes; null when it is not proved, or cannot be finished. */
function meaningOf(snapshot: Snapshot, list: readonly string[]) {
  try {
    const { list: finished, proof } = proveSegmentList(snapshot, 'h1', list, 'ipv4', 'h2', {});
    return proof.ok ? { pushed: finished.entries.map(({ address }) => address), load: proof.load } : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

describe('nodes whose SIDs are read otherwise', () => {
  it('are on the way of every list that means something else after others changed their SIDs and locators', () => {
    let differing = 0;
    fc.assert(
      fc.property(
        network,
        fc.constantFrom(...ROUTERS),
        fc.array(locator, { maxLength: 2 }),
        fc.array(sid, { maxLength: 2 }),
        fc.boolean(),
        fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        (first, where, locators, sids, removed, picks) => {
          const added = changedBy(first, where, (node) => ({
            ...node,
            locators: [...node.locators, ...locators],
            sids: [...node.sids, ...sids.filter(({ sid: text }) => node.sids.every((own) => own.sid !== text))],
          }));
          const [before, after] = (removed ? [added, first] : [first, added]).map((ted) => freezeSnapshot(ted));
          if (before === undefined || after === undefined) return;
          const transport = before.sidTexts.filter((text) => after.sidOf(text) >= 0 && text.endsWith('::'));
          const list = picks.map((pick) => transport[pick % transport.length] ?? '');
          const old = meaningOf(before, list);
          if (old === null || isDeepStrictEqual(old, meaningOf(after, list))) return;
          differing++;
          const crossed = new Set(old.load.flatMap(({ linkId }) => linkId.split(':')));
          const touched = [where, ...nodesReadOtherwise(before, after)];
          expect(touched.filter((node) => crossed.has(node))).not.toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
    expect(differing).toBeGreaterThan(0);
  });

  it('are none when nothing changed', () => {
    fc.assert(
      fc.property(network, (ted) => {
        expect(nodesReadOtherwise(freezeSnapshot(ted), freezeSnapshot(ted))).toEqual([]);
      }),
    );
  });

  it("are those within another node's new prefix that is no shorter than their locator, and no others", () => {
    const plain = buildTed(['a', 'b', 'c'], [{ between: 'a-b' }, { between: 'b-c' }]);
    const before = freezeSnapshot(plain);
    const after = (prefix: string, at: string) => {
      const [example] = plain.nodes[0]?.locators ?? [];
      if (example === undefined) throw new Error('no locator');
      return freezeSnapshot(
        changedBy(plain, at, (node) => ({ ...node, locators: [...node.locators, { ...example, prefix }] })),
      );
    };
    expect(nodesReadOtherwise(before, after('fd00:0:2::/48', 'c'))).toEqual(['b']);
    expect(nodesReadOtherwise(before, after('fd00:0:2::/64', 'c'))).toEqual([]);
    expect(nodesReadOtherwise(before, after('fd00:0:2:1::/64', 'c'))).toEqual(['b']);
    expect(nodesReadOtherwise(before, after('fd00:0:2:1::/64', 'b'))).toEqual([]);
    expect(nodesReadOtherwise(before, after('fd00::/32', 'c'))).toEqual([]);
  });
});
