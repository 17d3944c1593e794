import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { prove } from '../proof/prove.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest, type RequestShape } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { allowedWalks, walkMetric } from '../testing/path-oracle.js';
import { computePaths } from './compute-paths.js';

function cases(shape: RequestShape) {
  return arbitraryTed({ maxRouters: 5, maxLinks: 7, healthy: true }).chain((ted) =>
    fc.record({
      ted: fc.constant(ted),
      request: arbitraryRequest(ted, shape),
      coRouted: fc.constantFrom('sum' as const, 'worst' as const),
    }),
  );
}

function firstLinks(ted: Ted, source: string): number {
  return ted.links.filter((link) => link.from === source).length;
}

function wayBack(ted: Ted, walk: readonly TedLink[]): TedLink[] {
  return walk.map((link) => ted.links.find((other) => other.id === link.reverseId) as TedLink).reverse();
}

describe.each<[string, RequestShape]>([
  ['constraints on links', {}],
  ['bounds', { bounds: true }],
])('a co-routed pair with %s', (_, shape) => {
  it('is the best of all paths whose way back is allowed too, and both directions keep to it', () => {
    let found = 0;
    fc.assert(
      fc.property(cases(shape), ({ ted, request: plain, coRouted }) => {
        const isHost = (id: string) => ted.nodes.some((node) => node.id === id && node.kind === 'host');
        const { source, destination } = plain;
        fc.pre([source, destination].every((id) => !isHost(id) || firstLinks(ted, id) === 1));
        const request: PathRequest = { ...plain, coRouted };
        const back = { ...plain, source: destination, destination: source };
        const waysBack = new Set(allowedWalks(ted, back).map((walk) => walk.map(({ id }) => id).join()));
        const isAllowedBack = (walk: readonly TedLink[]) =>
          waysBack.has(
            wayBack(ted, walk)
              .map(({ id }) => id)
              .join(),
          );
        const valueOf = (walk: readonly TedLink[]) => {
          const return_ = wayBack(ted, walk);
          if (coRouted === 'sum') return walkMetric([...walk, ...return_], plain.metric);
          return Math.max(walkMetric(walk, plain.metric), walkMetric(return_, plain.metric));
        };
        const best = Math.min(...allowedWalks(ted, plain).filter(isAllowedBack).map(valueOf));
        const snapshot = freezeSnapshot(ted);
        const answer = computePaths(snapshot, request);
        if (answer.status === 'no-path') {
          expect([answer.message, best]).toEqual([answer.message, Infinity]);
          return;
        }
        found++;
        const [there, return_] = answer.paths;
        const walk = (there?.links ?? []).map((id) => ted.links.find((link) => link.id === id) as TedLink);
        expect(return_?.links).toEqual(wayBack(ted, walk).map(({ id }) => id));
        expect([answer.optimality, valueOf(walk), answer.lowerBound]).toEqual(['optimal', best, best]);
        for (const [path, { source: headend, destination: end }] of [
          [there, plain],
          [return_, back],
        ] as const) {
          for (const { segments } of path?.segmentLists ?? []) {
            const sids = segments.map(({ sid }) => sid);
            const proof = prove(snapshot, sids, { headend, destination: end, constraints: plain.constraints });
            expect([proof.violation, proof.singlePath]).toEqual([null, true]);
            expect(proof.load.map(({ linkId }) => linkId)).toEqual([...(path?.links ?? [])].sort());
          }
        }
      }),
      { numRuns: 150 * 10, endOnFailure: true },
    );
    expect(found).toBeGreaterThan(0);
  });
});
