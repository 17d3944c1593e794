import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DisjointPathsFound } from '../../model/disjoint-paths.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import { arbitraryGroup, type GroupCase } from '../../testing/arbitrary-group.js';
import { valueOf } from '../../testing/value-of.js';
import { computePaths } from '../compute-paths.js';
import { computeDisjointPaths } from './compute-disjoint.js';
import { memberRequest } from './group-constraints.js';

/** Loss does not add up, nor does it round alike for one path and for several. */
const cases = fc
  .boolean()
  .chain((equal) =>
    arbitraryGroup({ members: 3, equal, bounds: true, ted: { maxRouters: 6, maxLinks: 10, healthy: true } }),
  )
  .filter(({ request }) => request.metric !== 'loss');

/** Of the worst branches, which is what lists are compared by. */
function objectiveOf({ request }: GroupCase, { paths }: DisjointPathsFound): number {
  const values = paths.map(({ segmentLists }) =>
    Math.max(...segmentLists.map(({ proof }) => valueOf(proof.worst, request.metric))),
  );
  return request.objective === 'worst' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
}

describe('a group with a small work budget', () => {
  it('is never told what more work would refute', () => {
    let hurried = 0;
    fc.assert(
      fc.property(cases, fc.integer({ min: 0, max: 1500 }), (one, workBudget) => {
        const snapshot = freezeSnapshot(one.ted);
        const full = computeDisjointPaths(snapshot, one.request, { skipConflict: true });
        const answer = computeDisjointPaths(snapshot, one.request, { workBudget, skipConflict: true });
        if (answer.status === 'no-path') {
          if (!answer.isProved) hurried++;
          else expect(full.status).toBe('no-path');
          const blamed = answer.member === null ? undefined : one.request.members[answer.member];
          const alone = blamed && computePaths(snapshot, memberRequest(one.request, blamed));
          expect(alone?.status).not.toBe('computed');
          return;
        }
        if (answer.optimality === 'feasible') hurried++;
        const own = objectiveOf(one, answer);
        expect(answer.lowerBound).toBeLessThanOrEqual(own);
        if (answer.optimality === 'optimal') expect(answer.lowerBound).toBe(own);
        if (full.status === 'no-path' || full.achieved.join() !== answer.achieved.join()) return;
        if (answer.optimality === 'optimal') expect(own).toBe(objectiveOf(one, full));
        expect(answer.lowerBound).toBeLessThanOrEqual(objectiveOf(one, full));
      }),
      { numRuns: 400 },
    );
    expect(hurried).toBeGreaterThan(0);
  });
});
