import { type LinkId } from '@waymark/topology';
import { describe, expect, it } from 'vitest';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import { adopted, evaluateOne } from '../testing/evaluate-sketched.js';
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

/** Over c only. */
const overC = (preference: number, bandwidthBps?: number): CandidatePathIntent =>
  lowestDelay({ exclude: { nodes: ['b'] }, ...(bandwidthBps === undefined ? {} : { bandwidthBps }) }, preference);

/** After a change that can only make things worse. */
const noBetter = (policy: PolicyToEvaluate): PolicyToEvaluate => ({ ...policy, reoptimise: false });

function standbyLinks({ standby }: PolicyEvaluation): readonly LinkId[] | undefined {
  return standby?.lists[0]?.links;
}

const twoPaths = newPolicy('h1', 'h2', [lowestDelay({}, 200), overC(100)]);

describe('the standby of a policy', () => {
  it('has the finished, proved lists of the next valid candidate path, and books nothing', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [lowestDelay({}, 200), overC(100, 3 * G)]));
    expect(evaluation.activeCandidate).toBe(200);
    expect(evaluation.standby).toMatchObject({ candidate: 100, metric: 'delay' });
    expect(standbyLinks(evaluation)).toEqual(LOWER);
    expect(evaluation.standby?.crossed.links).toEqual([...LOWER].sort());
    expect(
      evaluation.standby?.lists[0]?.segmentLists.map(({ family, segments }) => [family, segments.at(-1)?.behavior]),
    ).toEqual([
      ['ipv4', 'End.DT4'],
      ['ipv6', 'End.DT6'],
    ]);
    expect(evaluation.bookings).toEqual([]);
    expect(evaluation.unsettled).toBe(false);
  });

  it('does not exist for a single candidate path, nor for one that is not up', () => {
    expect(evaluateOne(diamond(), newPolicy('h1', 'h2', [lowestDelay()])).standby).toBeNull();
    const impossible = lowestDelay({ bounds: [{ metric: 'delay', max: 1 }] });
    const fallback = newPolicy('h1', 'h2', [impossible, { ...impossible, discriminator: 1 }], {
      fallback: 'shortest-path',
    });
    expect(evaluateOne(diamond(), fallback)).toMatchObject({ status: 'fallback', standby: null });
  });

  it('never repeats the active lists: the next candidate path that differs is taken', () => {
    const same = evaluateOne(diamond(), newPolicy('h1', 'h2', [lowestDelay({}, 200), lowestDelay({}, 150)]));
    expect(same).toMatchObject({ standby: null, unsettled: false });
    const three = newPolicy('h1', 'h2', [lowestDelay({}, 200), lowestDelay({}, 150), overC(100)]);
    expect(evaluateOne(diamond(), three).standby?.candidate).toBe(100);
  });

  it('stays while it holds, although something better exists for it', () => {
    const lowBound = lowestDelay({ exclude: { nodes: ['b'] } }, 100);
    const policy = newPolicy('h1', 'h2', [lowestDelay({}, 200), lowBound]);
    const before = adopted(policy, evaluateOne(diamond(), policy));
    const slower = withLinks(diamond(), { 'a:c': { delayUs: 2500 } });
    const again = evaluateOne(slower, before);
    expect(again.decision).toBe('kept');
    expect(incumbentAfter(again).standby).toEqual(before.incumbent?.standby);
  });

  it('follows when its candidate path minimises something else now', () => {
    const before = adopted(twoPaths, evaluateOne(diamond(), twoPaths));
    const [active, other] = twoPaths.candidatePaths as [CandidatePathIntent, CandidatePathIntent];
    const byHops = { ...other, path: { ...other.path, metric: 'hop' } as CandidatePathIntent['path'] };
    const rewritten = { ...before, candidatePaths: [active, byHops] };
    expect(evaluateOne(diamond(), rewritten).standby).toMatchObject({ candidate: 100, metric: 'hop' });
  });

  it('is withdrawn when it does not hold any more, and wanted again', () => {
    const before = noBetter(adopted(twoPaths, evaluateOne(diamond(), twoPaths)));
    const evaluation = evaluateOne(withLinkDown(diamond(), 'c:d'), before);
    expect(evaluation).toMatchObject({ decision: 'kept', standby: null, unsettled: true });
    expect(evaluation.candidatePaths[1]).toMatchObject({ discriminator: 100, valid: false });
    const without = adopted(before, evaluation);
    expect(evaluateOne(diamond(), { ...without, reoptimise: true }).standby?.candidate).toBe(100);
  });

  it('is replaced by that of the next candidate path when it does not hold any more', () => {
    const bounded = lowestDelay({ exclude: { nodes: ['b'] }, bounds: [{ metric: 'delay', max: 4020 }] }, 200);
    const policy = newPolicy('h1', 'h2', [lowestDelay({}, 300), bounded, overC(100)]);
    const first = evaluateOne(diamond(), policy);
    expect(first.standby?.candidate).toBe(200);
    const slower = evaluateOne(withLinks(diamond(), { 'a:c': { delayUs: 2500 } }), noBetter(adopted(policy, first)));
    expect(slower).toMatchObject({ decision: 'kept', standby: { candidate: 100 }, unsettled: true });
  });

  it('becomes active when the active lists fail, and leaves nothing behind it', () => {
    const policy = newPolicy('h1', 'h2', [lowestDelay({ exclude: { nodes: ['c'] } }, 200), overC(100)]);
    const before = adopted(policy, evaluateOne(diamond(), policy));
    const failed = evaluateOne(withLinkDown(diamond(), 'b:d'), noBetter(before));
    expect(failed).toMatchObject({ activeCandidate: 100, standby: null, unsettled: true });
    expect(failed.lists[0]?.links).toEqual(LOWER);
  });

  it('moves to a better candidate path as soon as that is valid', () => {
    const policy = newPolicy('h1', 'h2', [
      lowestDelay({}, 300),
      lowestDelay({ exclude: { nodes: ['b'] }, bounds: [{ metric: 'delay', max: 3000 }] }, 200),
      overC(100),
    ]);
    const first = evaluateOne(diamond(), policy);
    expect(first).toMatchObject({ standby: { candidate: 100 }, unsettled: true });
    const faster = withLinks(diamond(), { 'a:c': { delayUs: 1400 }, 'c:d': { delayUs: 1400 } });
    expect(evaluateOne(faster, noBetter(adopted(policy, first))).standby?.candidate).toBe(100);
    expect(evaluateOne(faster, adopted(policy, first)).standby?.candidate).toBe(200);
  });

  it('asks for room when it is chosen, and stays when others book it later', () => {
    const policy = newPolicy('h1', 'h2', [lowestDelay({}, 200), lowestDelay({ bandwidthBps: 8 * G }, 100)]);
    const upper = { linkId: 'b:d', bandwidthBps: 9 * G };
    const both = { booked: inUse([upper, { linkId: 'c:d', bandwidthBps: 9 * G }]) };
    expect(evaluateOne(diamond(), policy, both)).toMatchObject({ standby: null, starved: true, unsettled: true });
    const first = evaluateOne(diamond(), policy, { booked: inUse([upper]) });
    expect(standbyLinks(first)).toEqual(LOWER);
    expect(evaluateOne(diamond(), adopted(policy, first), both)).toMatchObject({
      standby: { candidate: 100 },
      bookings: [],
    });
  });

  it('leaves what is drained where there is an alternative, and stays where there is none', () => {
    const before = adopted(twoPaths, evaluateOne(diamond(), twoPaths));
    const drained = withLinks(diamond(), { 'c:d': { adminState: 'drained' } });
    const stays = evaluateOne(drained, before);
    expect(standbyLinks(stays)).toEqual(LOWER);
    expect(stays.unsettled).toBe(true);
    expect(evaluateOne(drained, twoPaths).standby).toBeNull();
    const down = withLinks(diamond(), { 'c:d': { adminState: 'down' } });
    expect(evaluateOne(down, before).standby).toBeNull();
  });

  it('goes over links that returned too recently only where nothing else is valid', () => {
    expect(standbyLinks(evaluateOne(diamond(), twoPaths, { heldLinks: ['c:d'] }))).toEqual(LOWER);
    const policy = newPolicy('h1', 'h2', [overC(300), lowestDelay({}, 200)]);
    const held = evaluateOne(diamond(), policy, { heldLinks: ['a:c'] });
    // The active path avoids the held link and takes the upper way; only over the held link something else is left.
    expect(held.lists[0]?.links).toEqual(UPPER);
    expect(standbyLinks(held)).toEqual(LOWER);
  });

  it('of an explicit candidate path has those of its lists that are proved', () => {
    const explicit: CandidatePathIntent = {
      discriminator: 7,
      preference: 100,
      path: {
        kind: 'explicit',
        segmentLists: [
          { weight: 3, sids: ['fd00:0:3:1::'] },
          { weight: 1, sids: ['fd00:dead::'] },
        ],
      },
    };
    const policy = newPolicy('h1', 'h2', [lowestDelay({}, 200), explicit]);
    const first = evaluateOne(diamond(), policy);
    expect(first.standby).toMatchObject({ candidate: 7, metric: null, lists: [{ weight: 3 }] });
    expect(evaluateOne(diamond(), adopted(policy, first)).standby).toEqual(first.standby);
  });

  it('uses no planned SID when the active lists use none: that would keep them from a real data plane', () => {
    const ted = diamond();
    const plannedC = withNodes(ted, {
      c: {
        sids: ted.nodes.find(({ id }) => id === 'c')?.sids.map((sid) => ({ ...sid, origin: 'planned' as const })) ?? [],
      },
    });
    expect(evaluateOne(plannedC, twoPaths)).toMatchObject({ status: 'up', standby: null });
  });
});
