import { describe, expect, it } from 'vitest';
import type { PathsFound } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../testing/build-ted.js';
import type { ComputeOptions } from './compute-options.js';
import { computePaths } from './compute-paths.js';

//        b
// h1 - a   d - h2     a-b-d: igp 20, delay 2000; a-c-d: igp 40, delay 200; a-d twice: igp 50 and 60, delay 10 and 5
//        c
const nodes: readonly (string | NodeSpec)[] = ['a', 'b', 'c', 'd', 'h1', 'h2'];
const links: readonly LinkSpec[] = [
  { between: 'a-b' },
  { between: 'b-d' },
  { between: 'a-c', igpMetric: 20, delayUs: 100 },
  { between: 'c-d', igpMetric: 20, delayUs: 100 },
  { between: 'a-d', igpMetric: 50, delayUs: 10 },
  { between: 'a-d#2', igpMetric: 60, delayUs: 5 },
  { between: 'h1-a', delayUs: 0 },
  { between: 'd-h2', delayUs: 0 },
];

interface Change {
  readonly nodes?: readonly (string | NodeSpec)[];
  readonly links?: readonly LinkSpec[];
  readonly options?: ComputeOptions;
}

function ask(request: Partial<PathRequest>, change: Change = {}): PathsFound {
  const snapshot = freezeSnapshot(buildTed(change.nodes ?? nodes, change.links ?? links));
  const full: PathRequest = { source: 'h1', destination: 'h2', metric: 'igp', constraints: {}, ...request };
  const answer = computePaths(snapshot, full, change.options);
  if (answer.status === 'no-path') throw new Error(answer.message);
  return answer;
}

/** The transport list in words: `d` for End of d, `a:d` for End.X over that link. */
function transport(answer: PathsFound, path = 0): string[] {
  return (answer.paths[path]?.transport ?? []).map((segment) => segment.linkId ?? segment.node);
}

function withNode(id: string, change: Partial<NodeSpec>): (string | NodeSpec)[] {
  return nodes.map((node) => (node === id ? { id, ...change } : node));
}

