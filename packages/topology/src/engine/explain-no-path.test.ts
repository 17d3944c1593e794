import { describe, expect, it } from 'vitest';
import type { NoPath } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';

//        b          a-b-d: igp 20, delay 2000, red,  5 G, SRLG 7 on b-d
// h1 - a   d - h2
//        c          a-c-d: igp 40, delay  200, blue, 3 G
const nodes: readonly (string | NodeSpec)[] = ['a', 'b', 'c', 'd', 'h1', 'h2', 'lost'];
const links: readonly LinkSpec[] = [
  { between: 'a-b', affinities: ['red'], bandwidthBps: 5e9 },
  { between: 'b-d', affinities: ['red'], bandwidthBps: 5e9, srlgs: [7] },
  { between: 'a-c', affinities: ['blue'], bandwidthBps: 3e9, igpMetric: 20, delayUs: 100 },
  { between: 'c-d', affinities: ['blue'], bandwidthBps: 3e9, igpMetric: 20, delayUs: 100 },
  { between: 'h1-a', affinities: ['blue', 'red'] },
  { between: 'd-h2', affinities: ['blue', 'red'] },
];

function ask(request: Partial<PathRequest>, change: { nodes?: typeof nodes; links?: typeof links } = {}): NoPath {
  const snapshot = freezeSnapshot(buildTed(change.nodes ?? nodes, change.links ?? links));
  const answer = computePaths(snapshot, {
    source: 'h1',
    destination: 'h2',
    metric: 'igp',
    constraints: {},
    ...request,
  });
  if (answer.status !== 'no-path') throw new Error(`found ${answer.paths[0]?.links.join(' ') ?? ''}`);
  return answer;
}

function replaceLink(between: string, change: Partial<LinkSpec>): LinkSpec[] {
  return links.map((link) => (link.between === between ? { ...link, ...change } : link));
}

function replaceNode(id: string, change: Partial<NodeSpec>): (string | NodeSpec)[] {
  return nodes.map((node) => (node === id ? { id, ...change } : node));
}

