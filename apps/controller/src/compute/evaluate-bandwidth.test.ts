import { describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { adopted, evaluate, evaluateOne, explicit, linksOf } from '../testing/evaluate-sketched.js';
import { diamond, endOf, inUse, LOWER, lowestDelay, newPolicy, UPPER, withLinks } from '../testing/sketched-network.js';
import type { Incumbent, PolicyEvaluation, PolicyToEvaluate } from './evaluate-policies-model.js';

const G = 1_000_000_000;

describe('bandwidth', () => {
  const six = lowestDelay({ bandwidthBps: 6 * G });

  it('never gives one 10 G link to two policies of 6 G', () => {
    const policies = [newPolicy('h1', 'h2', [six]), newPolicy('h1', 'h2', [six], { color: 2 })];
    const [first, second] = evaluate(diamond(), policies);
    expect(first && linksOf(first)).toEqual(UPPER);
    expect(second && linksOf(second)).toEqual(LOWER);
    expect(first?.bookings).toContainEqual({ linkId: 'a:b', bandwidthBps: 6 * G });
  });

  it('gives the third one nothing and says what is missing', () => {
    const policies = [1, 2, 3].map((color) => newPolicy('h1', 'h2', [six], { color }));
    const third = evaluate(diamond(), policies)[2];
    expect(third).toMatchObject({ status: 'fallback', starved: true, bookings: [] });
    expect(third?.candidatePaths[0]?.reason).toBe('insufficient-bandwidth');
  });

  it('lets incumbents go before newcomers, whatever their ids and sizes', () => {
    const incumbent = newPolicy('h1', 'h2', [six], { color: 9 });
    const settled = adopted(incumbent, evaluateOne(diamond(), incumbent));
    const newcomer = newPolicy('h1', 'h2', [lowestDelay({ bandwidthBps: 8 * G })], { color: 1 });
    const [a, b] = evaluate(diamond(), [newcomer, settled], { booked: settled.bookings });
    expect(a && linksOf(a)).toEqual(LOWER);
    expect(b?.decision).toBe('kept');
  });

  it('leaves its own booking out of the account', () => {
    const policy = newPolicy('h1', 'h2', [six]);
    const settled = adopted(policy, evaluateOne(diamond(), policy));
    expect(evaluateOne(diamond(), settled, { booked: settled.bookings }).decision).toBe('kept');
  });

  it('moves only as many policies as must go when a link shrinks', () => {
    const three = lowestDelay({ bandwidthBps: 3 * G });
    const policies = [1, 2].map((color) => newPolicy('h1', 'h2', [three], { color }));
    const settled = evaluate(diamond(), policies).map((evaluation, i) =>
      adopted(policies[i] as PolicyToEvaluate, evaluation),
    );
    const booked = settled.flatMap(({ bookings }) => bookings);
    const shrunk = withLinks(diamond(), { 'a:b': { bandwidthBps: 5 * G } });
    const after = evaluate(shrunk, settled, { booked });
    expect(after.map(linksOf)).toEqual([UPPER, LOWER]);
  });

  it('lets no incumbent spread over more links onto what another one that leaves still holds', () => {
    const equal = { igpMetric: 20 };
    const before = withLinks(diamond(), { 'a:b': { igpMetric: 30 }, 'b:d': { igpMetric: 30 } });
    const all = lowestDelay({ bandwidthBps: 10 * G, bounds: [{ metric: 'delay', max: 3000 }] });
    const small = newPolicy(
      'h1',
      'h2',
      [{ ...explicit([]), path: { kind: 'dynamic', metric: 'igp', constraints: { bandwidthBps: G } } }],
      { color: 2 },
    );
    const policies = [newPolicy('h1', 'h2', [all]), small];
    const settled = evaluate(before, policies).map((evaluation, i) =>
      adopted(policies[i] as PolicyToEvaluate, evaluation),
    );
    expect(settled.map(({ bookings }) => bookings.find(({ linkId }) => linkId === 'b:d')?.bandwidthBps)).toEqual([
      10 * G,
      undefined,
    ]);
    // The first one's path gets too slow, and the IGP now has two ways for the second.
    const after = withLinks(diamond(), { 'a:b': equal, 'b:d': { ...equal, delayUs: 5000 } });
    const [left, kept] = evaluate(after, settled, { booked: settled.flatMap(({ bookings }) => bookings) });
    expect(left?.status).toBe('fallback');
    expect(kept?.bookings.map(({ linkId }) => linkId)).not.toContain('b:d');
  });

  it('counts the old booking until it is released', () => {
    const policy = newPolicy('h1', 'h2', [six]);
    const settled = adopted(policy, evaluateOne(diamond(), policy));
    const bounded = lowestDelay({ bandwidthBps: 6 * G, exclude: { nodes: ['b'] } });
    const other = newPolicy('h1', 'h2', [six], { color: 2 });
    const [moved, waiting] = evaluate(diamond(), [{ ...settled, candidatePaths: [bounded] }, other], {
      booked: settled.bookings,
    });
    expect(moved && linksOf(moved)).toEqual(LOWER);
    expect(waiting).toMatchObject({ status: 'fallback', starved: true });
  });

  it('does not let a policy grow at the expense of another that only wants to stay', () => {
    const four = newPolicy('h1', 'h2', [lowestDelay({ bandwidthBps: 4 * G })], { color: 1 });
    const settled = [four, { ...four, policyId: 'h1:2:h2' }].map((policy) =>
      adopted(policy, evaluateOne(diamond(), policy)),
    );
    const booked = settled.flatMap(({ bookings }) => bookings);
    const grown = { ...(settled[0] as PolicyToEvaluate), candidatePaths: [lowestDelay({ bandwidthBps: 8 * G })] };
    const [bigger, same] = evaluate(diamond(), [grown, settled[1] as PolicyToEvaluate], { booked });
    expect(same?.decision).toBe('kept');
    expect(bigger && linksOf(bigger)).toEqual(LOWER);
  });

  it('does not let a policy grow beside what another has yet to release', () => {
    const one = newPolicy('h1', 'h2', [lowestDelay({ bandwidthBps: G })], { color: 2 });
    const settled = [newPolicy('h1', 'h2', [six]), one].map((policy) =>
      adopted(policy, evaluateOne(diamond(), policy)),
    );
    const [leaving, growing] = settled as [PolicyToEvaluate, PolicyToEvaluate];
    const elsewhere = lowestDelay({ bandwidthBps: 6 * G, exclude: { nodes: ['b'] } });
    const [moved, starved] = evaluate(
      diamond(),
      [
        { ...leaving, candidatePaths: [elsewhere] },
        { ...growing, candidatePaths: [six] },
      ],
      { booked: settled.flatMap(({ bookings }) => bookings) },
    );
    expect(moved && linksOf(moved)).toEqual(LOWER);
    expect(starved).toMatchObject({ status: 'fallback', starved: true });
  });

  it('admits nothing where the bandwidth is unknown', () => {
    const unknown = withLinks(diamond(), { 'a:b': { bandwidthBps: null }, 'a:c': { bandwidthBps: null } });
    expect(evaluateOne(unknown, newPolicy('h1', 'h2', [six])).status).toBe('fallback');
  });

  it('books the shares of weighted explicit lists', () => {
    const segmentLists = [
      { weight: 3, sids: [endOf.b] },
      { weight: 1, sids: [endOf.c] },
    ];
    const path: CandidatePathIntent = {
      discriminator: 1,
      preference: 1,
      path: { kind: 'explicit', segmentLists, constraints: { bandwidthBps: 4 * G } },
    };
    const { bookings } = evaluateOne(diamond(), newPolicy('h1', 'h2', [path]));
    expect(bookings).toContainEqual({ linkId: 'a:b', bandwidthBps: 3 * G });
    expect(bookings).toContainEqual({ linkId: 'a:c', bandwidthBps: G });
    expect(bookings).toContainEqual({ linkId: 'h1:a', bandwidthBps: 4 * G });
  });
});

describe('preemption', () => {
  const wanting = (gigabits: number, color: number, more: Partial<PolicyToEvaluate> = {}) =>
    newPolicy('h1', 'h2', [lowestDelay({ bandwidthBps: gigabits * G })], { color, ...more });

  /** All of them on the upper way. */
  function onUpper(...policies: PolicyToEvaluate[]): PolicyToEvaluate[] {
    return policies.map((policy) => adopted(policy, evaluateOne(diamond(), policy)));
  }

  function pinnedHere(policy: PolicyToEvaluate): PolicyToEvaluate {
    const { activeCandidate, lists } = policy.incumbent as Incumbent;
    return { ...policy, pinned: { activeCandidate, lists } };
  }

  function evaluateAll(policies: readonly PolicyToEvaluate[]): Map<string, PolicyEvaluation> {
    const evaluations = evaluate(diamond(), policies, { booked: policies.flatMap(({ bookings }) => bookings) });
    return new Map(evaluations.map((evaluation) => [evaluation.policyId, evaluation]));
  }

  function colorsOnUpper(evaluations: ReadonlyMap<string, PolicyEvaluation>): string[] {
    return [...evaluations.values()]
      .filter((evaluation) => linksOf(evaluation)?.includes('a:b'))
      .map(({ policyId }) => policyId.split(':')[1] ?? '');
  }

  it('drives out the least important, then those of least bandwidth, then those of the highest id', () => {
    const settled = onUpper(
      wanting(3, 1),
      wanting(2, 2),
      wanting(2, 3),
      wanting(1, 4),
      wanting(2, 5, { setupPriority: 6 }),
    );
    expect(colorsOnUpper(evaluateAll([...settled, wanting(3, 9, { setupPriority: 2 })]))).toEqual(['1', '2', '5', '9']);
  });

  it('asks for those that are to make room, and for nobody where there is room', () => {
    const [settled] = onUpper(wanting(6, 1)) as [PolicyToEvaluate];
    const taker = wanting(6, 2, { setupPriority: 2 });
    const alone = evaluateOne(diamond(), taker, { booked: settled.bookings });
    expect(linksOf(alone)).toEqual(UPPER);
    expect(alone.preempts).toEqual([
      { linkId: 'a:b', setupPriority: 2, reservableBps: 10 * G },
      { linkId: 'b:d', setupPriority: 2, reservableBps: 10 * G },
    ]);
    const small = evaluateOne(diamond(), wanting(4, 2, { setupPriority: 2 }), { booked: settled.bookings });
    expect(small.preempts).toEqual([]);
  });

  it('drives out as many pinned ones as must go, and no more', () => {
    const pinned = onUpper(wanting(4, 1), wanting(4, 2)).map(pinnedHere);
    const evaluations = evaluateAll([...pinned, wanting(4, 3, { setupPriority: 3 })]);
    expect(colorsOnUpper(evaluations)).toEqual(['1', '3']);
  });

  it('lets one that waits for the lists it is pinned to hold what it uses meanwhile like everybody else', () => {
    const onLower = (policy: PolicyToEvaluate) => {
      const confined = { ...policy, candidatePaths: [lowestDelay({ bandwidthBps: 2 * G, exclude: { nodes: ['b'] } })] };
      return adopted(policy, evaluateOne(diamond(), confined));
    };
    const important = wanting(2, 1, { setupPriority: 3, holdPriority: 1 });
    const [pinned] = onUpper(important).map(pinnedHere);
    const waiting = { ...onLower(important), pinned: pinned?.pinned ?? null };
    const others = onUpper(wanting(10, 2, { setupPriority: 0 }));
    const lessImportant = onLower(wanting(2, 3, { setupPriority: 3 }));
    const evaluations = evaluateAll([waiting, ...others, lessImportant, wanting(8, 4, { setupPriority: 0 })]);
    expect(evaluations.get('h1:1:h2')?.decision).toBe('kept');
    expect(evaluations.get('h1:3:h2')?.status).toBe('fallback');
  });

  it('leaves pinned ones of equal priority where they are when their link shrinks', () => {
    const pinned = onUpper(wanting(4, 1), wanting(4, 2)).map(pinnedHere);
    const booked = pinned.flatMap(({ bookings }) => bookings);
    const shrunk = withLinks(diamond(), { 'a:b': { bandwidthBps: 6 * G } });
    expect(evaluate(shrunk, pinned, { booked }).map(({ decision }) => decision)).toEqual(['kept', 'kept']);
  });

  it('leaves who is driven out in want of bandwidth until it is back where it would like to be', () => {
    const settled = onUpper(wanting(6, 1));
    const taker = wanting(6, 2, { setupPriority: 2 });
    const driven = evaluateAll([...settled, taker]).get('h1:1:h2') as PolicyEvaluation;
    expect(driven).toMatchObject({ status: 'up', decision: 'changed', starved: true });
    expect(linksOf(driven)).toEqual(LOWER);
    const away = adopted(settled[0] as PolicyToEvaluate, driven);
    expect(evaluateOne(diamond(), { ...away, reoptimise: false })).toMatchObject({ decision: 'kept', starved: true });
    const back = evaluateOne(diamond(), away);
    expect(linksOf(back)).toEqual(UPPER);
    expect(back.starved).toBe(false);
  });

  it('gives one that leaves its lists no more of its links than others of its setup priority leave, whatever it held', () => {
    const [holder, other] = onUpper(
      wanting(4, 1, { setupPriority: 5, holdPriority: 2 }),
      wanting(4, 2, { setupPriority: 3 }),
    ) as [PolicyToEvaluate, PolicyToEvaluate];
    // Its candidate path was written anew, so it has none of it; what it would like is what it had.
    const leaving = { ...holder, candidatePaths: [{ ...lowestDelay({ bandwidthBps: 4 * G }), discriminator: 101 }] };
    const evaluations = evaluateAll([leaving, other, wanting(4, 3, { setupPriority: 1 })]);
    expect(colorsOnUpper(evaluations)).toEqual(['2', '3']);
  });

  it('does not let one that leaves drive out another that stays', () => {
    const settled = onUpper(wanting(6, 1), wanting(4, 2));
    const evaluations = evaluateAll([...settled, wanting(6, 3, { setupPriority: 2 })]);
    expect(colorsOnUpper(evaluations)).toEqual(['2', '3']);
    const [, stays] = settled as [PolicyToEvaluate, PolicyToEvaluate];
    // The one that left holds its bandwidth until its headend has acked.
    const left = inUse(settled[0]?.bookings ?? []).map((booking) => ({ ...booking, currentBps: 0 }));
    const taken = inUse(evaluations.get('h1:3:h2')?.bookings ?? [], 2);
    const booked = [...left, ...taken, ...stays.bookings];
    expect(evaluateOne(diamond(), stays, { booked }).decision).toBe('kept');
  });
});
