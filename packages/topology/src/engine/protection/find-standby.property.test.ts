import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ComputedPath } from '../../model/path-answer.js';
import type { Disjointness, PathRequest } from '../../model/path-request.js';
import type { Ted } from '../../model/ted.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { AFFINITIES, arbitraryTed } from '../../testing/arbitrary-ted.js';
import { allowedWalks, walkMetric } from '../../testing/path-oracle.js';
import { computePaths } from '../compute-paths.js';

const KINDS: readonly Disjointness[] = ['link', 'node', 'srlg', 'site'];

/** Between routers: nothing is forced to be shared but the ends. */
const scenarios = arbitraryTed({ maxRouters: 5, maxLinks: 8, healthy: true, routing: 'never' }).chain((ted) => {
  const node = fc.constantFrom(...ted.nodes.filter(({ kind }) => kind === 'router').map(({ id }) => id));
  return fc
    .record({
      ted: fc.constant(ted),
      source: node,
      destination: node,
      metric: fc.constantFrom('igp' as const, 'te' as const, 'delay' as const),
      excludeAny: fc.subarray([...AFFINITIES], { maxLength: 1 }),
      kinds: fc.subarray([...KINDS], { minLength: 1 }),
      mode: fc.constantFrom('strict' as const, 'relaxed' as const),
    })
    .filter(({ source, destination }) => source !== destination);
});

/** Everything of these kinds that a path between two routers uses, other than its ends and what comes with them. */
function risksOf(
  ted: Ted,
  links: readonly string[],
  ends: readonly string[],
  kinds: readonly Disjointness[],
): Set<string> {
  const link = (id: string) => ted.links.find((entry) => entry.id === id);
  const siteOf = (id: string) => ted.nodes.find((node) => node.id === id)?.site ?? null;
  const risks = links.flatMap((id) => {
    const entry = link(id);
    const reverse = link(entry?.reverseId ?? '');
    const touched = [entry?.from ?? '', entry?.to ?? ''].filter((node) => !ends.includes(node));
    const sites = [entry?.from ?? '', entry?.to ?? '']
      .map(siteOf)
      .filter((site) => site !== null && !ends.map(siteOf).includes(site));
    return [
      `link ${[id, reverse?.id ?? ''].sort().join()}`,
      ...(kinds.includes('srlg')
        ? [entry, reverse].flatMap((one) => (one?.srlgs ?? []).map((group) => `srlg ${group}`))
        : []),
      ...(kinds.includes('node') || kinds.includes('site') ? touched.map((node) => `node ${node}`) : []),
      ...(kinds.includes('site') ? sites.map((site) => `site ${String(site)}`) : []),
    ];
  });
  return new Set(risks);
}

function crossedBy(path: ComputedPath | undefined): readonly string[] {
  return path?.links ?? [];
}

describe('a standby', () => {
  it('is the best path without what the primary uses, and leaves the primary as it is', () => {
    fc.assert(
      fc.property(scenarios, ({ ted, source, destination, metric, excludeAny, kinds, mode }) => {
        const snapshot = freezeSnapshot(ted);
        // One branch only, so that a path says all of what its packets cross.
        const request: PathRequest = {
          source,
          destination,
          metric,
          families: [],
          constraints: { affinities: { excludeAny }, bandwidthBps: 1 },
        };
        const plain = computePaths(snapshot, request);
        const answer = computePaths(snapshot, { ...request, protection: { standby: { disjoint: kinds, mode } } });
        if (answer.status === 'no-path') return;
        const [primary] = answer.paths;
        const unprotected = answer.paths.map((path) => ({ ...path, protection: undefined }));
        expect({ ...answer, paths: unprotected }).toEqual(plain);
        const standby = primary?.protection?.standby;
        const ends = [source, destination];
        const walks = allowedWalks(ted, request);
        const own = risksOf(ted, crossedBy(primary), ends, kinds);
        const disjoint = walks.filter((walk) => {
          const risks = risksOf(
            ted,
            walk.map(({ id }) => id),
            ends,
            kinds,
          );
          return [...risks].every((risk) => !own.has(risk));
        });
        const least = Math.min(...disjoint.map((walk) => walkMetric(walk, metric)));
        if (standby?.status === 'computed' && standby.unachieved.length === 0) {
          const { path } = standby;
          const links = path.links.map((id) => ted.links.find((link) => link.id === id));
          expect(
            walkMetric(
              links.flatMap((link) => link ?? []),
              metric,
            ),
          ).toBe(least);
          expect([...risksOf(ted, path.links, ends, kinds)].filter((risk) => own.has(risk))).toEqual([]);
        } else {
          expect(least).toBe(Infinity);
          expect(standby?.unachieved[0]?.isProved).toBe(true);
        }
        if (mode === 'strict') return;
        const sharedLinks = (links: readonly string[]) => {
          const risks = risksOf(ted, crossedBy(primary), ends, ['link']);
          return [...risksOf(ted, links, ends, ['link'])].filter((risk) => risks.has(risk)).length;
        };
        if (standby?.status !== 'computed') return;
        if (standby.achieved.length > 0) expect(standby.shared.links).toEqual([]);
        else {
          const fewest = Math.min(...walks.map((walk) => sharedLinks(walk.map(({ id }) => id))));
          expect(sharedLinks(standby.path.links)).toBe(fewest);
        }
      }),
      { numRuns: 500 },
    );
  });
});