describe('a segment list', () => {
  it('names the last router when only it routes the service SID', () => {
    expect(transport(ask({}))).toEqual(['d']);
  });

  it('is the service SID alone when the IGP routes it and takes the path by itself', () => {
    const answer = ask({}, { nodes: withNode('h2', { scope: 'igp' }) });
    expect(transport(answer)).toEqual([]);
    expect(answer.paths[0]?.segmentLists[0]).toMatchObject({ srhEntries: 0, headerBytes: 40, pathMtuBytes: 8960 });
  });

  it('crosses a parallel link by its End.X SID', () => {
    expect(transport(ask({ metric: 'delay' }))).toEqual(['a:d:2']);
    expect(transport(ask({ metric: 'delay', constraints: { exclude: { links: ['a:d:2'] } } }))).toEqual(['a:d']);
  });

  it('goes to a router off the shortest path and over its link with one End.X SID, or with two End SIDs', () => {
    const constraints = { exclude: { links: ['a:d', 'a:d:2'] } };
    expect(transport(ask({ metric: 'delay', constraints }))).toEqual(['c:d']);
    expect(
      transport(ask({ metric: 'delay', constraints }, { nodes: withNode('c', { adjacencySids: false }) })),
    ).toEqual(['c', 'd']);
  });

  it('uses an ECMP segment while every branch is allowed, and avoids it when one is not, or when bandwidth is booked', () => {
    const ecmp: LinkSpec[] = [
      { between: 'a-b' },
      { between: 'b-d' },
      { between: 'a-c', affinities: ['leased'] },
      { between: 'c-d' },
      { between: 'h1-a' },
      { between: 'd-h2' },
    ];
    const free = ask({}, { links: ecmp });
    expect(transport(free)).toEqual(['d']);
    expect(free.paths[0]?.segmentLists[0]?.proof.singlePath).toBe(false);
    const own = ask({ constraints: { affinities: { excludeAny: ['leased'] } } }, { links: ecmp });
    expect(own.paths[0]?.segmentLists[0]?.proof.singlePath).toBe(true);
    const booked = ask({ constraints: { bandwidthBps: 1e9 } }, { links: ecmp });
    expect(transport(booked)).toEqual(['b:d']);
  });

  it('is the shortest over all paths that are as good, however many come before', () => {
    const ways = Array.from({ length: 12 }, (_, i) => `c${i}`);
    const tied: LinkSpec[] = [
      ...ways.flatMap((c) => [
        { between: `a-${c}`, teMetric: 10 },
        { between: `${c}-h2`, teMetric: 10 },
      ]),
      { between: 'a-h2', igpMetric: 90, teMetric: 20 },
    ];
    const answer = ask({ source: 'a', metric: 'te' }, { nodes: ['a', ...ways, 'h2'], links: tied });
    expect(transport(answer)).toEqual([]);
    expect(answer).toMatchObject({ optimality: 'optimal', lowerBound: 20, paths: [{ links: ['a:h2'] }] });
  });

  it('is sought among all lists when the best path needs more SIDs than the headend can push', () => {
    // Of 150 parallel ways from b to c the cheapest 140 need an End.X SID each; the headend can push one SID.
    const ways = Array.from({ length: 150 }, (_, i): LinkSpec => ({
      between: `b-c#${i + 1}`,
      igpMetric: 9,
      delayUs: i,
    }));
    const plain = ways.map((link, i) => (i < 140 ? link : { ...link, igpMetric: 5 }));
    const deep: LinkSpec[] = [
      { between: 'a-b', delayUs: 0 },
      { between: 'a-b#2', igpMetric: 1, delayUs: 500 },
      ...plain,
      { between: 'h1-a', delayUs: 0 },
      { between: 'c-h2', delayUs: 0 },
    ];
    const answer = ask({ metric: 'delay', maxSegments: 1 }, { nodes: ['a', 'b', 'c', 'h1', 'h2'], links: deep });
    expect(answer).toMatchObject({ optimality: 'optimal', lowerBound: 500 });
    expect(transport(answer)).toEqual(['b:c:1']);
  });

  it('leaves room for a packet of 1280 bytes on every link', () => {
    // One SID takes 40 bytes, two take 64: b-d has room for one only, the second parallel link of a-d for none.
    const narrow = links.map((link) =>
      link.between === 'b-d'
        ? { ...link, mtuBytes: 1343 }
        : link.between === 'a-d#2'
          ? { ...link, mtuBytes: 1319 }
          : link,
    );
    expect(ask({}, { links: narrow }).paths[0]?.nodes).toEqual(['h1', 'a', 'c', 'd', 'h2']);
    expect(ask({ metric: 'delay' }, { links: narrow }).paths[0]?.links).toContain('a:d');
    const alone = ask({}, { nodes: withNode('h2', { scope: 'igp' }), links: narrow });
    expect(alone.paths[0]?.segmentLists[0]).toMatchObject({ headerBytes: 40, pathMtuBytes: 1303 });
  });

  it('is found on the next path when the best does not fit the headend', () => {
    const plain = nodes.map((node) => ({ ...(typeof node === 'string' ? { id: node } : node), adjacencySids: false }));
    const shallow = plain.map((node) => (node.id === 'h1' ? { ...node, msdHEncaps: 1 } : node));
    const only = links.filter((link) => !link.between.startsWith('a-d'));
    expect(transport(ask({ metric: 'delay' }, { nodes: plain, links: only }))).toEqual(['c', 'd']);
    const answer = ask({ metric: 'delay' }, { nodes: shallow, links: only });
    expect(transport(answer)).toEqual(['d']);
    expect(answer.paths[0]?.nodes).toEqual(['h1', 'a', 'b', 'd', 'h2']);
  });

  it('ends in the End SID of a router when no family is asked for', () => {
    const answer = ask({ source: 'a', destination: 'd', families: [] });
    expect(answer.paths[0]?.segmentLists).toHaveLength(1);
    expect(answer.paths[0]?.segmentLists[0]?.segments.map((segment) => segment.behavior)).toEqual(['End']);
  });
});

describe('an answer', () => {
  it('shows the bottleneck by what is left, not by what the links have', () => {
    const snapshot = freezeSnapshot(buildTed(nodes, links));
    const unreservedBps = Float64Array.from(snapshot.data.reservableBps);
    unreservedBps[snapshot.arcOf('b:d')] = 7;
    const answer = ask({}, { options: { unreservedBps } });
    expect(answer.paths[0]?.bottleneck).toEqual({ linkId: 'b:d', unreservedBps: 7 });
    const elsewhere = ask({ constraints: { bandwidthBps: 8 } }, { options: { unreservedBps } });
    expect(elsewhere.paths[0]?.links).not.toContain('b:d');
  });

  it('is feasible, with a bound on what is missing, when the budget ends the search', () => {
    const ladder = Array.from({ length: 12 }, (_, i): LinkSpec[] => [
      { between: `r${i}-r${i + 1}`, igpMetric: 2 ** i, delayUs: 2 ** (12 - i) },
      { between: `r${i}-r${i + 1}#2`, igpMetric: 1, delayUs: 3 * 2 ** (12 - i) },
    ]).flat();
    const routers = Array.from({ length: 13 }, (_, i) => ({ id: `r${i}`, msdHEncaps: 30 }));
    const request = {
      source: 'r0',
      destination: 'r12',
      metric: 'igp',
      constraints: { bounds: [{ metric: 'delay', max: 16_000 }] },
    } as const;
    const exact = ask(request, { nodes: routers, links: ladder });
    const hurried = ask(request, { nodes: routers, links: ladder, options: { workBudget: 100 } });
    const value = (answer: PathsFound) => answer.paths[0]?.metrics.igp ?? NaN;
    expect(exact.optimality).toBe('optimal');
    expect(hurried.optimality).toBe('feasible');
    expect(hurried.lowerBound).toBeLessThanOrEqual(value(exact));
    expect(value(hurried)).toBeGreaterThanOrEqual(value(exact));
    expect(hurried.paths[0]?.metrics.delayUs).toBeLessThanOrEqual(16_000);
  });
});

