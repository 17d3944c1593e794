import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathAnswer } from '../../model/path-answer.js';
import type { PathRequest } from '../../model/path-request.js';
import type { Placement } from '../../model/placement.js';
import { freezeSnapshot } from '../../snapshot/freeze-snapshot.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { arbitraryRequest } from '../../testing/arbitrary-request.js';
import { arbitraryTed } from '../../testing/arbitrary-ted.js';
import { computePaths } from '../compute-paths.js';
import { withoutConstraints } from '../constraint-set.js';
import { placeInOrder } from './place-in-order.js';
import { placeTogether } from './place-together.js';

interface Case {
  readonly snapshot: Snapshot;
  readonly requests: readonly PathRequest[];
}

/** Several requests that want bandwidth where it is scarce: most of them between the same few nodes. */
function cases(most: number, priorities: readonly number[], maxRouters = 5): fc.Arbitrary<Case> {
  return fc
    .record({ bounds: fc.boolean(), healthy: fc.integer({ max: 4 }).map((n) => n > 0) })
    .chain(({ healthy, ...shape }) => {
      return arbitraryTed({ maxRouters, maxLinks: 10, healthy, routing: 'never' }).chain((ted) => {
        const nodes = ted.nodes.map(({ id }) => id).filter((id) => !id.startsWith('h'));
        const plain = fc.record({
          source: fc.constantFrom(...nodes.slice(0, 2)),
          destination: fc.constantFrom(...nodes.slice(-2)),
          metric: fc.constantFrom('igp' as const, 'hop' as const),
          constraints: fc.constant({}),
        });
        const request = fc
          .record({
            request: fc.oneof({ weight: 4, arbitrary: plain }, arbitraryRequest(ted, shape)),
            bandwidthBps: fc.constantFrom(7, 10, 15, 20, 25, null),
            setupPriority: fc.constantFrom(...priorities),
            maxLists: fc.constantFrom(1, 1, 2),
            isOptional: fc.integer({ max: 9 }).map((n) => n === 0),
          })
          .filter(({ request: { source, destination } }) => source !== destination)
          .map(({ request, bandwidthBps, setupPriority, maxLists, isOptional }): PathRequest => {
            const { constraints, ...rest } = withoutConstraints(request, new Set(['/constraints/bandwidthBps']));
            if (bandwidthBps === null) return { ...rest, setupPriority, constraints };
            return {
              ...rest,
              setupPriority,
              constraints: { ...constraints, bandwidthBps },
              ...(maxLists > 1 && { maxLists }),
              ...(isOptional && { optional: ['/constraints/bandwidthBps'] }),
            };
          });
        return fc.record({
          snapshot: fc.constant(freezeSnapshot(ted)),
          requests: fc.array(request, { minLength: 2, maxLength: most }),
        });
      });
    });
}

/** What others hold at the lowest priorities is there for the taking. */
function unreservedAt({ snapshot }: Case): (setupPriority: number) => Float64Array {
  return (priority) => snapshot.data.reservableBps.map((bps) => bps + 7 - priority);
}

/** Drives the generator; `atOnce`: how many requests of a step are answered. */
function place(one: Case, atOnce: number): Placement[] {
  const steps = placeTogether(one.snapshot, one.requests, unreservedAt(one));
  let step = steps.next();
  while (step.done !== true) {
    const { requests, unreservedBps } = step.value;
    step = steps.next(placeInOrder(one.snapshot, requests.slice(0, atOnce), unreservedBps));
  }
  return step.value;
}

/** From the paths alone. */
function loadOf({ constraints: { bandwidthBps = 0 } }: PathRequest, answer: PathAnswer): ReadonlyMap<string, number> {
  const load = new Map<string, number>();
  if (bandwidthBps === 0 || answer.status === 'no-path' || answer.optional.some(({ isAchieved }) => !isAchieved))
    return load;
  const whole = answer.paths.reduce((sum, { weight }) => sum + weight, 0);
  for (const { links, weight } of answer.paths) {
    for (const link of links) load.set(link, (load.get(link) ?? 0) + (bandwidthBps * weight) / whole);
  }
  return load;
}

function leftBy(one: Case, priority: number, holders: readonly { request: PathRequest; answer: PathAnswer }[]) {
  const left = unreservedAt(one)(priority);
  for (const { request, answer } of holders) {
    for (const [link, bps] of loadOf(request, answer)) {
      const arc = one.snapshot.arcOf(link);
      left[arc] = (left[arc] as number) - Math.ceil(bps);
    }
  }
  return left;
}

