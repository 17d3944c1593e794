import { describe, expect, it } from 'vitest';
import type { FlexAlgorithmDefinition, Locator, Sid, Ted, TedNode } from '../model/ted.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec } from '../testing/build-ted.js';
import { prove } from './prove.js';

const BASE: FlexAlgorithmDefinition = {
  metricType: 'min-delay',
  priority: 128,
  excludeAny: [],
  includeAny: [],
  includeAll: [],
  excludeSrlgs: [],
};

/** Short by IGP metric over b, fast over c; each router has the End SID fd00:0:10<number>:1:: in algorithm 128. */
const LINKS: readonly LinkSpec[] = [
  { between: 'a-b', igpMetric: 10, delayMinUs: 50, teMetric: 3 },
  { between: 'b-d', igpMetric: 10, delayMinUs: 50, teMetric: 3 },
  { between: 'a-c', igpMetric: 20, delayMinUs: 10, teMetric: 4 },
  { between: 'c-d', igpMetric: 20, delayMinUs: 10, teMetric: 4 },
];
const FAST_D = 'fd00:0:104:1::';

function network(
  definitions: Readonly<Record<string, Partial<FlexAlgorithmDefinition> | null>>,
  change: (node: TedNode) => TedNode = (node) => node,
  links: readonly LinkSpec[] = LINKS,
): Ted {
  const ted = buildTed(['a', 'b', 'c', 'd'], links);
  const nodes = ted.nodes.map((node, i) => {
    const [locator, end] = [node.locators[0] as Locator, node.sids[0] as Sid];
    const definition = definitions[node.id];
    return change({
      ...node,
      flexAlgorithms:
        definition === undefined ? [] : [{ algorithm: 128, definition: definition && { ...BASE, ...definition } }],
      locators: [locator, { ...locator, prefix: `fd00:0:10${String(i + 1)}::/48`, algorithm: 128 }],
      sids: [...node.sids, { ...end, sid: `fd00:0:10${String(i + 1)}:1::`, algorithm: 128 }],
    });
  });
  return { ...ted, nodes };
}

/** Links that packets from a take to the End SID of d in algorithm 128, or why they get nowhere. */
function way(ted: Ted, sid = FAST_D): string {
  const proof = prove(freezeSnapshot(ted), [sid], { headend: 'a', destination: 'd' });
  return proof.violation?.message ?? proof.load.map(({ linkId }) => linkId).join(' ');
}

const all = { a: {}, b: null, c: null, d: null };

describe('a segment of a flexible algorithm', () => {
  it.each<[string, Partial<FlexAlgorithmDefinition>, string]>([
    ['the least delay', {}, 'a:c c:d'],
    ['the TE metric', { metricType: 'te' }, 'a:b b:d'],
    ['the IGP metric', { metricType: 'igp' }, 'a:b b:d'],
    ['links that an affinity excludes', { metricType: 'igp', excludeAny: ['leased'] }, 'a:c c:d'],
    ['links of any affinity included', { includeAny: ['leased', 'other'] }, 'a:b b:d'],
    ['links of all affinities included', { metricType: 'igp', includeAll: ['owned'] }, 'a:c c:d'],
    ['SRLGs excluded', { excludeSrlgs: [7] }, 'a:b b:d'],
  ])('follows %s', (_, definition, expected) => {
    const attributes = (over: string) =>
      over === 'b' ? { affinities: ['leased'] } : { affinities: ['owned'], srlgs: [7] };
    const links = LINKS.map((link) => ({ ...link, ...attributes(link.between.includes('b') ? 'b' : 'c') }));
    expect(way(network({ ...all, a: definition }, undefined, links))).toBe(expected);
  });

  it('goes by what routers advertise, whatever the operator says of the link', () => {
    const advertised = { teMetric: null, delayMinUs: 100, affinities: [], srlgs: [] };
    const links = LINKS.map((link) => (link.between === 'a-c' ? { ...link, advertised } : link));
    expect(way(network(all, undefined, links))).toBe('a:b b:d');
  });

  it('never takes a link whose metric is not advertised, and none is not zero', () => {
    const links = LINKS.map((link) => (link.between === 'a-c' ? { ...link, delayMinUs: null } : link));
    expect(way(network(all, undefined, links))).toBe('a:b b:d');
    expect(
      way(
        network(
          { ...all, a: { metricType: 'te' } },
          undefined,
          links.map((link) => ({ ...link, teMetric: null })),
        ),
      ),
    ).toBe(`a has no route to ${FAST_D} of d by algorithm 128`);
  });

  it('needs every router on the way to take part', () => {
    expect(way(network({ a: {}, b: null, d: null }))).toBe('a:b b:d');
    expect(way(network({ b: {}, c: null, d: null }))).toBe(
      `a has no route to ${FAST_D} of d by algorithm 128, in which it takes no part`,
    );
    expect(way(network({ a: null, b: null, c: null, d: null }))).toBe(
      `a has no route to ${FAST_D} of d by algorithm 128`,
    );
  });

  it('obeys the definition of the highest priority, then of the highest router id, of those that are up', () => {
    const te = { metricType: 'te' as const };
    const withIds = (ids: Readonly<Record<string, string>>) => (node: TedNode) => ({
      ...node,
      routerId: ids[node.id] ?? null,
    });
    expect(way(network({ ...all, b: { ...te, priority: 129 } }))).toBe('a:b b:d');
    // 10.0.0.9 is below 10.0.0.10 as a number.
    expect(way(network({ ...all, b: te }, withIds({ a: '10.0.0.10', b: '10.0.0.9' })))).toBe('a:c c:d');
    expect(way(network({ ...all, b: te }, withIds({ a: '10.0.0.1', b: '10.0.0.9' })))).toBe('a:b b:d');
    expect(way(network({ ...all, b: te }, withIds({ a: '10.0.0.1' })))).toBe('a:c c:d');
    expect(way(network({ ...all, b: te }))).toBe('a:b b:d');
    const downB = (node: TedNode) => ({
      ...node,
      operationalState: node.id === 'b' ? ('down' as const) : ('up' as const),
    });
    expect(way(network({ ...all, b: { ...te, priority: 129 } }, downB))).toBe('a:c c:d');
    const elsewhere = (node: TedNode) => ({ ...node, igpDomain: node.id === 'b' ? 'other' : 'default' });
    expect(way(network({ ...all, b: { ...te, priority: 129 } }, elsewhere))).toBe('a:c c:d');
  });

  it('is told by the locator, whatever the SID says of itself', () => {
    const relabelled = (node: TedNode) => ({ ...node, sids: node.sids.map((sid) => ({ ...sid, algorithm: 0 })) });
    expect(way(network(all, relabelled))).toBe('a:c c:d');
  });
});

