import { describe, expect, it } from 'vitest';
import type { PathRequest } from '../model/path-request.js';
import type { Locator, Sid, Ted, TedNode } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';

const DEFINITION = { priority: 1, excludeAny: [], includeAny: [], includeAll: [], excludeSrlgs: [] } as const;

/** Neighbours with a fast link that the IGP avoids; the routers x, y, z take no part in algorithm 128. */
const LINKS: readonly LinkSpec[] = [
  ...['a-b', 'b-c', 'c-d'].map((between) => ({ between, igpMetric: 100, delayUs: 1, delayMinUs: 1 })),
  ...['a-x', 'x-b', 'b-y', 'y-c', 'c-z', 'z-d'].map((between) => ({ between, igpMetric: 10, delayUs: 9 })),
  { between: 'h1-a' },
  { between: 'h2-d' },
];
const NAMES = ['a', 'b', 'c', 'd', 'x', 'y', 'z', 'h1', 'h2'];

/** In algorithm 128, which goes by delay, node i has the SIDs of algorithm 0 once more, under fd00:0:10<i>. */
function inAlgorithm(node: TedNode): TedNode {
  const renumber = (text: string) => text.replace(/^fd00:0:/, 'fd00:0:10');
  return {
    ...node,
    flexAlgorithms: [
      { algorithm: 128, definition: node.id === 'a' ? { ...DEFINITION, metricType: 'min-delay' } : null },
    ],
    locators: [
      ...node.locators,
      ...node.locators.map((locator) => ({ ...locator, prefix: renumber(locator.prefix), algorithm: 128 })),
    ],
    sids: [...node.sids, ...node.sids.map((sid) => ({ ...sid, sid: renumber(sid.sid), algorithm: 128 }))],
  };
}

function network(change: (node: TedNode) => TedNode = (node) => node, links = LINKS): Ted {
  const ted = buildTed(
    NAMES.map((id) => (id.startsWith('h') ? { id, scope: 'igp' as const } : id)),
    links,
  );
  return { ...ted, nodes: ted.nodes.map((node) => (/^[a-d]$/.test(node.id) ? change(inAlgorithm(node)) : node)) };
}

function listOf(ted: Ted, request: Partial<PathRequest> = {}): string {
  const full: PathRequest = { source: 'h1', destination: 'h2', metric: 'delay', constraints: {}, ...request };
  const answer = computePaths(freezeSnapshot(ted), full);
  if (answer.status === 'no-path') return answer.reason;
  return (answer.paths[0]?.transport ?? []).map(({ sid, node }) => `${sid} of ${node}`).join(', ');
}

describe('a path that a flexible algorithm covers', () => {
  it('takes one SID where algorithm 0 needs one per link', () => {
    expect(listOf(network())).toBe('fd00:0:104:1:: of d');
    const plain = network((node) => ({ ...node, flexAlgorithms: [] }));
    expect(listOf(plain)).toBe('fd00:0:1:e000:: of a, fd00:0:2:e001:: of b, fd00:0:3:e001:: of c');
    expect(listOf(network(), { maxSegments: 1 })).toBe('fd00:0:104:1:: of d');
  });

  it('takes a SID of algorithm 0 where that is as good', () => {
    expect(listOf(network(), { metric: 'igp' })).toBe('');
    expect(listOf(network(), { destination: 'b', metric: 'igp', families: [] })).toBe('fd00:0:2:1:: of b');
  });

  it('follows the algorithm to the owner of an End.X SID too, and to a service SID in its locator', () => {
    const withoutEnds = (node: TedNode) => ({ ...node, sids: node.sids.filter(({ behavior }) => behavior !== 'End') });
    expect(listOf(network(withoutEnds))).toBe('fd00:0:103:e001:: of c');
    const ted = network();
    const nodes = ted.nodes.map((node) => {
      if (node.id !== 'h2') return node;
      const { flexAlgorithms, locators, sids } = inAlgorithm(node);
      return { ...node, flexAlgorithms, locators: locators.slice(-1), sids: sids.slice(-2) };
    });
    const links = ted.links.map((link) => ({ ...link, delayMinUs: link.delayMinUs ?? (link.to === 'h2' ? 1 : null) }));
    expect(listOf({ ...ted, nodes, links })).toBe('');
  });

  it('is not affected by what an operator says of the links', () => {
    const ted = network();
    const links = ted.links.map((link) =>
      link.id === 'b:c'
        ? { ...link, delayMinUs: null, advertised: { teMetric: null, delayMinUs: 1, affinities: [], srlgs: [] } }
        : link,
    );
    expect(listOf({ ...ted, links })).toBe('fd00:0:104:1:: of d');
  });
});