describe('no path', () => {
  it('names an unknown source or destination', () => {
    expect(ask({ source: 'x' })).toMatchObject({
      reason: 'source-unknown',
      message: expect.stringContaining('x') as string,
    });
    expect(ask({ destination: 'y' }).reason).toBe('destination-unknown');
  });

  it('names the links that are down', () => {
    const down = replaceLink('d-h2', { operationalState: 'down' });
    expect(ask({}, { links: down })).toMatchObject({ reason: 'path-not-found', blockingLinks: ['d:h2'] });
    expect(ask({ source: 'lost', destination: 'a', families: [] })).toMatchObject({ reason: 'path-not-found' });
  });

  it('blames the affinities, with the cut they make', () => {
    const answer = ask({
      constraints: { affinities: { includeAll: ['blue'], excludeAny: ['gold'] }, exclude: { nodes: ['c'] } },
    });
    expect(answer.reason).toBe('resource-excluded');
    expect(ask({ constraints: { affinities: { includeAny: ['gold'] } } })).toMatchObject({
      reason: 'affinity-excluded',
      constraint: '/constraints/affinities',
    });
    const cut = ask({ constraints: { affinities: { includeAll: ['red', 'blue'] } } }).blockingLinks;
    expect(cut).toEqual(['a:b', 'a:c']);
  });

  it('blames excluded nodes and links, naming them', () => {
    expect(ask({ constraints: { exclude: { nodes: ['b', 'c'] } } })).toMatchObject({
      reason: 'resource-excluded',
      constraint: '/constraints/exclude/nodes',
      blockingNodes: ['b', 'c'],
    });
    expect(ask({ constraints: { exclude: { links: ['b:d', 'c:d'] } } })).toMatchObject({
      constraint: '/constraints/exclude/links',
      blockingLinks: ['b:d', 'c:d'],
    });
  });

  it('blames excluded SRLGs', () => {
    const answer = ask({ constraints: { exclude: { srlgs: [7] }, affinities: { includeAll: ['red'] } } });
    expect(answer).toMatchObject({ reason: 'srlg-excluded', constraint: '/constraints/exclude/srlgs' });
    expect(answer.blockingLinks).toEqual(['b:d']);
  });

  it('says how much bandwidth would fit, and where it is short', () => {
    expect(ask({ constraints: { bandwidthBps: 6e9 } })).toMatchObject({
      reason: 'insufficient-bandwidth',
      constraint: '/constraints/bandwidthBps',
      nearestFeasible: 5e9,
      blockingLinks: ['a:b', 'a:c'],
    });
  });

  it('counts a link that the include list makes a path cross twice', () => {
    const there = { source: 'c', destination: 'd', families: [] } as const;
    const twice = { include: [{ node: 'd' }, { node: 'c' }] } as const;
    const narrow = links.filter((link) => link.between === 'c-d');
    const answer = ask({ ...there, constraints: { ...twice, bandwidthBps: 2e9 } }, { links: narrow });
    expect(answer).toMatchObject({ reason: 'insufficient-bandwidth', constraint: '/constraints/bandwidthBps' });
  });

  it('names what the operator drained', () => {
    const drained = [...replaceLink('d-h2', { adminState: 'drained' })];
    expect(ask({}, { links: drained })).toMatchObject({ reason: 'resource-excluded', blockingLinks: ['d:h2'] });
    expect(ask({}, { nodes: replaceNode('a', { adminState: 'down' }) }).message).toContain('by the operator');
  });

  it('names links of unknown delay when delay is optimised', () => {
    const unknown = replaceLink('d-h2', { delayUs: null });
    expect(ask({ metric: 'delay' }, { links: unknown })).toMatchObject({
      reason: 'path-not-found',
      blockingLinks: ['d:h2'],
    });
  });

  it('says which include entry cannot be passed', () => {
    expect(ask({ constraints: { include: [{ node: 'b' }, { node: 'lost' }] } })).toMatchObject({
      reason: 'include-unreachable',
      constraint: '/constraints/include/1',
      blockingNodes: ['lost'],
    });
  });

  it('gives the bound that would be met, alone', () => {
    expect(
      ask({
        constraints: {
          bounds: [
            { metric: 'igp', max: 100 },
            { metric: 'delay', max: 2100 },
          ],
        },
      }),
    ).toMatchObject({
      reason: 'metric-bound-exceeded',
      constraint: '/constraints/bounds/1',
      nearestFeasible: 2200,
    });
  });

  it('gives the bound that would be met with what the headend can push', () => {
    const shallow = nodes.map((node) => ({
      ...(typeof node === 'string' ? { id: node } : node),
      adjacencySids: false,
      ...(node === 'h1' ? { msdHEncaps: 1 } : {}),
    }));
    const bounds = [{ metric: 'delay', max: 2100 }] as const;
    expect(ask({ constraints: { bounds } }, { nodes: shallow }).nearestFeasible).toBe(4000);
  });

  it('gives the bound that would be met, within the others', () => {
    expect(
      ask({
        constraints: {
          bounds: [
            { metric: 'igp', max: 40 },
            { metric: 'delay', max: 3000 },
          ],
        },
      }),
    ).toMatchObject({
      constraint: '/constraints/bounds/1',
      nearestFeasible: 4000,
    });
  });

  it('gives the depth of the shortest encoding when the headend cannot push it', () => {
    const shallow = replaceNode('h1', { msdHEncaps: 1 });
    const answer = ask(
      { metric: 'delay', constraints: { affinities: { excludeAny: ['never'] } } },
      {
        nodes: replaceNode('h1', { msdHEncaps: 0 }),
      },
    );
    expect(answer).toMatchObject({
      reason: 'msd-exceeded',
      nearestFeasible: 1,
      blockingNodes: ['h1'],
      constraint: null,
    });
    const wanted = { metric: 'igp', constraints: { include: [{ node: 'c' }, { node: 'b' }] } } as const;
    expect(ask(wanted, { nodes: shallow }).nearestFeasible).toBeGreaterThan(1);
    expect(ask({ maxSegments: 0 })).toMatchObject({ reason: 'msd-exceeded', constraint: '/maxSegments' });
  });

  it('names the node that lacks a SID', () => {
    expect(ask({}, { nodes: replaceNode('h2', { ownSids: false }) })).toMatchObject({
      reason: 'sid-unresolved',
      blockingNodes: ['h2'],
    });
    expect(ask({}, { nodes: replaceNode('d', { ownSids: false }).map(withoutAdjacencies) })).toMatchObject({
      reason: 'sid-unresolved',
    });
  });

  it('names the single points of failure when nothing is disjoint', () => {
    const bridged: LinkSpec[] = [
      { between: 'h1-a' },
      { between: 'a-b' },
      { between: 'a-b#2' },
      { between: 'b-c' },
      { between: 'c-d' },
      { between: 'c-d#2' },
      { between: 'd-h2' },
    ];
    expect(ask({ disjoint: 'link' }, { links: bridged })).toMatchObject({
      reason: 'disjoint-path-not-found',
      constraint: '/disjoint',
      blockingLinks: ['b:c'],
    });
    expect(ask({ disjoint: 'node' }, { links: bridged.map((link) => link) }).blockingNodes.length).toBeGreaterThan(0);
  });
});