describe('a host with two links', () => {
  const homed: readonly LinkSpec[] = [...links, { between: 'h1-b', igpMetric: 20, delayUs: 0 }];

  it('sends over the one of least IGP metric, whatever would be shorter', () => {
    expect(ask({}, { links: homed }).paths[0]?.links[0]).toBe('h1:a');
  });

  it.each([{}, { k: 2 }])(
    'keeps both branches to what is allowed, also where one of its links ends at the destination: %j',
    (extra) => {
      const near: LinkSpec[] = [
        { between: 'a-d', igpMetric: 1, delayUs: null },
        { between: 'a-c', delayUs: 10 },
        { between: 'c-d', delayUs: 10 },
        { between: 'h1-a', delayUs: 0 },
        { between: 'h1-d', delayUs: 0 },
      ];
      const request = { metric: 'delay', destination: 'd', families: [], ...extra } as const;
      const answer = ask(request, { nodes: ['a', 'c', 'd', 'h1'], links: near });
      expect(answer.paths[0]?.segmentLists[0]?.proof.worst.delayUs).toBe(20);
    },
  );

  it('takes what keeps a bound on both branches, though the best path does not', () => {
    // To c all the same: a-c is long, b-c short; to d by way of c the branch over a breaks the bound.
    const both: LinkSpec[] = [
      { between: 'a-d', igpMetric: 10, delayUs: 500 },
      { between: 'b-d', igpMetric: 10, delayUs: 100 },
      { between: 'a-c', igpMetric: 1, delayUs: 900 },
      { between: 'b-c', igpMetric: 1, delayUs: 10 },
      { between: 'c-d', igpMetric: 1, delayUs: 10 },
      { between: 'h1-a', delayUs: 0 },
      { between: 'h1-b', delayUs: 0 },
      { between: 'd-h2', delayUs: 0 },
    ];
    const change = { nodes: ['a', 'b', 'c', 'd', 'h1', 'h2'], links: both };
    const answer = ask({ metric: 'delay' }, change);
    expect(answer).toMatchObject({ optimality: 'optimal', lowerBound: 910 });
    expect(answer.paths[0]?.segmentLists[0]?.proof.worst.delayUs).toBe(910);
    expect(() => ask({ metric: 'igp', constraints: { bounds: [{ metric: 'delay', max: 909 }] } }, change)).toThrow(
      'the least delay is 910, above the bound of 909',
    );
  });

  it('splits over equal ones, which is proved on both branches', () => {
    const equal = homed.map((link) => (link.between === 'h1-b' ? { ...link, igpMetric: 10 } : link));
    const list = ask({}, { links: equal }).paths[0]?.segmentLists[0];
    expect(list?.proof).toMatchObject({ singlePath: false, worst: { igp: 40 }, best: { igp: 30 } });
  });
});

describe('a disjoint pair', () => {
  it('reports what single-homed hosts force both paths to share', () => {
    const answer = ask({ disjoint: 'node' });
    expect(answer.paths.map((path) => path.nodes.join(' '))).toEqual(['h1 a b d h2', 'h1 a c d h2']);
    expect(answer.shared).toEqual({ nodes: ['a', 'd'], links: ['d:h2', 'h1:a'], srlgs: [], sites: [] });
    expect(answer.lowerBound).toBe(40 + 60);
  });

  it('ends at different attachment routers when the destination has two', () => {
    const homed: readonly LinkSpec[] = [...links, { between: 'c-h2', igpMetric: 10 }];
    const answer = ask({ disjoint: 'node' }, { links: homed });
    expect(answer.shared).toEqual({ nodes: ['a'], links: ['h1:a'], srlgs: [], sites: [] });
  });

  it('keeps a bound on both paths, with the least sum of all pairs that do', () => {
    const constraints = { bounds: [{ metric: 'delay', max: 1000 } as const] };
    const answer = ask({ disjoint: 'node', constraints });
    for (const path of answer.paths) expect(path.metrics.delayUs).toBeLessThanOrEqual(1000);
    expect(answer).toMatchObject({ optimality: 'optimal', lowerBound: 60 + 70 });
  });

  it('shares the last router all the same when no pair without it keeps the bound', () => {
    const homed: readonly LinkSpec[] = [...links, { between: 'c-h2', igpMetric: 10, delayUs: 9000 }];
    const constraints = { bounds: [{ metric: 'delay', max: 1000 } as const] };
    const answer = ask({ disjoint: 'node', constraints }, { links: homed });
    expect(answer.shared).toEqual({ nodes: ['a', 'd'], links: ['d:h2', 'h1:a'], srlgs: [], sites: [] });
  });
});
