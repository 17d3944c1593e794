import { describe, expect, it } from 'vitest';
import type { PathAnswer, SegmentList } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';

/*
 *  h1 - a - b - c - d - e - f - g - h2      by delay; the IGP takes the direct link from a to g. Without C-SIDs each
 *        \_____________________/            router needs a SID of its own, because direct links lead everywhere
 */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
const LINKS: readonly LinkSpec[] = [
  ...NAMES.slice(1).map((to, i) => ({ between: `${NAMES[i] ?? ''}-${to}`, igpMetric: 100, delayUs: 1 })),
  ...NAMES.flatMap((from, i) =>
    NAMES.slice(i + 2).map((to) => ({ between: `${from}-${to}`, igpMetric: 10, delayUs: 1000 })),
  ),
  { between: 'h1-a', delayUs: 0 },
  { between: 'g-h2', delayUs: 0 },
];

function ask(kinds: Partial<Record<string, Partial<NodeSpec>>>, request: Partial<PathRequest> = {}): PathAnswer {
  const nodes = [...NAMES, 'h1', 'h2'].map((id) => ({ id, sidKind: 'next' as const, msdHEncaps: 10, ...kinds[id] }));
  const full: PathRequest = { source: 'h1', destination: 'h2', metric: 'delay', constraints: {}, ...request };
  return computePaths(freezeSnapshot(buildTed(nodes, LINKS)), full);
}

function listOf(answer: PathAnswer): SegmentList {
  const [list] = answer.status === 'computed' ? (answer.paths[0]?.segmentLists ?? []) : [];
  if (list === undefined) throw new Error(answer.status === 'no-path' ? answer.message : 'no list');
  return list;
}

const plain = Object.fromEntries([...NAMES, 'h1', 'h2'].map((id) => [id, { sidKind: 'plain' as const }]));

describe('a computed list', () => {
  it('takes a whole entry for each SID where no router has C-SIDs', () => {
    const list = listOf(ask(plain));
    expect(list.segments).toHaveLength(7);
    expect(list.entries.map(({ sids }) => sids.length)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(list).toMatchObject({ srhEntries: 6, headerBytes: 40 + 8 + 6 * 16, pathMtuBytes: 9000 - 144 });
  });

  it('is packed where they have them: what it costs is counted in entries', () => {
    const list = listOf(ask({}));
    expect(list.entries.flatMap(({ sids }) => sids)).toEqual(list.segments.map(({ sid }) => sid));
    // Three adjacencies of two C-SIDs each fill a container.
    expect(list.entries.map(({ sids }) => sids.length)).toEqual([3, 3, 1]);
    expect(list).toMatchObject({ srhEntries: 2, headerBytes: 40 + 8 + 2 * 16, pathMtuBytes: 9000 - 80 });
  });

  it('goes by the way that its headend can push, which is measured in entries too', () => {
    expect(listOf(ask({}, { maxSegments: 2 })).proof.worst.delayUs).toBe(6);
    const shorter = listOf(ask({}, { maxSegments: 1 }));
    expect(shorter.srhEntries).toBeLessThan(2);
    expect(shorter.proof.worst.delayUs).toBeGreaterThan(6);
    const refused = ask({}, { maxSegments: 1, constraints: { bounds: [{ metric: 'delay', max: 6 }] } });
    expect(refused).toMatchObject({ status: 'no-path', reason: 'msd-exceeded', nearestFeasible: 2 });
    expect(refused).toMatchObject({ constraint: '/maxSegments' });
  });

  it('prefers more SIDs to more entries', () => {
    // b by its node and then its link, when its adjacency SID is a classic one that would break the container.
    const line: readonly LinkSpec[] = [
      { between: 'a-b', igpMetric: 10, delayUs: 1 },
      { between: 'b-c', igpMetric: 10, delayUs: 1 },
      { between: 'c-d', igpMetric: 10, delayUs: 1 },
      { between: 'a-d', igpMetric: 5, delayUs: 100 },
      { between: 'h1-a', delayUs: 0 },
      { between: 'd-h2', delayUs: 0 },
    ];
    const ted = buildTed(
      ['a', 'b', 'c', 'd', 'h1', 'h2'].map((id) => ({ id, sidKind: 'next' as const })),
      line,
    );
    const classicAdjacencies = ted.nodes.map((node) => ({
      ...node,
      sids: node.sids.map((sid) => (sid.behavior === 'End.X' ? { ...sid, flavors: [], structure: null } : sid)),
    }));
    const request: PathRequest = { source: 'h1', destination: 'h2', metric: 'delay', constraints: {} };
    const list = listOf(computePaths(freezeSnapshot({ ...ted, nodes: classicAdjacencies }), request));
    expect(list.entries.map(({ address }) => address)).toEqual(['fd00:0:2:3:4:6:d4:0']);
    expect(list.segments.map(({ node }) => node)).toEqual(['b', 'c', 'd', 'h2']);
  });

  it('crosses the host link by a SID of its router when that spares an entry', () => {
    // Only adjacency SIDs, and a has no C-SIDs: the link of b to h2 can share a container with the service SID.
    const ted = buildTed(
      [
        { id: 'a', ownSids: false },
        { id: 'b', sidKind: 'next', ownSids: false },
        { id: 'h2', sidKind: 'next' },
      ],
      [{ between: 'a-b' }, { between: 'b-h2' }],
    );
    const request: PathRequest = { source: 'a', destination: 'h2', metric: 'igp', constraints: {} };
    const list = listOf(computePaths(freezeSnapshot(ted), request));
    expect(list.entries.map(({ sids }) => sids)).toEqual([['fd00:0:2:e001::', 'fd00:0:3:d4::']]);
  });

  it('breaks its containers at routers without C-SIDs, and at a service SID of unknown structure', () => {
    const mixed = listOf(ask({ c: { sidKind: 'plain' }, h2: { sidKind: 'opaque' } }));
    const packed = mixed.entries.map(({ sids }) => sids.length);
    expect(packed.at(-1)).toBe(1);
    expect(mixed.entries.length).toBeLessThan(mixed.segments.length);
    expect(mixed.proof.worst.delayUs).toBe(6);
  });
});