describe('an anycast SID', () => {
  const SHARED: Pick<Locator, 'prefix' | 'anycast' | 'metric'> = {
    prefix: 'fd00:0:f00::/48',
    anycast: true,
    metric: 0,
  };
  /** These routers have nothing but an anycast locator and its End SID. */
  const sharing = (members: readonly string[], metricOf: (id: string) => number = () => 0) =>
    buildShared(members, metricOf);

  function buildShared(members: readonly string[], metricOf: (id: string) => number): Ted {
    const ted = buildTed(
      ['a', 'b', 'c', 'd', 'e'],
      [
        { between: 'a-b', delayUs: 5 },
        { between: 'b-d', delayUs: 5 },
        { between: 'a-c', delayUs: 1 },
        { between: 'c-d', delayUs: 1 },
        { between: 'd-e', delayUs: 1 },
      ],
    );
    const nodes = ted.nodes.map((node) => {
      if (!members.includes(node.id)) return { ...node, sids: node.sids.filter(({ behavior }) => behavior === 'End') };
      const locator = { ...(node.locators[0] as Locator), ...SHARED, metric: metricOf(node.id) };
      return { ...node, locators: [locator], sids: [{ ...(node.sids[0] as Sid), sid: 'fd00:0:f00:1::' }] };
    });
    return { ...ted, nodes };
  }
  const ask = (ted: Ted) => listOf(ted, { source: 'a', destination: 'd', families: [] });

  it('names a router that has no other, from where it alone is nearest', () => {
    expect(ask(sharing(['c']))).toBe('fd00:0:f00:1:: of c, fd00:0:4:1:: of d');
    expect(ask(sharing(['c', 'e']))).toBe('fd00:0:f00:1:: of c, fd00:0:4:1:: of d');
    expect(ask(sharing(['b', 'c'], (id) => (id === 'b' ? 1 : 0)))).toBe('fd00:0:f00:1:: of c, fd00:0:4:1:: of d');
  });

  it('is not used where another member is as near, nearer, or on the way', () => {
    expect(ask(sharing(['b', 'c']))).toBe('fd00:0:4:1:: of d');
    expect(ask(sharing(['b', 'c'], (id) => (id === 'c' ? 1 : 0)))).toBe('fd00:0:4:1:: of d');
    const beyond = sharing(['c', 'e'], (id) => (id === 'c' ? 1000 : 0));
    expect(
      listOf(beyond, { source: 'a', destination: 'e', families: [], constraints: { include: [{ node: 'c' }] } }),
    ).toBe('sid-unresolved');
  });

  it('of hosts that only their attachment routers know leads to the nearer one', () => {
    const ted = buildTed(
      ['a', 'b', 'h1', 'h2'],
      [
        { between: 'a-b', igpMetric: 1 },
        { between: 'b-h1', igpMetric: 3 },
        { between: 'b-h2', igpMetric: 2 },
      ],
    );
    const [first] = ted.nodes.filter(({ id }) => id === 'h1');
    const locators = (first?.locators ?? []).map((locator) => ({ ...locator, anycast: true }));
    const shared: Ted = {
      ...ted,
      nodes: ted.nodes.map((node) =>
        node.kind === 'host'
          ? { ...node, locators, sids: first?.sids ?? [] }
          : { ...node, sids: node.sids.filter(({ behavior }) => behavior === 'End') },
      ),
    };
    const to = (destination: string) => listOf(shared, { source: 'a', destination });
    expect(to('h2')).toBe('fd00:0:2:1:: of b');
    expect(to('h1')).toBe('path-not-found');
  });
});
