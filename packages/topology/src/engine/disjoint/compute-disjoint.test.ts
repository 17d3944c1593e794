import { describe, expect, it } from 'vitest';
import type {
  DisjointMember,
  DisjointPathsFound,
  DisjointRequest,
  NoDisjointPaths,
} from '../../model/disjoint-paths.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../../testing/build-ted.js';
import type { ComputeOptions } from '../compute-options.js';
import { computeDisjointPaths } from './compute-disjoint.js';

//      b
//    /   \         a-b-e: igp 20; a-c-e: igp 40; a-d-e: igp 60
//   a  c  e        SRLG 1: a-b and d-e; SRLG 2: c-e; sites: b and d in "north"
//    \   /
//      d
const nodes: readonly (string | NodeSpec)[] = [
  'a',
  { id: 'b', site: 'north' },
  'c',
  { id: 'd', site: 'north' },
  'e',
  'h1',
  'h2',
];
const links: readonly LinkSpec[] = [
  { between: 'a-b', srlgs: [1] },
  { between: 'b-e' },
  { between: 'a-c', igpMetric: 20 },
  { between: 'c-e', igpMetric: 20, srlgs: [2] },
  { between: 'a-d', igpMetric: 30 },
  { between: 'd-e', igpMetric: 30, srlgs: [1] },
  { between: 'h1-a' },
  { between: 'e-h2' },
];

interface Change {
  readonly nodes?: readonly (string | NodeSpec)[];
  readonly links?: readonly LinkSpec[];
  readonly options?: ComputeOptions;
}

const member: DisjointMember = { source: 'a', destination: 'e', constraints: {}, families: [] };
const toHost: DisjointMember = { source: 'h1', destination: 'h2', constraints: {} };

function ask(request: Partial<DisjointRequest>, change: Change = {}) {
  const snapshot = freezeSnapshot(buildTed(change.nodes ?? nodes, change.links ?? links));
  const full: DisjointRequest = { members: [member, member], metric: 'igp', disjoint: ['node'], ...request };
  return computeDisjointPaths(snapshot, full, change.options);
}

function found(request: Partial<DisjointRequest>, change: Change = {}): DisjointPathsFound {
  const answer = ask(request, change);
  if (answer.status === 'no-path') throw new Error(answer.message);
  return answer;
}

function refused(request: Partial<DisjointRequest>, change: Change = {}): NoDisjointPaths {
  const answer = ask(request, change);
  if (answer.status === 'computed') throw new Error(answer.paths.map((path) => path.nodes.join(' ')).join(', '));
  return answer;
}

function ways(answer: DisjointPathsFound): string[] {
  return answer.paths.map((path) => path.nodes.join(''));
}

