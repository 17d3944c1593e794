import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ted } from '../model/ted.js';
import { prove } from '../proof/prove.js';
import { igpDistancesTo } from '../segments/igp-distances.js';
import { deriveSnapshot } from '../snapshot/derive-snapshot.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { snapshotFromShared, snapshotToShared } from '../snapshot/shared-snapshot.js';
import { snapshotChanges } from '../snapshot/snapshot-changes.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { arbitraryChange, withChanges } from '../testing/arbitrary-changes.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { computePaths } from './compute-paths.js';

interface Question {
  readonly request: Parameters<typeof computePaths>[1];
  readonly sids: readonly string[];
}

const question = (ted: Ted): fc.Arbitrary<Question> => {
  const sids = ted.nodes.flatMap((node) => node.sids.map(({ sid }) => sid));
  return fc.record({
    request: fc.boolean().chain((bounds) => arbitraryRequest(ted, { bounds })),
    sids: fc.array(fc.constantFrom(...(sids.length === 0 ? ['::1'] : sids)), { maxLength: 3 }),
  });
};

const step = fc.record({
  changes: fc.array(arbitraryChange, { maxLength: 3 }),
  /** Which revision it is derived from, counted back from the newest. */
  back: fc.constantFrom(0, 0, 0, 1),
  /** As a worker gets it: from the memory of another thread. */
  isShared: fc.boolean(),
  /** Which questions are asked at once; what others would have found is not there to be carried over. */
  asked: fc.array(fc.nat(), { maxLength: 3 }),
});

const scenario = arbitraryTed({ maxRouters: 5, maxLinks: 8, cSids: true }).chain((ted) =>
  fc.record({
    ted: fc.constant(ted),
    questions: fc.array(question(ted), { minLength: 1, maxLength: 4 }),
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  }),
);

function answersOf(snapshot: Snapshot, { request, sids }: Question) {
  const { source: headend, destination } = request;
  const node = snapshot.nodeIndexOf(destination);
  return {
    answer: computePaths(snapshot, request),
    proof: prove(snapshot, sids, { headend, destination }),
    distances: [...igpDistancesTo(snapshot, node)],
  };
}

describe('what is carried over from one snapshot to the next', () => {
  it('gives the answers, proofs and distances of a snapshot frozen anew, in the new one and in the old ones', () => {
    fc.assert(
      fc.property(scenario, ({ ted: first, questions, steps }) => {
        const revisions = [{ ted: first, snapshot: freezeSnapshot(first) }];
        for (const one of questions) answersOf(revisions[0]?.snapshot as Snapshot, one);
        for (const { changes, back, isShared, asked } of steps) {
          const { ted, snapshot } = (revisions.at(-1 - back) ?? revisions[0]) as (typeof revisions)[number];
          const next = withChanges(ted, changes);
          const difference = snapshotChanges(snapshot, ted, next);
          if (difference === null) throw new Error('no values alone');
          const derived = deriveSnapshot(snapshot, difference);
          const received = isShared
            ? snapshotFromShared(structuredClone(snapshotToShared(derived)), snapshot)
            : derived;
          revisions.push({ ted: next, snapshot: received });
          for (const number of asked) answersOf(received, questions[number % questions.length] as Question);
        }
        for (const { ted, snapshot } of revisions) {
          const anew = freezeSnapshot(ted);
          for (const one of questions) expect(answersOf(snapshot, one)).toEqual(answersOf(anew, one));
        }
      }),
      { numRuns: 400 },
    );
  });
});
