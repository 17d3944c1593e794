import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathRequest } from '../model/path-request.js';
import type { Sid, Ted } from '../model/ted.js';
import { prove } from '../proof/prove.js';
import { finalEndSid, serviceFamilies, serviceSidOf } from '../segments/owned-sids.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { valueOf } from '../testing/value-of.js';
import { naiveContainer } from '../testing/naive-container.js';
import { computePaths } from './compute-paths.js';

const cases = fc
  .record({
    bounds: fc.boolean(),
    include: fc.boolean(),
    healthy: fc.boolean(),
    endpointLimits: fc.boolean(),
    maxSegments: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  })
  .chain(({ healthy, endpointLimits, maxSegments, ...shape }) =>
    arbitraryTed({ maxRouters: 4, maxLinks: 5, healthy, endpointLimits, cSids: true }).chain((ted) =>
      fc.record({
        ted: fc.constant(ted),
        request: arbitraryRequest(ted, shape).map((request): PathRequest => {
          return maxSegments === undefined ? request : { ...request, maxSegments };
        }),
      }),
    ),
  );

interface BestOfAll {
  readonly worst: number;
  readonly entries: number;
}

const NONE: BestOfAll = { worst: Infinity, entries: Infinity };

/** Every way to cut a list of SIDs into entries. */
function cuts(sids: readonly Sid[]): string[][] {
  if (sids.length === 0) return [[]];
  return sids.flatMap((_, i) => {
    const head = naiveContainer(sids.slice(0, i + 1));
    return head === null ? [] : cuts(sids.slice(i + 1)).map((rest) => [head, ...rest]);
  });
}

/** The best of all lists of up to two SIDs in front of the final one, none anycast, each cut in all ways, by proving all. */
function tryAll(ted: Ted, request: PathRequest): BestOfAll {
  const snapshot = freezeSnapshot(ted);
  const { source, destination, metric, constraints, maxSegments } = request;
  const owner = ted.nodes.find((node) => node.id === destination);
  const tail = snapshot.nodeIndexOf(destination);
  const services = serviceFamilies(snapshot, tail).map((family) =>
    snapshot.sidTextOf(serviceSidOf(snapshot, tail, family)),
  );
  const end = finalEndSid(snapshot, tail);
  const texts = services.length > 0 ? services : end === undefined ? [] : [snapshot.sidTextOf(end)];
  if (texts.length === 0) return NONE;
  const finals = texts.map((text) => owner?.sids.find(({ sid }) => sid === text));
  const requirement = {
    headend: source,
    destination,
    constraints,
    ...(maxSegments === undefined ? {} : { maxSegments }),
  };
  const bestCut = (sids: readonly Sid[]): BestOfAll => {
    let best = NONE;
    for (const entries of cuts(sids)) {
      if (entries.length >= best.entries) continue;
      const proof = prove(snapshot, entries, requirement);
      if (proof.ok) best = { worst: valueOf(proof.worst, metric), entries: entries.length };
    }
    return best;
  };
  const transportSids = ted.nodes
    .flatMap((node) => node.sids.filter((sid) => !sid.behavior.startsWith('End.DT')))
    .filter(({ sid }, _, all) => all.filter((other) => other.sid === sid).length === 1);
  let best = NONE;
  let lists: Sid[][] = [[]];
  for (let count = 0; count <= 2; count++) {
    for (const list of lists) {
      const all = finals.map((final) => (final === undefined ? NONE : bestCut([...list, final])));
      const worst = Math.max(...all.map((one) => one.worst));
      const entries = Math.max(...all.map((one) => one.entries));
      if (worst < best.worst || (worst === best.worst && entries < best.entries)) best = { worst, entries };
    }
    lists = lists.flatMap((list) => transportSids.map((sid) => [...list, sid]));
  }
  return best;
}

describe('an answer where SIDs are packed', () => {
  it('is the best list of all, in the fewest entries: routers with and without C-SIDs, several blocks, opaque SIDs', () => {
    let found = 0;
    fc.assert(
      fc.property(cases, ({ ted, request }) => {
        fc.pre(request.constraints.bandwidthBps === undefined);
        const answer = computePaths(freezeSnapshot(ted), request);
        const best = tryAll(ted, request);
        if (answer.status === 'no-path') {
          expect([answer.reason, best.worst]).toEqual([answer.reason, Infinity]);
          return;
        }
        found++;
        expect(answer.optimality).toBe('optimal');
        const lists = answer.paths[0]?.segmentLists ?? [];
        const worst = Math.max(...lists.map((list) => valueOf(list.proof.worst, request.metric)));
        expect(worst).toBe(answer.lowerBound);
        expect(best.worst).toBeGreaterThanOrEqual(worst);
        const entries = Math.max(...lists.map((list) => list.entries.length));
        // Of loss, lists that differ can be equal when rounded to ppm.
        if (best.worst === worst && request.metric !== 'loss') expect(entries).toBeLessThanOrEqual(best.entries);
      }),
      { numRuns: 200 },
    );
    expect(found).toBeGreaterThan(15);
  });
});
