import type { LinkId, StandbyRequest } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { adopted, evaluateOne, linksOf } from '../testing/evaluate-sketched.js';
import {
  diamond,
  inUse,
  LOWER,
  lowestDelay,
  newPolicy,
  UPPER,
  withLinkDown,
  withLinks,
  withNodes,
} from '../testing/sketched-network.js';
import { incumbentAfter, type PolicyEvaluation, type PolicyToEvaluate } from './evaluate-policies-model.js';

const G = 1_000_000_000;

function asking(
  standby: StandbyRequest,
  constraints: CandidatePathIntent['path']['constraints'] = {},
  preference = 200,
): CandidatePathIntent {
  return {
    discriminator: preference,
    preference,
    path: { kind: 'dynamic', metric: 'delay', constraints, standby },
  };
}

const strict: StandbyRequest = { disjoint: 'node' };
const relaxed: StandbyRequest = { disjoint: ['node', 'srlg'], mode: 'relaxed' };

/** After a change that can only make things worse. */
const noBetter = (policy: PolicyToEvaluate): PolicyToEvaluate => ({ ...policy, reoptimise: false });

function standbyLinks({ standby }: PolicyEvaluation): readonly LinkId[] | undefined {
  return standby?.lists[0]?.links;
}

/** Both ways in one duct. */
const duct = withLinks(diamond(), { 'a:b': { srlgs: [7] }, 'c:d': { srlgs: [7] } });