describe('the constraints that conflict', () => {
  const fast = { metric: 'delay', max: 1000 } as const;

  it('are one when one alone leaves no path, with the nearest value and what the path would be then', () => {
    const bounds = [{ metric: 'igp', max: 100 } as const, { metric: 'delay', max: 100 } as const];
    expect(ask({ constraints: { bounds, affinities: { excludeAny: ['gold'] } } }).conflict).toEqual({
      constraints: [{ constraint: '/constraints/bounds/1', nearestFeasible: 2200, metric: 60 }],
      isMinimal: true,
    });
  });

  it('are all that leave no path together, and no others', () => {
    const constraints = {
      bounds: [{ metric: 'delay', max: 3000 } as const],
      bandwidthBps: 4e9,
      exclude: { srlgs: [7] },
    };
    expect(ask({ constraints }).conflict).toEqual({
      constraints: [
        { constraint: '/constraints/bandwidthBps', nearestFeasible: 3e9, metric: 60 },
        { constraint: '/constraints/exclude/srlgs', nearestFeasible: null, metric: null },
      ],
      isMinimal: true,
    });
  });

  it('show no metric where more than they conflict', () => {
    const constraints = { affinities: { includeAll: ['gold'] }, bandwidthBps: 11e9 };
    const { conflict } = ask({ constraints });
    expect(conflict.constraints).toHaveLength(1);
    expect(conflict.constraints[0]).toMatchObject({ nearestFeasible: null, metric: null });
  });

  it('count a list of SIDs that may be too long, and a pair', () => {
    const plain = nodes.map((node) => ({ ...(typeof node === 'string' ? { id: node } : node), adjacencySids: false }));
    const deep = { constraints: { exclude: { nodes: ['b'] } }, maxSegments: 1 };
    expect(ask(deep, { nodes: plain }).conflict.constraints).toEqual([
      { constraint: '/constraints/exclude/nodes', nearestFeasible: null, metric: 40 },
      { constraint: '/maxSegments', nearestFeasible: 2, metric: 60 },
    ]);
    const forOne = { metric: 'delay', max: 2500 } as const;
    expect(ask({ disjoint: 'node', constraints: { bounds: [forOne] } }).conflict.constraints).toEqual([
      { constraint: '/constraints/bounds/0', nearestFeasible: null, metric: 100 },
      { constraint: '/disjoint', nearestFeasible: null, metric: 60 },
    ]);
  });

  it('are none when the network has no path at all', () => {
    const down = replaceLink('d-h2', { operationalState: 'down' });
    const { conflict } = ask({ constraints: { bounds: [fast] } }, { links: down });
    expect(conflict).toEqual({ constraints: [], isMinimal: true });
    expect(ask({ source: 'x' }).conflict).toEqual({ constraints: [], isMinimal: true });
  });

  it('are not known to be few when the work budget ended', () => {
    const snapshot = freezeSnapshot(buildTed(nodes, links));
    const request = {
      source: 'h1',
      destination: 'h2',
      metric: 'igp',
      constraints: { bounds: [fast], bandwidthBps: 9e9 },
    } as const;
    const answer = computePaths(snapshot, request, { workBudget: 10 });
    expect(answer).toMatchObject({ status: 'no-path', conflict: { isMinimal: false } });
    const skipped = computePaths(snapshot, request, { skipConflict: true });
    expect(skipped).toMatchObject({
      status: 'no-path',
      isProved: true,
      conflict: { constraints: [], isMinimal: false },
    });
  });
});

function withoutAdjacencies(node: string | NodeSpec): NodeSpec {
  return { ...(typeof node === 'string' ? { id: node } : node), adjacencySids: false };
}
