import { describe, expect, it } from 'vitest';
import type { PathAnswer } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Sid, SidFlavor, Ted, TedNode } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type NodeSpec } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';

// h1 - a - b - c - h2, and a - e - c: both ways igp 20. The links by way of e are the fastest, b - c has a slow parallel.
const links = [
  { between: 'h1-a' },
  { between: 'a-b', delayUs: 30 },
  { between: 'b-c', delayUs: 30 },
  { between: 'a-e', delayUs: 10 },
  { between: 'e-c', delayUs: 10, igpMetric: 30 },
  { between: 'c-h2' },
];

function network(limits: Readonly<Record<string, Partial<NodeSpec>>>): Ted {
  return buildTed(
    ['a', 'b', 'c', 'e', 'h1', 'h2'].map((id) => ({ id, scope: 'igp' as const, ...limits[id] })),
    links,
  );
}

function ask(ted: Ted, request: Partial<PathRequest> = {}): PathAnswer {
  const usual = {
    source: 'h1',
    destination: 'h2',
    metric: 'delay' as const,
    constraints: {},
    families: ['ipv4' as const],
  };
  return computePaths(freezeSnapshot(ted), { ...usual, ...request });
}

function way(answer: PathAnswer): string {
  if (answer.status === 'no-path') return answer.message;
  const [path] = answer.paths;
  return `${path?.nodes.join(' ') ?? ''}: ${path?.transport.map(({ sid }) => sid).join(' ') ?? ''}`;
}

function withSids(ted: Ted, id: string, change: (sids: readonly Sid[]) => readonly Sid[]): Ted {
  const nodes = ted.nodes.map((node): TedNode => (node.id === id ? { ...node, sids: change(node.sids) } : node));
  return { ...ted, nodes };
}

const flavored = (sids: readonly Sid[], flavors: readonly SidFlavor[]) => sids.map((sid) => ({ ...sid, flavors }));

const FAST = 'h1 a e c h2: fd00:0:4:e001::';
const SLOW = 'h1 a b c h2: ';

describe('a list within what endpoints can process', () => {
  it('is that of the best path where nobody has a limit, or limits are met', () => {
    expect(way(ask(network({})))).toBe(FAST);
    expect(way(ask(network({ e: { msdSegmentsLeft: 1 }, h2: { msdEndD: 1 } })))).toBe(FAST);
  });

  it('is another one, or goes another way, where the best path asks too much of a router', () => {
    expect(way(ask(network({ e: { msdSegmentsLeft: 0 } })))).toBe(SLOW);
    expect(way(ask(network({ h2: { msdEndD: 0 } })))).toBe(SLOW);
  });

  it('is also found for several paths', () => {
    const ted = network({ e: { msdEndPop: 0 } });
    const twice = withSids(ted, 'e', (sids) => [
      ...flavored(sids, ['PSP']),
      ...sids.map((sid) => ({ ...sid, sid: sid.sid.replace(/::$/, ':0:1::') })),
    ]);
    const answer = ask(twice, { k: 2 });
    expect(answer.status === 'computed' && answer.paths.map(({ nodes }) => nodes.join(' '))).toEqual([
      'h1 a e c h2',
      'h1 a b c h2',
    ]);
    expect(way(answer)).toBe('h1 a e c h2: fd00:0:4:e001:0:1::');
  });

  it('removes the SRH early for a destination that cannot read it, where a SID does that', () => {
    const ted = withSids(network({ h2: { msdEndD: 0 } }), 'e', (sids) => flavored(sids, ['PSP']));
    expect(way(ask(ted))).toBe(FAST);
  });

  describe('over a parallel link, to a router that cannot decapsulate', () => {
    const definition = {
      metricType: 'igp' as const,
      priority: 1,
      excludeAny: [],
      includeAny: [],
      includeAll: [],
      excludeSrlgs: [],
    };
    const base = buildTed(
      ['a', 'r', { id: 'z', msdEndD: 0 }],
      [
        { between: 'a-r', igpMetric: 1, delayUs: 10 },
        { between: 'a-r#2', delayUs: 1 },
        { between: 'r-z', igpMetric: 1, delayUs: 1 },
      ],
    );
    /** `r` has one more End SID, with PSP, under a locator of its own. */
    const network = (more: { readonly algorithm: number; readonly scope: 'igp' | 'attachment' }): Ted => {
      const nodes = base.nodes.map((node): TedNode => {
        const flexAlgorithms = [{ algorithm: 128, definition }];
        const sids = node.sids.map((sid) => (sid.behavior === 'End' ? { ...sid, flavors: ['USD'] as const } : sid));
        if (node.id !== 'r') return { ...node, flexAlgorithms, sids };
        const [locator] = node.locators;
        const end = sids.find(({ behavior }) => behavior === 'End');
        if (locator === undefined || end === undefined) throw new Error('a router has an End SID');
        return {
          ...node,
          flexAlgorithms,
          locators: [locator, { ...locator, ...more, prefix: 'fd00:0:102::/48' }],
          sids: [...sids, { ...end, algorithm: more.algorithm, flavors: ['PSP'], sid: 'fd00:0:102:1::' }],
        };
      });
      return { ...base, nodes };
    };

    it.each([
      { algorithm: 0, scope: 'igp' as const },
      { algorithm: 128, scope: 'igp' as const },
      { algorithm: 0, scope: 'attachment' as const },
    ])('uses an End SID with PSP of the router before: algorithm $algorithm, scope $scope', (more) => {
      const request: Partial<PathRequest> = { source: 'a', destination: 'z', families: [] };
      const answer = ask(network(more), request);
      expect(way(answer)).toBe('a r z: fd00:0:1:e001:: fd00:0:102:1:: fd00:0:3:1::');
      expect(answer.status === 'computed' && answer.optimality).toBe('optimal');
      const both = ask(network(more), { ...request, k: 2 });
      expect(way(both)).toBe(way(answer));
      expect(both.status === 'computed' && both.paths).toHaveLength(2);
    });
  });

  it('is refused with the node and its limit when there is none', () => {
    const answer = ask(network({ e: { msdSegmentsLeft: 0 } }), { constraints: { include: [{ link: 'e:c' }] } });
    expect(answer).toMatchObject({
      status: 'no-path',
      reason: 'msd-exceeded',
      message:
        'no list is one that its endpoints can process; of the best one, e would process fd00:0:4:e001:: with Segments Left 1; its maximum is 0',
      blockingNodes: ['e'],
      nearestFeasible: null,
      isProved: true,
      conflict: { constraints: [{ constraint: '/constraints/include/0' }], isMinimal: true },
    });
  });
});

describe('a transport list', () => {
  const toRouter: Partial<PathRequest> = { destination: 'c', families: [] };

  it('says that it does not decapsulate where the router has no End SID with USD', () => {
    const answer = ask(network({}), toRouter);
    expect(answer.status === 'computed' && answer.paths[0]?.segmentLists[0]?.decapsulates).toBe(false);
  });

  it('ends in the one with USD where there is one', () => {
    const second = (sids: readonly Sid[]) =>
      sids.filter(({ behavior }) => behavior === 'End').map((sid) => ({ ...sid, sid: 'fd00:0:3:2::' }));
    const ted = withSids(network({}), 'c', (sids) => [...sids, ...flavored(second(sids), ['USD'])]);
    const answer = ask(ted, toRouter);
    expect(answer.status === 'computed' && answer.paths[0]?.segmentLists[0]).toMatchObject({ decapsulates: true });
    expect(way(answer)).toMatch(/ fd00:0:3:2::$/);
  });
});
