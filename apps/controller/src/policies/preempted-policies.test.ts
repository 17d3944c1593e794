import { freezeSnapshot, type LinkId } from '@waymark/topology';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluatePolicies } from '../compute/evaluate-policies.js';
import type { PolicyEvaluation } from '../compute/evaluate-policies-model.js';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, LOWER, lowestDelay, newPolicy, UPPER, withLinks } from '../testing/sketched-network.js';
import { bookedPerLink } from './bookings.js';
import { loadPolicies } from './evaluation-input.js';
import { mostUrgent } from './most-urgent.js';
import { takenLinks } from '../compute/contenders.js';

const actor = { name: 'alice' };
const G = 1_000_000_000;
let harness: PolicyHarness;

beforeEach(async () => {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
  await harness.meetAgent('h1');
});

afterEach(() => harness.stop());

function wanting(gigabits: number, color: number, more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  const candidatePaths = [lowestDelay({ bandwidthBps: gigabits * G })];
  return { headend: 'h1', color, endpoint: 'h2', fallback: 'drop', candidatePaths, ...more };
}

async function ask(...intents: readonly SrPolicyIntent[]): Promise<void> {
  for (const intent of intents) await harness.service.createPolicy(intent, actor);
}

async function create(...intents: readonly SrPolicyIntent[]): Promise<void> {
  await ask(...intents);
  await harness.settled();
}

async function remove(id: string): Promise<void> {
  await harness.service.deletePolicy(id, (await harness.service.policy(id)).version, actor);
}

const stateOf = async (color: number) => (await harness.service.policy(`h1:${color}:h2`)).state;
const linksOf = async (color: number): Promise<readonly LinkId[] | undefined> =>
  (await stateOf(color))?.lists[0]?.links;

describe('policies that are evaluated with one that takes their bandwidth', () => {
  it('are no more than have to make room', async () => {
    for (let color = 1; color <= 10; color++) await create(wanting(1, color));
    harness.evaluated.length = 0;
    await create(wanting(2, 99, { setupPriority: 3 }));
    expect([...new Set(harness.evaluated)].sort()).toEqual(['h1:8:h2', 'h1:99:h2', 'h1:9:h2']);
    expect([await linksOf(99), await linksOf(7), await linksOf(8), await linksOf(9)]).toEqual([
      UPPER,
      UPPER,
      LOWER,
      LOWER,
    ]);
  });

  it('are proved again together with it when the topology moves on', async () => {
    await create(wanting(6, 1));
    await harness.ack('h1');
    const before = await harness.generation('h1');
    const evaluatedBefore = harness.evaluated.length;
    let moves = 0;
    harness.beforeEvaluation = async () => {
      if (moves > 0) return;
      moves++;
      await harness.setTed(withLinks(diamond(), { 'c:d': { delayUs: 2001 } }));
    };
    await create(wanting(6, 2, { setupPriority: 3 }));
    expect([await linksOf(2), await linksOf(1)]).toEqual([UPPER, LOWER]);
    expect(await harness.generation('h1')).toBe(before + 1);
    // Alone, both, and both again while the head was locked.
    expect(harness.evaluated.slice(evaluatedBefore, evaluatedBefore + 5)).toEqual([
      'h1:2:h2',
      'h1:2:h2',
      'h1:1:h2',
      'h1:2:h2',
      'h1:1:h2',
    ]);
  });

  it('stay when that one is deleted meanwhile', async () => {
    await create(wanting(10, 1), wanting(10, 2));
    let once = false;
    harness.beforeEvaluation = async () => {
      if (once || harness.evaluated.at(-1) !== 'h1:3:h2') return;
      once = true;
      await remove('h1:3:h2');
    };
    await create(wanting(10, 3, { setupPriority: 3 }));
    expect(once).toBe(true);
    expect([await linksOf(1), await linksOf(2)]).toEqual([UPPER, LOWER]);
  });

  it('stay when that one is deleted meanwhile, also where they had to be looked at anyway', async () => {
    await create(wanting(10, 1), wanting(10, 2));
    harness.stopLeading();
    const { version, intent } = await harness.service.policy('h1:2:h2');
    await harness.service.replacePolicy('h1:2:h2', { ...intent, name: 'renamed' }, version, actor);
    await ask(wanting(10, 3, { setupPriority: 3 }), wanting(10, 4, { setupPriority: 3 }));
    harness.beforeEvaluation = async () => {
      harness.beforeEvaluation = () => Promise.resolve();
      await remove('h1:3:h2');
      await remove('h1:4:h2');
    };
    await harness.lead();
    await harness.settled();
    expect([await linksOf(1), await linksOf(2)]).toEqual([UPPER, LOWER]);
  });

  it('leave it to the same ones as an evaluation of all', async () => {
    const anyone = fc.record({
      gigabits: fc.integer({ min: 1, max: 5 }),
      setupPriority: fc.integer({ min: 2, max: 7 }),
      holdPriority: fc.integer({ min: 1, max: 7 }),
    });
    type Anyone = typeof anyone extends fc.Arbitrary<infer T> ? T : never;
    const intentOf = ({ gigabits, setupPriority, holdPriority }: Anyone, color: number): SrPolicyIntent =>
      wanting(gigabits, color, { setupPriority, holdPriority: Math.min(setupPriority, holdPriority) });
    const settlers = fc.sample(anyone, { numRuns: 16, seed: 7 }).map((one, i) => intentOf(one, i + 1));
    for (const settler of settlers) await create(settler);
    const ids = settlers.map(({ color }) => `h1:${color}:h2`);
    const { policies } = await loadPolicies(harness.database.db, ids, () => false);
    const booked = await bookedPerLink(harness.database.db);
    await fc.assert(
      fc.asyncProperty(fc.array(anyone, { minLength: 1, maxLength: 3 }), async (several) => {
        const newcomers = several.map((one, i) => intentOf(one, 100 + i));
        const all = newcomers.map(({ headend, endpoint, candidatePaths, color, setupPriority = 7, holdPriority = 7 }) =>
          newPolicy(headend, endpoint, candidatePaths, { color, setupPriority, holdPriority }),
        );
        const evaluations = evaluatePolicies({
          snapshot: freezeSnapshot(diamond()),
          policies: [...policies, ...all],
          booked,
          heldLinks: [],
        });
        const changed = evaluations.filter(({ decision }) => decision === 'changed');
        const { moves } = await harness.service.dryRun(
          newcomers.map((policy) => ({ kind: 'policy-put' as const, policy })),
        );
        expect(moves.map(({ policyId, after }) => [policyId, after[0]?.links])).toEqual(
          changed.map(({ policyId, lists }) => [policyId, lists[0]?.links]),
        );
      }),
      { numRuns: 60 },
    );
  });
});