describe('the standby that a candidate path asks for', () => {
  it('is proved, disjoint from the lists in use, of their candidate path, and books nothing', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [asking(strict, { bandwidthBps: 2 * G })]));
    expect(linksOf(evaluation)).toEqual(UPPER);
    expect(standbyLinks(evaluation)).toEqual(LOWER);
    expect(evaluation.standby).toMatchObject({ candidate: 200, metric: 'delay' });
    expect(evaluation.standby?.crossed.links).toEqual([...LOWER].sort());
    expect(evaluation.standby?.lists[0]?.segmentLists.map(({ family }) => family)).toEqual(['ipv4', 'ipv6']);
    expect(evaluation.disjointStandby).toEqual({
      isFound: true,
      achieved: ['node'],
      unachieved: [],
      // What the only links of the hosts bring with them.
      shared: { nodes: ['a', 'd'], links: ['d:h2', 'h1:a'], srlgs: [], sites: [] },
      message: null,
    });
    expect(evaluation.bookings.map(({ linkId }) => linkId)).toEqual([...UPPER].sort());
    expect(evaluation).toMatchObject({ unsettled: false, starved: false });
  });

  it('goes before the lists of the next candidate path, and these are used where there is none', () => {
    const viaB = lowestDelay({ exclude: { nodes: ['c'] } }, 100);
    const paths = [asking(strict), viaB];
    expect(evaluateOne(diamond(), newPolicy('h1', 'h2', paths)).standby?.candidate).toBe(200);
    const bound = [{ metric: 'delay' as const, max: 3000 }];
    const asked = asking({ ...strict, constraints: { bounds: bound } });
    const viaC = lowestDelay({ exclude: { nodes: ['b'] } }, 100);
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [asked, viaC]));
    expect(evaluation.standby?.candidate).toBe(100);
    expect(evaluation.disjointStandby).toMatchObject({ isFound: false, achieved: [], shared: null });
    expect(evaluation.disjointStandby?.message).toMatch(/^there is no standby that is node-disjoint from the primary/);
    expect(evaluation.unsettled).toBe(true);
  });

  it('is none for a policy whose active candidate path asks for none', () => {
    expect(evaluateOne(diamond(), newPolicy('h1', 'h2', [lowestDelay()])).disjointStandby).toBeNull();
    const impossible = asking(strict, { bounds: [{ metric: 'delay', max: 1 }] });
    const fallback = newPolicy('h1', 'h2', [impossible], { fallback: 'shortest-path' });
    expect(evaluateOne(diamond(), fallback)).toMatchObject({ standby: null, disjointStandby: null });
  });

  it('obeys constraints of its own where it has some, and otherwise what the active lists keep', () => {
    const bounds = [{ metric: 'delay' as const, max: 3000 }];
    const bounded = newPolicy('h1', 'h2', [asking(strict, { bounds })]);
    expect(evaluateOne(diamond(), bounded).standby).toBeNull();
    const own = newPolicy('h1', 'h2', [asking({ ...strict, constraints: {} }, { bounds })]);
    expect(standbyLinks(evaluateOne(diamond(), own))).toEqual(LOWER);
    const missed = asking(strict, { bounds: [{ metric: 'delay', max: 1 }] });
    const path = { ...missed.path, optional: ['/constraints/bounds/0'] } as CandidatePathIntent['path'];
    expect(standbyLinks(evaluateOne(diamond(), newPolicy('h1', 'h2', [{ ...missed, path }])))).toEqual(LOWER);
  });

  it('is the strongest there is when relaxed, says what stands in the way, and waits for better', () => {
    const evaluation = evaluateOne(duct, newPolicy('h1', 'h2', [asking(relaxed)]));
    expect(standbyLinks(evaluation)).toEqual(LOWER);
    expect(evaluation.disjointStandby).toMatchObject({ isFound: true, achieved: ['node'], message: null });
    expect(evaluation.disjointStandby?.shared?.srlgs).toEqual([7]);
    expect(evaluation.disjointStandby?.unachieved).toMatchObject([{ disjoint: ['node', 'srlg'], isProved: true }]);
    expect(evaluation.unsettled).toBe(true);
  });

  it('stays while it holds, whatever shorter one there may be, and gives way to one that keeps more', () => {
    const slow = withLinks(diamond(), { 'a:c': { delayUs: 9000 } });
    const policy = newPolicy('h1', 'h2', [asking(relaxed)]);
    const first = evaluateOne(slow, policy);
    const again = evaluateOne(diamond(), adopted(policy, first));
    expect(incumbentAfter(again)).toEqual({ ...incumbentAfter(first) });
    const shared = evaluateOne(duct, adopted(policy, evaluateOne(duct, policy)));
    expect(shared.disjointStandby?.achieved).toEqual(['node']);
    const free = evaluateOne(diamond(), adopted(policy, shared));
    expect(free.disjointStandby).toMatchObject({ achieved: ['node', 'srlg'], unachieved: [] });
  });

  it('is withdrawn when it fails, and does not keep to a weaker level than is possible', () => {
    const policy = newPolicy('h1', 'h2', [asking(relaxed)]);
    const first = evaluateOne(diamond(), policy);
    const inDuct = evaluateOne(duct, noBetter(adopted(policy, first)));
    expect(inDuct.disjointStandby?.achieved).toEqual(['node']);
    const failed = evaluateOne(withLinkDown(diamond(), 'c:d'), noBetter(adopted(policy, first)));
    expect(failed).toMatchObject({ decision: 'kept', standby: null, unsettled: true });
    expect(failed.disjointStandby?.message).toContain('there is no standby that is node- and srlg-disjoint');
    // Known not to exist: a change for the worse is no reason to search.
    const still = evaluateOne(withLinkDown(diamond(), 'c:d'), noBetter(adopted(policy, failed)));
    expect(still.disjointStandby).toEqual(failed.disjointStandby);
  });

  it('gives its lists to the candidate path when the active ones fail', () => {
    // Neither of two equal ways is taken by the IGP alone.
    const even = withLinks(diamond(), { 'a:c': { igpMetric: 10 }, 'c:d': { igpMetric: 10 } });
    const policy = newPolicy('h1', 'h2', [asking(strict, { bounds: [{ metric: 'delay', max: 5000 }] })]);
    const first = evaluateOne(even, policy);
    const failed = evaluateOne(withLinkDown(even, 'a:b'), adopted(policy, first));
    expect(failed.decision).toBe('changed');
    expect(incumbentAfter(failed).lists).toEqual(incumbentAfter(first).standby?.lists);
    expect(failed.standby).toBeNull();
  });

  it('avoids links on hold where it can, and leaves what is drained only for something else', () => {
    const policy = newPolicy('h1', 'h2', [asking(strict)]);
    expect(standbyLinks(evaluateOne(diamond(), policy, { heldLinks: ['a:c'] }))).toEqual(LOWER);
    const first = evaluateOne(diamond(), policy);
    const drained = withNodes(diamond(), { c: { adminState: 'drained' } });
    const kept = evaluateOne(drained, adopted(policy, first));
    expect(standbyLinks(kept)).toEqual(LOWER);
    expect(kept.unsettled).toBe(true);
    expect(evaluateOne(withNodes(diamond(), { c: { adminState: 'down' } }), adopted(policy, first)).standby).toBeNull();
  });

  it('is searched again when bandwidth is released that it lacks', () => {
    const policy = newPolicy('h1', 'h2', [asking(strict, { bandwidthBps: 4 * G })]);
    const booked = inUse([{ linkId: 'c:d', bandwidthBps: 8 * G }]);
    const lacking = evaluateOne(diamond(), policy, { booked });
    expect(lacking).toMatchObject({ standby: null, starved: true, unsettled: true });
    expect(standbyLinks(evaluateOne(diamond(), adopted(policy, lacking)))).toEqual(LOWER);
    const cut = evaluateOne(withLinkDown(diamond(), 'c:d'), policy);
    expect(cut).toMatchObject({ standby: null, starved: false, unsettled: true });
  });

  it('is not made of planned SIDs unless the active lists are', () => {
    const plannedC = withNodes(diamond(), {
      c: {
        sids: diamond()
          .nodes.flatMap(({ id, sids }) => (id === 'c' ? sids : []))
          .map((sid) => ({ ...sid, origin: 'planned' as const })),
      },
    });
    const evaluation = evaluateOne(plannedC, newPolicy('h1', 'h2', [asking(strict)]));
    expect(evaluation.standby).toBeNull();
    expect(evaluation.disjointStandby?.message).toContain('planned');
  });
});
