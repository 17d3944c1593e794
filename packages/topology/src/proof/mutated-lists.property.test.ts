import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePaths } from '../engine/compute-paths.js';
import { freezeSnapshot } from '../snapshot/freeze-snapshot.js';
import { arbitraryRequest } from '../testing/arbitrary-request.js';
import { arbitraryTed } from '../testing/arbitrary-ted.js';
import { trajectories } from '../testing/packet-oracle.js';
import { obey } from '../testing/requirement-oracle.js';
import { prove } from './prove.js';

const cases = fc
  .record({ bounds: fc.boolean(), include: fc.boolean(), endpointLimits: fc.boolean() })
  .chain(({ endpointLimits, ...shape }) =>
    arbitraryTed({ maxRouters: 5, maxLinks: 8, endpointLimits }).chain((ted) =>
      fc.record({ ted: fc.constant(ted), request: arbitraryRequest(ted, shape) }),
    ),
  );

/** All lists that differ from a list in one place: a SID less, one twice, two exchanged, any other SID instead or more. */
function mutantsOf(list: readonly string[], sids: readonly string[]): string[][] {
  const places = list.map((_, i) => i);
  const others = (i: number) => sids.filter((sid) => sid !== list[i]);
  return [
    ...places.map((i) => list.toSpliced(i, 1)),
    ...places.map((i) => list.toSpliced(i, 0, list[i] as string)),
    ...places.slice(1).map((i) => list.toSpliced(i - 1, 2, list[i] as string, list[i - 1] as string)),
    ...places.flatMap((i) => others(i).map((sid) => list.toSpliced(i, 1, sid))),
    ...places.flatMap((i) => others(i).map((sid) => list.toSpliced(i, 0, sid))),
    list.toReversed(),
  ];
}

describe('the proof of a list that was changed in one place', () => {
  it('fails, or every packet arrives and obeys the request all the same', () => {
    const seen = { refuted: 0, valid: 0 };
    fc.assert(
      fc.property(cases, ({ ted, request }) => {
        const snapshot = freezeSnapshot(ted);
        const answer = computePaths(snapshot, request);
        fc.pre(answer.status === 'computed');
        const { source: headend, destination, constraints } = request;
        const sids = ted.nodes.flatMap((node) => node.sids.map(({ sid }) => sid));
        for (const { segments } of answer.paths.flatMap((path) => path.segmentLists)) {
          const list = segments.map(({ sid }) => sid);
          expect(obey(ted, request, trajectories(ted, headend, destination, list))).toBe(true);
          for (const mutant of mutantsOf(list, sids)) {
            const proof = prove(snapshot, mutant, { headend, destination, constraints });
            const isValid = obey(ted, request, trajectories(ted, headend, destination, mutant));
            expect([mutant, proof.ok, proof.violation?.message]).toEqual([mutant, isValid, proof.violation?.message]);
            seen[isValid ? 'valid' : 'refuted']++;
          }
        }
      }),
      { numRuns: 100 },
    );
    // Both kinds occur often enough to mean something.
    expect(seen.valid).toBeGreaterThan(100);
    expect(seen.refuted).toBeGreaterThan(500);
  });
});
