import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePaths } from '../engine/compute-paths.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { overlaidSnapshot } from '../snapshot/overlay.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { prove } from './prove.js';

// What a sweep over failures rests on: it looks only at lists that cross something that fails.
describe('a list none of whose branches crosses what fails', () => {
  it('is proved as before, unless a definition of a flexible algorithm fails with its router', () => {
    const cases = arbitraryTed({ maxRouters: 6, maxLinks: 10, cSids: true }).chain((ted) =>
      fc.record({ ted: fc.constant(ted), request: arbitraryRequest(ted, {}) }),
    );
    fc.assert(
      fc.property(cases, ({ ted, request: { source, destination, constraints, metric } }) => {
        const base = freezeSnapshot(ted);
        const answer = computePaths(base, { source, destination, constraints, metric }, { skipConflict: true });
        if (answer.status === 'no-path') return;
        const failures = [
          ...ted.links.map(({ id }) => ({ down: { links: [id] } })),
          ...ted.nodes.map(({ id }) => ({ down: { nodes: [id] } })),
          { down: { srlgs: [1] } },
        ];
        for (const list of answer.paths.flatMap(({ segmentLists }) => segmentLists)) {
          const entries = list.entries.map(({ address }) => address);
          const requirement = { headend: source, destination, constraints };
          const before = prove(base, entries, requirement);
          for (const failure of failures) {
            const failed = overlaidSnapshot(base, failure);
            if (before.load.some(({ linkId }) => !failed.isUsable(failed.arcOf(linkId)))) continue;
            if (failed.data.flexDefinition.some((of, i) => of !== base.data.flexDefinition[i])) continue;
            expect(prove(failed, entries, requirement)).toEqual(before);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