describe('an anycast segment', () => {
  const SHARED = 'fd00:0:f00:1::';
  const shared = (metrics: Readonly<Record<string, number>>, without: readonly string[] = [], anycast = true) =>
    network(all, (node) => {
      const metric = metrics[node.id];
      if (metric === undefined) return node;
      const locator = { ...(node.locators[0] as Locator), prefix: 'fd00:0:f00::/48', metric, anycast };
      const sid = { ...(node.sids[0] as Sid), sid: SHARED };
      return {
        ...node,
        locators: [...node.locators, locator],
        sids: without.includes(node.id) ? node.sids : [...node.sids, sid],
      };
    });
  const loads = (ted: Ted) => {
    const list = [SHARED, 'fd00:0:4:1::'];
    const proof = prove(freezeSnapshot(ted), list, { headend: 'a', destination: 'd' });
    return proof.violation?.message ?? proof.load.map(({ linkId, share }) => `${linkId} ${share}`).join(', ');
  };

  it('goes to the nearest member by distance and advertised metric, and spreads over all that are as near', () => {
    expect(loads(shared({ b: 0, c: 0 }))).toBe('a:b 1, b:d 1');
    expect(loads(shared({ b: 10, c: 0 }))).toBe('a:b 0.5, a:c 0.5, b:d 0.5, c:d 0.5');
    expect(loads(shared({ b: 11, c: 0 }))).toBe('a:c 1, c:d 1');
  });

  it('ends at a member on the way to a nearer one, and is lost where a member has no such SID', () => {
    expect(loads(shared({ b: 100, d: 0 }))).toBe('a:b 1, b:d 1');
    expect(loads(shared({ b: 100, d: 0 }, ['b']))).toBe(`${SHARED} is in the locator of b, which has no such SID`);
  });

  it('must be anycast for all, with one behavior', () => {
    expect(loads(shared({ b: 0, c: 0 }, [], false))).toBe(`${SHARED} is owned by several nodes`);
    expect(loads(shared({ b: 0, c: 0 }, ['c'], false))).toBe(
      'fd00:0:f00::/48 is advertised by several nodes, and not all of them say it is anycast',
    );
    const ted = shared({ b: 0, c: 0 });
    const nodes = ted.nodes.map((node) => ({
      ...node,
      sids: node.sids.map((sid) =>
        node.id === 'c' && sid.sid === SHARED ? { ...sid, flavors: ['NEXT-C-SID' as const] } : sid,
      ),
    }));
    expect(loads({ ...ted, nodes })).toBe(`${SHARED} is owned by several nodes`);
  });
});