describe('a group of requests', () => {
  it('gets paths that share nothing of any kind asked for', () => {
    expect(ways(found({}))).toEqual(['abe', 'ace']);
    expect(ways(found({ disjoint: ['srlg'] }))).toEqual(['abe', 'ace']);
    const [b, d] = [{ nodes: ['b'] }, { nodes: ['d'] }];
    const both = (exclude: object) => [member, { ...member, constraints: { exclude } }];
    expect(ways(found({ members: both({ nodes: ['c'] }) }))).toEqual(['ace', 'abe']);
    // b and d are in one site, a-b and d-e in one SRLG: one of the two has to take the way over c.
    expect(ways(found({ members: both(d), disjoint: ['site'] }))).toEqual(['abe', 'ace']);
    expect(ways(found({ members: both({ ...d, links: ['a:c'] }), disjoint: ['srlg'] }))).toEqual(['ace', 'abe']);
    expect(ways(found({ members: both({ ...b, links: ['a:c'] }), disjoint: ['site', 'srlg'] }))).toEqual([
      'ace',
      'ade',
    ]);
  });

  it('gets the least sum, or the best worst member', () => {
    // Alone, b-c and b-e are nearest over b; together they have to make way for each other.
    const square: readonly LinkSpec[] = [
      { between: 's-m', igpMetric: 1 },
      { between: 'm-t', igpMetric: 1 },
      { between: 's-x', igpMetric: 6 },
      { between: 'x-t', igpMetric: 6 },
      { between: 'u-m', igpMetric: 1 },
      { between: 'm-v', igpMetric: 1 },
      { between: 'u-y', igpMetric: 2 },
      { between: 'y-v', igpMetric: 13 },
    ];
    const members = [
      { source: 's', destination: 't', constraints: {}, families: [] },
      { source: 'u', destination: 'v', constraints: {}, families: [] },
    ];
    const change = { nodes: ['s', 't', 'u', 'v', 'm', 'x', 'y'], links: square };
    expect(found({ members }, change)).toMatchObject({ optimality: 'optimal', lowerBound: 14 });
    const worst = found({ members, objective: 'worst' }, change);
    expect([ways(worst), worst.lowerBound]).toEqual([['sxt', 'umv'], 12]);
  });

  it('reports what single-homed hosts share, and lets it carry no more than it can', () => {
    const answer = found({ members: [toHost, toHost] });
    expect(answer.shared).toEqual({ nodes: ['a', 'e'], links: ['e:h2', 'h1:a'], srlgs: [], sites: [] });
    const half = { ...toHost, constraints: { bandwidthBps: 5e9 } };
    const more = { ...toHost, constraints: { bandwidthBps: 6e9 } };
    expect(found({ members: [half, half] }).achieved).toEqual(['node']);
    expect(refused({ members: [half, more] })).toMatchObject({
      reason: 'insufficient-bandwidth',
      isProved: true,
      blockingLinks: ['h1:a'],
    });
  });

  it('keeps every ECMP branch of a member away from the others', () => {
    const tied = links.map((link) => ({ ...link, igpMetric: 10, srlgs: [] }));
    const answer = found({ members: [member, member, member] }, { links: tied });
    expect(new Set(ways(answer))).toEqual(new Set(['abe', 'ace', 'ade']));
    for (const path of answer.paths) expect(path.segmentLists[0]?.proof.singlePath).toBe(true);
  });

  it('finds the lists that a headend can push, where those of the best paths are too long', () => {
    // Without a SID in front of the last, packets go where the IGP sends them: over b.
    const plain = nodes.map((node) => ({ ...(typeof node === 'string' ? { id: node } : node), adjacencySids: false }));
    const shallow = { ...member, maxSegments: 0 };
    const answer = refused({ members: [shallow, shallow] }, { nodes: plain });
    expect(answer).toMatchObject({ reason: 'disjoint-path-not-found', isProved: true, member: null });
    expect(ways(found({ members: [shallow, member] }, { nodes: plain }))).toEqual(['abe', 'ace']);
    expect(ways(found({ members: [member, shallow] }, { nodes: plain }))).toEqual(['ace', 'abe']);
  });
});

