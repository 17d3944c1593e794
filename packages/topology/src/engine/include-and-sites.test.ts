import { describe, expect, it } from 'vitest';
import type { PathAnswer } from '../model/path-answer.js';
import type { PathConstraints, PathRequest } from '../model/path-request.js';
import { prove } from '../proof/prove.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { buildTed, type LinkSpec, type NodeSpec } from '../testing/build-ted.js';
import { computePaths } from './compute-paths.js';

//        b --- e
// h1 - a |     | d - h2      a-b-d: 20, a-b-e-d: 30, a-c-d: 40
//        c ----+-+
const nodes: readonly (string | NodeSpec)[] = [
  { id: 'a', site: 'home' },
  { id: 'b', site: 'middle' },
  { id: 'c', site: 'south' },
  { id: 'd', site: 'south' },
  'e',
  { id: 'h1', site: 'home' },
  { id: 'h2', site: 'south' },
];
const links: readonly LinkSpec[] = [
  { between: 'a-b' },
  { between: 'b-d' },
  { between: 'b-e' },
  { between: 'e-d' },
  { between: 'a-c', igpMetric: 20 },
  { between: 'c-d', igpMetric: 20 },
  { between: 'b-c', igpMetric: 50 },
  { between: 'h1-a' },
  { between: 'd-h2' },
];
const snapshot = freezeSnapshot(buildTed(nodes, links));

function ask(constraints: PathConstraints, more: Partial<PathRequest> = {}): PathAnswer {
  return computePaths(snapshot, { source: 'h1', destination: 'h2', metric: 'igp', constraints, ...more });
}

function way(constraints: PathConstraints, more: Partial<PathRequest> = {}): string {
  const answer = ask(constraints, more);
  return answer.status === 'computed' ? (answer.paths[0]?.nodes.join(' ') ?? '') : answer.reason;
}

describe('a strict include entry', () => {
  it('comes directly after the entry before, where a loose one may come later', () => {
    expect(way({ include: [{ node: 'b' }, { node: 'c' }] })).toBe('h1 a b a c d h2');
    expect(way({ include: [{ node: 'b' }, { node: 'c', hop: 'strict' }] })).toBe('h1 a b c d h2');
    expect(way({ include: [{ link: 'a:b' }, { node: 'e', hop: 'strict' }, { node: 'd', hop: 'strict' }] })).toBe(
      'h1 a b e d h2',
    );
  });

  it('comes directly after the source when it is the first', () => {
    expect(way({ include: [{ node: 'a', hop: 'strict' }] })).toBe('h1 a b d h2');
    expect(ask({ include: [{ node: 'b', hop: 'strict' }] })).toMatchObject({
      reason: 'include-unreachable',
      constraint: '/constraints/include/0',
      message: 'node b cannot be passed between h1 and h2 directly after the entry before it',
    });
  });

  it('is nothing new when the entry before ends there', () => {
    expect(way({ include: [{ link: 'a:c' }, { node: 'c', hop: 'strict' }] })).toBe('h1 a c d h2');
    expect(way({ include: [{ node: 'c' }, { link: 'a:c', hop: 'strict' }] })).toBe('include-unreachable');
  });

  it('names a whole path when all entries are strict', () => {
    const include = ['a', 'c', 'b', 'e', 'd', 'h2'].map((node) => ({ node, hop: 'strict' as const }));
    expect(way({ include })).toBe('h1 a c b e d h2');
    expect(way({ include: include.filter(({ node }) => node !== 'e') })).toBe('h1 a c b d h2');
    expect(way({ include: include.filter(({ node }) => node !== 'b') })).toBe('include-unreachable');
  });

  it('is proved on every branch', () => {
    const constraints: PathConstraints = { include: [{ node: 'b' }, { node: 'c', hop: 'strict' }] };
    const proof = prove(snapshot, ['fd00:0:2:1::', 'fd00:0:3:1::', 'fd00:0:4:1::', 'fd00:0:7:d4::'], {
      headend: 'h1',
      destination: 'h2',
      constraints,
    });
    // From b to c the IGP goes by d.
    expect(proof.violation).toMatchObject({
      kind: 'include-missed',
      message: 'not every branch passes node c directly after the entry before it',
    });
  });

  it('is kept by each of k paths, though a branch of the IGP would pass the same nodes with another between', () => {
    const ecmp = links.map((link) => (link.between === 'b-d' ? { ...link, igpMetric: 20 } : link));
    const answer = computePaths(freezeSnapshot(buildTed(nodes, ecmp)), {
      source: 'h1',
      destination: 'h2',
      metric: 'igp',
      constraints: { include: [{ node: 'b' }, { node: 'd', hop: 'strict' }] },
      k: 2,
    });
    expect(answer).toMatchObject({ optimality: 'optimal', paths: [{ nodes: ['h1', 'a', 'b', 'd', 'h2'] }, {}] });
  });
});

describe('an excluded site', () => {
  it('closes its nodes, other than the source and the destination themselves', () => {
    expect(way({ exclude: { sites: ['middle'] } })).toBe('h1 a c d h2');
    // The router that h2 hangs on is in between, and at the same site.
    expect(ask({ exclude: { sites: ['south'] } })).toMatchObject({
      reason: 'resource-excluded',
      constraint: '/constraints/exclude/sites',
      blockingLinks: ['d:h2'],
      blockingNodes: ['d'],
    });
    expect(way({ exclude: { sites: ['south'] } }, { destination: 'd', families: [] })).toBe('h1 a b d');
    expect(way({ exclude: { sites: ['nowhere'] } })).toBe('h1 a b d h2');
  });

  it('is proved', () => {
    const requirement = { headend: 'h1', destination: 'h2', constraints: { exclude: { sites: ['middle'] } } };
    expect(prove(snapshot, ['fd00:0:4:1::', 'fd00:0:7:d4::'], requirement).violation).toMatchObject({
      kind: 'resource-excluded',
      node: 'b',
      message: 'node b is at site middle, which is excluded',
    });
  });
});
