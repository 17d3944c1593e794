import { decodeDesiredPolicy } from '@waymark/agent-protocol';
import { freezeSnapshot, ipv6FromBytes } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import { evaluatePolicies } from '../compute/evaluate-policies.js';
import { incumbentAfter, type PolicyEvaluation, type PolicyToEvaluate } from '../compute/evaluate-policies-model.js';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { buildTed, lowestDelay, newPolicy } from '../testing/sketched-network.js';
import { desiredBody } from './desired-body.js';
import { policyList, storedList } from './stored-lists.js';

//  h1 - a - b - d - h2    everybody with C-SIDs: a to d are nodes 1 to 4, h1 and h2 are 5 and 6
//        \_ c _/
const snapshot = freezeSnapshot(
  buildTed(
    ['a', 'b', 'c', 'd', 'h1', 'h2'].map((id) => ({ id, sidKind: 'next' as const })),
    [
      { between: 'h1-a' },
      { between: 'a-b', delayUs: 1, igpMetric: 10 },
      { between: 'b-d', delayUs: 1, igpMetric: 10 },
      { between: 'a-c', igpMetric: 5 },
      { between: 'c-d', igpMetric: 5 },
      { between: 'd-h2' },
    ],
  ),
);
const [B, D] = ['fd00:0:2::', 'fd00:0:4::'];
const B_TO_D = 'fd00:0:2:e001::';
const BOTH = 'fd00:0:2:4::';

function evaluate(policy: PolicyToEvaluate): PolicyEvaluation {
  const [evaluation] = evaluatePolicies({ snapshot, policies: [policy], booked: [], heldLinks: [] });
  if (evaluation === undefined) throw new Error('no evaluation');
  return evaluation;
}

function explicit(...sids: readonly string[]): CandidatePathIntent {
  return { discriminator: 1, preference: 200, path: { kind: 'explicit', segmentLists: [{ weight: 1, sids }] } };
}

function entriesOf(evaluation: PolicyEvaluation): (readonly string[])[] {
  return evaluation.lists.flatMap(({ segmentLists }) =>
    segmentLists.map(({ entries }) => entries.map(({ address }) => address)),
  );
}

describe('lists whose SIDs are packed', () => {
  it('end in the service SID of each family, in the same container', () => {
    const evaluation = evaluate(newPolicy('h1', 'h2', [lowestDelay()]));
    expect(evaluation.lists[0]?.transport.map(({ sid }) => sid)).toEqual([B_TO_D]);
    expect(entriesOf(evaluation)).toEqual([['fd00:0:2:e001:6:d4::'], ['fd00:0:2:e001:6:d6::']]);
  });

  it('are the same whether they were written SID by SID or as containers', () => {
    const written = evaluate(newPolicy('h1', 'h2', [explicit(BOTH)]));
    expect(written.lists).toEqual(evaluate(newPolicy('h1', 'h2', [explicit(B, D)])).lists);
    const again = { ...newPolicy('h1', 'h2', [explicit(BOTH)]), incumbent: incumbentAfter(written) };
    expect(evaluate(again).decision).toBe('kept');
  });

  it('stay the standby when they were written as containers', () => {
    const candidates = [lowestDelay({ exclude: { nodes: ['b'] } }, 300), explicit(BOTH)];
    const first = evaluate(newPolicy('h1', 'h2', candidates));
    expect(first.standby?.lists[0]?.transport.map(({ sid }) => sid)).toEqual([B, D]);
    const again = evaluate({
      ...newPolicy('h1', 'h2', candidates),
      incumbent: incumbentAfter(first),
      reoptimise: false,
    });
    expect(again.standby?.lists).toEqual(first.standby?.lists);
  });

  it('are not valid when a router could not read a container, which is named', () => {
    const evaluation = evaluate(newPolicy('h1', 'h2', [explicit('fd00:0:2:9::')]));
    expect(evaluation.candidatePaths[0]).toMatchObject({
      valid: false,
      reason: 'unknown-sid',
      message: 'list 1: nobody in the topology owns the SID fd00:0:9:: (C-SID 2 of the container fd00:0:2:9::)',
    });
  });

  it('are stored and read back as they were', () => {
    const { lists } = evaluate(newPolicy('h1', 'h2', [lowestDelay()]));
    const stored = JSON.parse(JSON.stringify(lists.map(storedList))) as ReturnType<typeof storedList>[];
    expect(stored.map(policyList)).toEqual(lists);
  });

  it('reach the headend as they are pushed, with the lists of both families numbered alike', () => {
    const { lists, standby } = evaluate(
      newPolicy('h1', 'h2', [lowestDelay(), lowestDelay({ exclude: { nodes: ['b'] } }, 50)]),
    );
    const body = desiredBody({
      policyId: 'h1:1:h2',
      color: 1,
      endpointAddress: 'fd00::1',
      status: 'up',
      lists: lists.map(storedList),
      standby: standby?.lists.map(storedList) ?? [],
      prefixes: ['10.0.0.0/8', 'fd10::/64'],
      classPrefixes: [],
      bindingSids: [
        { family: 'ipv4', a: 'fdff::1', b: 'fdff::2' },
        { family: 'ipv6', a: 'fdff::3', b: 'fdff::4' },
      ],
    });
    if (body === null) throw new Error('nothing is desired');
    const sent = decodeDesiredPolicy(body).tunnels.map(({ segmentLists, standbyLists }) =>
      [...segmentLists, ...standbyLists].map(({ sids, way }) => [way, ...sids.map(ipv6FromBytes)]),
    );
    expect(sent).toEqual([
      [
        [1, 'fd00:0:2:e001:6:d4::'],
        [2, 'fd00:0:4:6:d4::'],
      ],
      [
        [1, 'fd00:0:2:e001:6:d6::'],
        [2, 'fd00:0:4:6:d6::'],
      ],
    ]);
  });
});