describe('a group that cannot be disjoint as asked', () => {
  const bridge: readonly LinkSpec[] = [...links.slice(0, 6), { between: 'e-f' }, { between: 'e-f#2' }];
  const beyond = { ...member, destination: 'f' };

  it('is refused with the cut, and its proof', () => {
    const three = [beyond, beyond, beyond];
    expect(refused({ members: [beyond, beyond] }, { nodes: [...nodes, 'f'], links: bridge })).toMatchObject({
      reason: 'disjoint-path-not-found',
      constraint: '/disjoint',
      isProved: true,
      blockingNodes: ['e'],
      message: 'there are no node-disjoint paths: every path from a to f passes node e',
    });
    expect(
      refused({ members: three, disjoint: ['link'] }, { nodes: [...nodes, 'f'], links: bridge }).blockingLinks,
    ).toEqual(['e:f', 'e:f:2']);
    const oneDuct = links.map((link) => (link.between === 'a-c' ? { ...link, srlgs: [1] } : link));
    expect(refused({ disjoint: ['srlg'] }, { links: oneDuct })).toMatchObject({
      blockingSrlgs: [1],
      isProved: true,
    });
    const oneSite = nodes.map((node) => (node === 'c' ? { id: 'c', site: 'north' } : node));
    expect(refused({ disjoint: ['site'] }, { nodes: oneSite })).toMatchObject({ blockingSites: ['north'] });
  });

  it('falls back to the strongest weaker level, and at last to the fewest shared links', () => {
    const change = { nodes: [...nodes, 'f'], links: bridge };
    const answer = found({ members: [beyond, beyond], disjoint: ['site', 'srlg'], mode: 'relaxed' }, change);
    expect(answer.achieved).toEqual(['link']);
    expect(answer.unachieved.map(({ disjoint }) => disjoint)).toEqual([['site', 'srlg'], ['node', 'srlg'], ['node']]);
    const single = { ...change, links: bridge.slice(0, -1) };
    const last = found({ members: [beyond, beyond, beyond], disjoint: ['link'], mode: 'relaxed' }, single);
    expect([last.achieved, last.shared.links, last.lowerBound]).toEqual([[], ['e:f'], 150]);
  });

  it('lets links that are shared at last carry no more than they can', () => {
    const change = { nodes: [...nodes, 'f'], links: bridge.slice(0, -1) };
    const wide = (bandwidthBps: number) => ({ ...beyond, constraints: { bandwidthBps } });
    const two = (one: number, other: number): Partial<DisjointRequest> => ({
      members: [wide(one), wide(other)],
      mode: 'relaxed',
    });
    const { shared, lowerBound: metric } = found(two(4e9, 6e9), change);
    expect(shared.links).toEqual(['e:f']);
    const refusedBoth = refused(two(4e9, 7e9), change);
    expect(refusedBoth).toMatchObject({ isProved: true, constraint: null });
    expect(refusedBoth.conflict).toEqual({
      isMinimal: true,
      constraints: [
        { constraint: '/members/0/constraints/bandwidthBps', nearestFeasible: 3e9, metric },
        { constraint: '/members/1/constraints/bandwidthBps', nearestFeasible: 6e9, metric },
      ],
    });
  });

  it('names constraints of several members, and the disjointness, where any of them less would do', () => {
    const within = (max: number) => ({ ...member, constraints: { bounds: [{ metric: 'igp', max } as const] } });
    const answer = refused({ members: [within(20), within(20)] });
    const [one, other, apart] = answer.conflict.constraints;
    expect([one, other]).toMatchObject([
      { constraint: '/members/0/constraints/bounds/0', nearestFeasible: found({}).lowerBound - 20 },
      { constraint: '/members/1/constraints/bounds/0', nearestFeasible: found({}).lowerBound - 20 },
    ]);
    expect(apart).toEqual({ constraint: '/disjoint', nearestFeasible: null, metric: 40 });
    expect(answer.conflict).toMatchObject({ constraints: { length: 3 }, isMinimal: true });
  });

  it('is told from one for which the budget did not suffice', () => {
    const options = { workBudget: 1 };
    const three = [beyond, { ...beyond, destination: 'e' }];
    expect(
      refused({ members: three, disjoint: ['srlg'] }, { nodes: [...nodes, 'f'], links: bridge, options }),
    ).toMatchObject({ isProved: false, reason: 'disjoint-path-not-found' });
  });

  it('is refused by the member that has no path even by itself', () => {
    const narrow = { ...member, constraints: { bounds: [{ metric: 'igp', max: 19 } as const] } };
    expect(refused({ members: [member, narrow] })).toMatchObject({
      reason: 'metric-bound-exceeded',
      member: 1,
      constraint: '/members/1/constraints/bounds/0',
      nearestFeasible: 20,
    });
    expect(refused({ members: [member, { ...member, destination: 'nowhere' }] })).toMatchObject({
      reason: 'destination-unknown',
      member: 1,
    });
  });
});