const priorityOf = ({ setupPriority = 7 }: PathRequest) => setupPriority;
const numberPlaced = (answers: readonly PathAnswer[]) => answers.filter(({ status }) => status === 'computed').length;

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

describe('requests that are placed together', () => {
  it('never book a link beyond what their priorities find', () => {
    let shared = 0;
    fc.assert(
      fc.property(cases(6, [0, 3, 7]), (one) => {
        const placements = place(one, 3);
        for (const priority of [0, 3, 7]) {
          const holders = placements
            .map(({ answer }, i) => ({ request: one.requests[i] as PathRequest, answer }))
            .filter(({ request }) => priorityOf(request) <= priority);
          const own = holders.filter(({ request }) => priorityOf(request) === priority);
          const left = leftBy(one, priority, holders);
          for (const { request, answer } of own) {
            for (const link of loadOf(request, answer).keys()) {
              expect(left[one.snapshot.arcOf(link)]).toBeGreaterThanOrEqual(0);
              shared++;
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(shared).toBeGreaterThan(100);
  });

  it('get what a path computation finds on what those before them leave', () => {
    fc.assert(
      fc.property(cases(6, [3, 7]), fc.integer({ min: 1, max: 6 }), (one, atOnce) => {
        const placements = place(one, atOnce);
        expect(placements.map(({ turn }) => turn).sort()).toEqual(placements.map((_, i) => i));
        for (const [i, { answer, turn }] of placements.entries()) {
          const request = one.requests[i] as PathRequest;
          const before = placements
            .map((placement, j) => ({ ...placement, request: one.requests[j] as PathRequest }))
            .filter((placement) => placement.turn < turn);
          expect(before.every((other) => priorityOf(other.request) <= priorityOf(request))).toBe(true);
          const unreservedBps = leftBy(one, priorityOf(request), before).map((bps) => Math.max(0, bps));
          expect(answer).toEqual(computePaths(one.snapshot, request, { unreservedBps }));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are as many as any order places, when they are three of one priority', () => {
    let better = 0;
    fc.assert(
      fc.property(cases(3, [7], 3), (one) => {
        const free = unreservedAt(one)(7);
        const inOrder = (order: readonly PathRequest[]) => numberPlaced(placeInOrder(one.snapshot, order, free));
        const most = Math.max(...permutations(one.requests).map(inOrder));
        expect(numberPlaced(place(one, 3).map(({ answer }) => answer))).toBe(most);
        if (inOrder(one.requests) < most) better++;
      }),
      // How often the order of the list is not the best is left to no chance.
      { numRuns: 400, seed: 5 },
    );
    expect(better).toBeGreaterThan(0);
  });

  it('are never fewer than in the order of the list, when they are of one priority', () => {
    fc.assert(
      fc.property(cases(9, [7]), (one) => {
        const listed = placeInOrder(one.snapshot, one.requests, unreservedAt(one)(7));
        expect(numberPlaced(place(one, 4).map(({ answer }) => answer))).toBeGreaterThanOrEqual(numberPlaced(listed));
      }),
      { numRuns: 200 },
    );
  });

  it('name those because of whom one has no path: without them it has one', () => {
    let named = 0;
    fc.assert(
      fc.property(cases(5, [3, 7]), (one) => {
        const placements = place(one, 2);
        for (const [i, { answer, becauseOf, turn }] of placements.entries()) {
          const request = one.requests[i] as PathRequest;
          const ask = (without: (index: number) => boolean) => {
            const holders = placements
              .map((placement, j) => ({ ...placement, j, request: one.requests[j] as PathRequest }))
              .filter(({ j, turn: other }) => other < turn && !without(j));
            const unreservedBps = leftBy(one, priorityOf(request), holders);
            return computePaths(one.snapshot, request, { unreservedBps, skipConflict: true }).status;
          };
          if (becauseOf.length === 0) {
            if (answer.status === 'no-path') expect(ask(() => true)).toBe('no-path');
            continue;
          }
          named++;
          expect(answer.status).toBe('no-path');
          expect(ask((index) => becauseOf.includes(index))).toBe('computed');
        }
      }),
      { numRuns: 300 },
    );
    expect(named).toBeGreaterThan(3);
  });
});