/** As much of an evaluation as says who makes room for whom. */
function evaluation(
  policyId: string,
  links: readonly LinkId[],
  { setupPriority = 3, takenOn = null as LinkId | null } = {},
): PolicyEvaluation {
  const preempts = links.map((linkId) => ({ linkId, setupPriority, reservableBps: 1 }));
  return { policyId, preempts, takenOn } as unknown as PolicyEvaluation;
}

describe('who takes bandwidth of a link', () => {
  it('is the one of the highest setup priority, who has the right to whatever is taken there', () => {
    const bold = evaluation('3', ['x'], { setupPriority: 2 });
    const evaluations = [evaluation('1', ['x', 'y'], { setupPriority: 6 }), evaluation('2', []), bold];
    const takers = [...takenLinks(evaluations)].map(([link, { by, setupPriority }]) => [link, by, setupPriority]);
    expect(takers).toEqual([
      ['x', '3', 2],
      ['y', '1', 6],
    ]);
  });
});

describe('what is proved again while the head is locked', () => {
  it('are the most urgent with all that make room for them, and nobody else', () => {
    const evaluations = [
      evaluation('1', ['x']),
      evaluation('2', []),
      evaluation('3', ['z']),
      evaluation('4', [], { takenOn: 'x' }),
      evaluation('5', ['y'], { takenOn: 'x' }),
      evaluation('6', []),
      evaluation('7', [], { takenOn: 'z' }),
    ];
    const preempted = new Map([
      ['5', { policyId: '5', linkId: 'x', by: '1' }],
      ['6', { policyId: '6', linkId: 'y', by: '5' }],
      ['7', { policyId: '7', linkId: 'z', by: '3' }],
    ]);
    const urgent = (wanted: number) => [...mostUrgent(['1', '2', '3', '4'], { evaluations, preempted }, wanted)].sort();
    expect(urgent(1)).toEqual(['1', '4', '5', '6']);
    expect(urgent(5)).toEqual(['1', '2', '4', '5', '6']);
    expect(urgent(6)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });
});
