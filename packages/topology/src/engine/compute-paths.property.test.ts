import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathsFound } from '../model/path-answer.js';
import type { PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { prove } from '../proof/prove.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest, type RequestShape } from '../testing/arbitrary-request.js';
import { arbitraryTed, type TedShape } from '../testing/arbitrary-ted.js';
import { allowedWalks, walkMetric } from '../testing/path-oracle.js';
import { computePaths } from './compute-paths.js';

const small: TedShape = { maxRouters: 5, maxLinks: 8 };
const tiny: TedShape = { maxRouters: 4, maxLinks: 5 };

function cases(ted: TedShape, request: RequestShape) {
  return arbitraryTed(ted).chain((one) =>
    fc.record({ ted: fc.constant(one), request: arbitraryRequest(one, request) }),
  );
}

/** Its first packets all take one link, as the search assumes. */
function hasOneFirstLink(ted: Ted, source: string): boolean {
  const node = ted.nodes.find((entry) => entry.id === source);
  return node?.kind !== 'host' || ted.links.filter((link) => link.from === source).length === 1;
}

/** Nothing in an answer may be believed without an own proof. */
function expectProved(ted: Ted, request: PathRequest, answer: PathsFound): void {
  const snapshot = freezeSnapshot(ted);
  for (const path of answer.paths) {
    expect(path.segmentLists.length).toBeGreaterThan(0);
    for (const list of path.segmentLists) {
      const proof = prove(
        snapshot,
        list.segments.map((segment) => segment.sid),
        { headend: request.source, destination: request.destination, constraints: request.constraints },
      );
      expect(proof.violation).toBeNull();
      const carried = new Set(proof.load.map((entry) => entry.linkId));
      if (hasOneFirstLink(ted, request.source)) for (const link of path.links) expect(carried.has(link)).toBe(true);
    }
  }
}

function cheapest(walks: readonly (readonly TedLink[])[], request: PathRequest): number {
  return Math.min(...walks.map((walk) => walkMetric(walk, request.metric)));
}

describe.each<[string, RequestShape, number]>([
  ['constraints on links', {}, 500],
  ['bounds', { bounds: true }, 500],
  ['an include list', { include: true }, 300],
  ['bounds and an include list', { bounds: true, include: true }, 300],
])('a path with %s', (_, shape, numRuns) => {
  it('is the best of all that exist, where every node and link has its SIDs', () => {
    let found = 0;
    fc.assert(
      fc.property(cases({ ...(shape.include === true ? tiny : small), healthy: true }, shape), ({ ted, request }) => {
        fc.pre(hasOneFirstLink(ted, request.source));
        const answer = computePaths(freezeSnapshot(ted), request);
        const best = cheapest(allowedWalks(ted, request), request);
        if (answer.status === 'no-path') {
          expect([answer.reason, best]).toEqual([answer.reason, Infinity]);
          return;
        }
        found++;
        expectProved(ted, request, answer);
        const value = walkMetric(linksOf(ted, answer.paths[0]?.links ?? []), request.metric);
        expect(answer.optimality).toBe('optimal');
        expect([answer.lowerBound, value]).toEqual([best, best]);
      }),
      { numRuns },
    );
    expect(found).toBeGreaterThan(numRuns / 20);
  });

  it('passes its proof, and never claims to be better than the best, whatever is broken', () => {
    const limited = { ...(shape.include === true ? tiny : small), endpointLimits: true };
    fc.assert(
      fc.property(cases(limited, shape), ({ ted, request }) => {
        const answer = computePaths(freezeSnapshot(ted), request);
        if (answer.status === 'no-path') {
          expect(answer.message).not.toBe('');
          return;
        }
        const best = cheapest(allowedWalks(ted, request), request);
        if (answer.optimality === 'optimal') expect(answer.lowerBound).toBeGreaterThanOrEqual(best);
        expectProved(ted, request, answer);
        expect(computePaths(freezeSnapshot(ted), request)).toEqual(answer);
      }),
      { numRuns },
    );
  });
});

describe('ranked paths', () => {
  it.each<[string, RequestShape]>([
    ['without bounds', {}],
    ['within bounds', { bounds: true }],
  ])('are the cheapest loopless ones in ascending order, %s', (_, shape) => {
    fc.assert(
      fc.property(cases({ ...small, healthy: true }, shape), fc.integer({ min: 2, max: 6 }), ({ ted, request }, k) => {
        fc.pre(hasOneFirstLink(ted, request.source));
        const answer = computePaths(freezeSnapshot(ted), { ...request, k });
        const costs = allowedWalks(ted, request).map((walk) => walkMetric(walk, request.metric));
        const expected = costs.sort((a, b) => a - b).slice(0, k);
        const paths = answer.status === 'computed' ? answer.paths : [];
        expect(paths.map((path) => walkMetric(linksOf(ted, path.links), request.metric))).toEqual(expected);
        expect(new Set(paths.map((path) => path.links.join(' '))).size).toBe(paths.length);
        if (answer.status === 'computed') expectProved(ted, request, answer);
      }),
      { numRuns: 250 },
    );
  });
});

function linksOf(ted: Ted, ids: readonly string[]): TedLink[] {
  return ids.map((id) => ted.links.find((link) => link.id === id)).filter((link) => link !== undefined);
}
