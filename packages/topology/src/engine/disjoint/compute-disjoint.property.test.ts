import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DisjointAnswer, DisjointMember, DisjointPathsFound } from '../../model/disjoint-paths.js';
import type { Shared } from '../../model/path-answer.js';
import type { Ted, TedLink } from '../../model/ted.js';
import { prove } from '../../proof/prove.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import {
  arbitraryGroup,
  kindsIn,
  KINDS,
  levelsOf,
  type GroupCase,
  type GroupShape,
} from '../../testing/arbitrary-group.js';
import { bestGroup, risksOf } from '../../testing/group-oracle.js';
import { allowedWalks, walkMetric } from '../../testing/path-oracle.js';
import { computeDisjointPaths } from './compute-disjoint.js';

function linksOf(ted: Ted, ids: readonly string[]): TedLink[] {
  return ids.map((id) => ted.links.find((link) => link.id === id)).filter((link) => link !== undefined);
}

function expectProved({ ted, request }: GroupCase, answer: DisjointPathsFound): void {
  const snapshot = freezeSnapshot(ted);
  answer.paths.forEach((path, i) => {
    const { source, destination, constraints } = request.members[i] as DisjointMember;
    expect([path.nodes[0], path.nodes.at(-1)]).toEqual([source, destination]);
    for (const list of path.segmentLists) {
      const sids = list.segments.map(({ sid }) => sid);
      expect(prove(snapshot, sids, { headend: source, destination, constraints }).violation).toBeNull();
    }
  });
}

function valueOf({ ted, request }: GroupCase, answer: DisjointPathsFound): number {
  const walks = answer.paths.map((path) => linksOf(ted, path.links));
  if (request.objective === 'sum') return walkMetric(walks.flat(), request.metric);
  return Math.max(...walks.map((walk) => walkMetric(walk, request.metric)));
}

/** More members than the cut has parts cannot do without it. */
function expectCut({ ted, request }: GroupCase, blocking: Shared): void {
  const names = new Set([
    ...blocking.nodes.map((id) => `node ${id}`),
    ...linksOf(ted, blocking.links).map((link) => `link ${[link.id, link.reverseId].sort().join()}`),
    ...blocking.srlgs.map((group) => `srlg ${group}`),
    ...blocking.sites.map((site) => `site ${site}`),
  ]);
  if (names.size === 0) return;
  const bound = request.members.filter((member) =>
    allowedWalks(ted, { ...member, metric: request.metric }).every((walk) =>
      [...risksOf(ted, walk, KINDS)].some((risk) => names.has(risk)),
    ),
  );
  expect(bound.length).toBeGreaterThan(names.size);
}

function check(one: GroupCase, answer: DisjointAnswer): void {
  const { ted, request } = one;
  const levels = levelsOf(request);
  const at = levels.findIndex((level) => bestGroup(ted, request, kindsIn(level)) !== null);
  const best = at < 0 ? null : bestGroup(ted, request, kindsIn(levels[at] ?? ''));
  if (answer.status === 'no-path') {
    expect([answer.reason, answer.message, at]).toEqual([answer.reason, answer.message, -1]);
    expect(answer.isProved).toBe(true);
    const { blockingNodes: nodes, blockingLinks: links, blockingSrlgs: srlgs, blockingSites: sites } = answer;
    if (answer.reason === 'disjoint-path-not-found') expectCut(one, { nodes, links, srlgs, sites });
    return;
  }
  expect(answer.achieved).toEqual((levels[at] ?? 'none').split(' ').filter((kind) => kind !== ''));
  expect(answer.unachieved.map(({ disjoint }) => disjoint.join(' '))).toEqual(levels.slice(0, at));
  for (const { blocking, isProved } of answer.unachieved) {
    expect(isProved).toBe(true);
    expectCut(one, blocking);
  }
  expectProved(one, answer);
  expect([answer.optimality, valueOf(one, answer), answer.lowerBound]).toEqual(['optimal', best?.value, best?.value]);
}

describe.each<[string, Omit<GroupShape, 'ted'>, number]>([
  ['two equal requests', { members: 2, equal: true }, 120],
  ['two requests', { members: 2, equal: false }, 120],
  ['two requests with bounds', { members: 2, equal: false, bounds: true }, 100],
  ['three equal requests', { members: 3, equal: true }, 80],
  ['three requests', { members: 3, equal: false, bounds: true }, 80],
])('%s', (_, shape, numRuns) => {
  it('get the best disjoint paths of all combinations, or the strongest level that there is', () => {
    let found = 0;
    fc.assert(
      fc.property(arbitraryGroup({ ...shape, ted: { maxRouters: 5, maxLinks: 8, healthy: true } }), (one) => {
        const answer = computeDisjointPaths(freezeSnapshot(one.ted), one.request);
        if (answer.status === 'computed') found++;
        check(one, answer);
      }),
      { numRuns },
    );
    expect(found).toBeGreaterThan(0);
  });
});
