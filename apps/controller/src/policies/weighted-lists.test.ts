import { decodeDesiredPolicy } from '@waymark/agent-protocol';
import { freezeSnapshot, type Ted } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { whileMoving } from '../compute/bandwidth-ledger.js';
import { evaluatePolicies } from '../compute/evaluate-policies.js';
import { incumbentAfter, type PolicyEvaluation, type PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { diamond, newPolicy, withLinkDown, withLinks } from '../testing/sketched-network.js';
import { desiredBody } from './desired-body.js';
import { storedList } from './stored-lists.js';

const G = 1_000_000_000;
const five = { bandwidthBps: 5 * G };
const ted = withLinks(diamond(), { 'a:b': five, 'b:d': five, 'a:c': five, 'c:d': five });

function dynamic(bandwidthBps: number, maxLists?: number): CandidatePathIntent {
  const path = { kind: 'dynamic', metric: 'delay', constraints: { bandwidthBps } } as const;
  return { discriminator: 1, preference: 100, path: maxLists === undefined ? path : { ...path, maxLists } };
}

function evaluate(policy: PolicyToEvaluate, network: Ted = ted): PolicyEvaluation {
  const input = { snapshot: freezeSnapshot(network), policies: [policy], booked: policy.bookings, heldLinks: [] };
  const [evaluation] = evaluatePolicies(input);
  if (evaluation === undefined) throw new Error('no evaluation');
  return evaluation;
}

/** The policy as the evaluation leaves it, with another candidate path perhaps. */
function after(evaluation: PolicyEvaluation, candidate: CandidatePathIntent): PolicyToEvaluate {
  const policy = newPolicy('h1', 'h2', [candidate]);
  const bookings = whileMoving([], evaluation.bookings, policy.holdPriority);
  return { ...policy, incumbent: incumbentAfter(evaluation), bookings };
}

const waysOf = ({ lists }: PolicyEvaluation) => lists.map(({ weight, nodes }) => `${weight} x ${nodes.join(' ')}`);
const bookedOn = ({ bookings }: PolicyEvaluation, link: string) =>
  bookings.find(({ linkId }) => linkId === link)?.bandwidthBps;

describe('a policy that asks for more than one way has', () => {
  const first = evaluate(newPolicy('h1', 'h2', [dynamic(8 * G, 2)]));

  it('divides over two lists and books the part of each', () => {
    expect(waysOf(first)).toEqual(['5 x h1 a b d h2', '3 x h1 a c d h2']);
    expect([bookedOn(first, 'h1:a'), bookedOn(first, 'a:b'), bookedOn(first, 'a:c')]).toEqual([8 * G, 5 * G, 3 * G]);
    expect(first.objective).toEqual({ metric: 'delay', value: (5 * 2020 + 3 * 4020) / 8 });
    // A single list would be better, once there is room for it.
    expect([first.status, first.compliance, first.unsettled]).toEqual(['up', 'constraints-met', true]);
  });

  it('has no valid candidate path when it may not', () => {
    const evaluation = evaluate(newPolicy('h1', 'h2', [dynamic(8 * G)]));
    expect(evaluation.candidatePaths[0]).toMatchObject({ valid: false, reason: 'insufficient-bandwidth' });
  });

  it('keeps both lists while they hold', () => {
    for (const reoptimise of [true, false]) {
      const again = evaluate({ ...after(first, dynamic(8 * G, 2)), reoptimise });
      expect([again.decision, again.bookings]).toEqual(['kept', first.bookings]);
    }
  });

  it('is computed again when one of them fails, when its part no longer fits, or when it may have one list only', () => {
    const broken = evaluate(after(first, dynamic(8 * G, 2)), withLinkDown(ted, 'c:d'));
    expect([broken.status, broken.candidatePaths[0]?.reason]).toEqual(['fallback', 'insufficient-bandwidth']);
    const wider = withLinks(ted, { 'a:c': { bandwidthBps: 8 * G }, 'c:d': { bandwidthBps: 8 * G } });
    const narrower = evaluate(after(first, dynamic(8 * G, 2)), withLinks(wider, { 'a:b': { bandwidthBps: 4 * G } }));
    expect(waysOf(narrower)).toEqual(['1 x h1 a c d h2']);
    const one = evaluate(after(first, dynamic(8 * G)), wider);
    expect(waysOf(one)).toEqual(['1 x h1 a c d h2']);
    expect(one.cause).toContain('it has 2 lists and may have 1');
  });

  it('may have more lists than it should where that is optional', () => {
    const path = {
      ...dynamic(8 * G).path,
      kind: 'dynamic',
      metric: 'delay',
      maxLists: 1,
      optional: ['/maxLists'],
    } as const;
    const candidate: CandidatePathIntent = {
      ...dynamic(8 * G),
      path: { ...path, constraints: { bandwidthBps: 8 * G } },
    };
    const evaluation = evaluate(newPolicy('h1', 'h2', [candidate]));
    expect(waysOf(evaluation)).toEqual(waysOf(first));
    expect(evaluate(after(evaluation, candidate)).decision).toBe('kept');
    const active = evaluation.candidatePaths.find((state) => state.active);
    expect(active?.optional).toEqual([{ constraint: '/maxLists', isAchieved: false, missedBy: 1 }]);
  });

  it('divides anew when the demand grows', () => {
    const grown = evaluate(after(first, dynamic(10 * G, 2)));
    expect(waysOf(grown)).toEqual(['1 x h1 a b d h2', '1 x h1 a c d h2']);
  });

  it('reaches the headend with both lists and their weights', () => {
    const body = desiredBody({
      policyId: 'h1:1:h2',
      color: 1,
      endpointAddress: 'fd00:ffff::2',
      status: 'up',
      lists: first.lists.map(storedList),
      standby: [],
      prefixes: ['10.2.0.0/16'],
      classPrefixes: [],
      bindingSids: [{ family: 'ipv4', a: 'fdff::1', b: 'fdff::2' }],
    });
    if (body === null) throw new Error('nothing is desired');
    const sent = decodeDesiredPolicy(body).tunnels.map(({ segmentLists }) => segmentLists.map(({ weight }) => weight));
    expect(sent).toEqual([[3, 5]]);
  });

  it('leaves to others what it does not use, to the bit', () => {
    const odd = withLinks(ted, { 'a:b': { bandwidthBps: 4_999_999_999 }, 'a:c': { bandwidthBps: 3_333_333_333 } });
    const policy = newPolicy('h1', 'h2', [dynamic(7_777_777_777, 2)]);
    const evaluation = evaluate(policy, odd);
    expect(evaluation.lists).toHaveLength(2);
    expect(bookedOn(evaluation, 'h1:a')).toBe(7_777_777_777);
    expect(bookedOn(evaluation, 'a:b')).toBeLessThanOrEqual(4_999_999_999);
    expect(bookedOn(evaluation, 'a:c')).toBeLessThanOrEqual(3_333_333_333);
  });
});
