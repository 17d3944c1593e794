import { describe, expect, it } from 'vitest';
import { adopted, evaluateOne, explicit, linksOf } from '../testing/evaluate-sketched.js';
import {
  diamond,
  endOf,
  LOWER,
  lowestDelay,
  newPolicy,
  UPPER,
  withLinkDown,
  withLinks,
  withNodes,
} from '../testing/sketched-network.js';
import type { CandidatePathIntent } from '../model/sr-policy.js';
import type { PolicyToEvaluate } from './evaluate-policies-model.js';

describe('a policy that is computed for the first time', () => {
  it('takes the best path and ends each family in its service SID', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [lowestDelay()]));
    expect(evaluation).toMatchObject({
      status: 'up',
      activeCandidate: 100,
      compliance: 'constraints-met',
      decision: 'changed',
      objective: { metric: 'delay', value: 2020 },
      bookings: [],
      unsettled: false,
    });
    expect(linksOf(evaluation)).toEqual(UPPER);
    expect(evaluation.crossed.links).toEqual([...UPPER].sort());
    const finished = evaluation.lists[0]?.segmentLists.map(({ family, segments }) => [
      family,
      segments.at(-1)?.behavior,
    ]);
    expect(finished).toEqual([
      ['ipv4', 'End.DT4'],
      ['ipv6', 'End.DT6'],
    ]);
  });

  it('selects the valid candidate path of the highest preference and says why others are not', () => {
    const bounded = lowestDelay({ bounds: [{ metric: 'delay', max: 100 }] }, 300);
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [lowestDelay(), bounded]));
    expect(evaluation.activeCandidate).toBe(100);
    expect(evaluation.candidatePaths).toMatchObject([
      { discriminator: 300, valid: false, active: false, reason: 'metric-bound-exceeded' },
      { discriminator: 100, valid: true, active: true, reason: null },
    ]);
    expect(evaluation.unsettled).toBe(true);
  });

  it('is not settled while a better path takes more than its headend may push, until the IGP goes there by itself', () => {
    const { path, ...candidate } = lowestDelay();
    const short = { ...candidate, path: { ...path, maxSegments: 0 } } as CandidatePathIntent;
    const policy = newPolicy('h1', 'h2', [short]);
    const away = withLinks(diamond(), { 'a:b': { igpMetric: 100 } });
    const first = evaluateOne(away, policy);
    expect([linksOf(first), first.unsettled]).toEqual([LOWER, true]);
    const looked = evaluateOne(away, { ...adopted(policy, first), reoptimise: false });
    expect(looked).toMatchObject({ decision: 'kept', unsettled: true });
    const later = evaluateOne(diamond(), { ...adopted(policy, looked), reoptimise: true });
    expect([linksOf(later), later.unsettled]).toEqual([UPPER, false]);
  });

  it('proves an explicit list and says that nothing constrains it', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [explicit([endOf.c])]));
    expect(evaluation).toMatchObject({ status: 'up', compliance: 'unconstrained' });
    expect(linksOf(evaluation)).toEqual(LOWER);
  });

  it('goes to the next candidate path when an explicit list leads nowhere', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [explicit(['fd00:dead::']), lowestDelay()]));
    expect(evaluation.activeCandidate).toBe(100);
    expect(evaluation.candidatePaths[0]).toMatchObject({ valid: false, reason: 'unknown-sid' });
  });

  it('keeps the valid lists of an explicit candidate path of which some are not', () => {
    const path = explicit([]);
    const segmentLists = [
      { weight: 3, sids: [endOf.c] },
      { weight: 1, sids: ['fd00:dead::'] },
    ];
    const policy = newPolicy('h1', 'h2', [{ ...path, path: { kind: 'explicit', segmentLists } }]);
    const evaluation = evaluateOne(diamond(), policy);
    expect(evaluation.lists.map(({ weight }) => weight)).toEqual([3]);
    expect(evaluation.candidatePaths[0]?.message).toContain('list 2');
  });

  it('marks lists that use planned SIDs', () => {
    const ted = diamond();
    const planned = withNodes(ted, {
      h2: {
        sids:
          ted.nodes.find(({ id }) => id === 'h2')?.sids.map((sid) => ({ ...sid, origin: 'planned' as const })) ?? [],
      },
    });
    const evaluation = evaluateOne(planned, newPolicy('h1', 'h2', [lowestDelay()]));
    expect(evaluation.lists[0]?.segmentLists.every(({ proof }) => proof.usesPlannedSids)).toBe(true);
  });
});

describe('without a valid candidate path', () => {
  const impossible = lowestDelay({ bounds: [{ metric: 'delay', max: 1 }] });

  it('drops when the operator asked for that', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [impossible], { fallback: 'drop' }));
    expect(evaluation).toMatchObject({
      status: 'fallback',
      compliance: 'constraints-not-met',
      lists: [],
      unsettled: true,
    });
  });

  it('takes the shortest path of the IGP, proved for delivery', () => {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [impossible], { fallback: 'shortest-path' }));
    expect(evaluation).toMatchObject({ status: 'fallback', compliance: 'constraints-not-met', activeCandidate: null });
    expect(linksOf(evaluation)).toEqual(UPPER);
  });

  it('is down when not even the shortest path delivers', () => {
    const cut = withLinkDown(diamond(), 'd:h2');
    const evaluation = evaluateOne(cut, newPolicy('h1', 'h2', [lowestDelay()], { fallback: 'shortest-path' }));
    expect(evaluation).toMatchObject({ status: 'down', compliance: null, lists: [] });
  });

  it('is down when the shortest path crosses what the operator took down', () => {
    const ted = withNodes(diamond(), { b: { adminState: 'down' } });
    const evaluation = evaluateOne(ted, newPolicy('h1', 'h2', [impossible], { fallback: 'shortest-path' }));
    expect(evaluation.status).toBe('down');
  });

  it('says that the endpoint is unknown or has no service SID', () => {
    const gone = { ...diamond(), nodes: diamond().nodes.filter(({ id }) => id !== 'h2') };
    expect(evaluateOne(gone, newPolicy('h1', 'h2', [lowestDelay()])).candidatePaths[0]?.reason).toBe(
      'destination-unknown',
    );
    const bare = withNodes(diamond(), { h2: { sids: [] } });
    expect(evaluateOne(bare, newPolicy('h1', 'h2', [explicit([])])).candidatePaths[0]?.reason).toBe('sid-unresolved');
  });

  it('has no list for a family whose service SID another node claims, too', () => {
    const sids = diamond().nodes.find(({ id }) => id === 'h2')?.sids ?? [];
    const contested = (claimed: typeof sids) => {
      const ted = withNodes(diamond(), { h1: { sids: claimed } });
      return evaluateOne(ted, newPolicy('h1', 'h2', [explicit([])]));
    };
    const ipv4 = sids.filter(({ behavior }) => behavior === 'End.DT4');
    expect(contested(ipv4).lists[0]?.segmentLists.map(({ family }) => family)).toEqual(['ipv6']);
    expect(contested(sids).candidatePaths[0]?.reason).toBe('sid-unresolved');
  });
});

describe('a policy that has lists', () => {
  function upOn(
    links: readonly string[],
    path = lowestDelay(),
    more: Partial<PolicyToEvaluate> = {},
  ): PolicyToEvaluate {
    const policy = newPolicy('h1', 'h2', [path], more);
    const avoided = links === UPPER ? 'a:c' : 'a:b';
    const evaluation = evaluateOne(withLinkDown(diamond(), avoided), policy);
    expect(linksOf(evaluation)).toEqual(links);
    return adopted(policy, evaluation);
  }

  /** Its list names the lower way, where the IGP would take the upper one. */
  function throughC(candidate = lowestDelay()): PolicyToEvaluate {
    const evaluation = evaluateOne(diamond(), newPolicy('h1', 'h2', [explicit([endOf.c])]));
    expect(linksOf(evaluation)).toEqual(LOWER);
    return adopted(newPolicy('h1', 'h2', [candidate]), { ...evaluation, activeCandidate: candidate.discriminator });
  }

  it('moves when its list no longer delivers', () => {
    const evaluation = evaluateOne(withNodes(diamond(), { c: { operationalState: 'down' } }), throughC());
    expect(evaluation.decision).toBe('changed');
    expect(linksOf(evaluation)).toEqual(UPPER);
  });

  it('keeps a list that the IGP carries around a failure', () => {
    const evaluation = evaluateOne(withLinkDown(diamond(), 'a:b'), upOn(UPPER));
    expect(evaluation).toMatchObject({ decision: 'kept', objective: { value: 4020 } });
    expect(linksOf(evaluation)).toEqual(LOWER);
  });

  it('moves back for a path that is better', () => {
    const evaluation = evaluateOne(diamond(), throughC());
    expect(linksOf(evaluation)).toEqual(UPPER);
    expect(evaluation.cause).toContain('2020 instead of 4020');
  });

  it('looks for a better path when its own got worse, though nothing improved', () => {
    const policy = { ...upOn(UPPER), reoptimise: false };
    const slow = withLinks(diamond(), { 'a:b': { delayUs: 9000 } });
    expect(linksOf(evaluateOne(slow, policy))).toEqual(LOWER);
  });

  it('moves for any gain, and for none stays', () => {
    const upperOf = (delayUs: number) => withLinks(diamond(), { 'a:b': { delayUs }, 'b:d': { delayUs: 2000 } });
    expect(evaluateOne(upperOf(2000), throughC()).decision).toBe('kept');
    expect(linksOf(evaluateOne(upperOf(1999), throughC()))).toEqual(UPPER);
  });

  it('is only proved, not re-optimised, when nothing can have become better', () => {
    const settled = adopted(throughC(), evaluateOne(withLinkDown(diamond(), 'a:b'), throughC()));
    expect(evaluateOne(diamond(), { ...settled, reoptimise: false }).decision).toBe('kept');
    expect(evaluateOne(diamond(), settled).decision).toBe('changed');
  });

  it('does not move to a link on hold, but rather that than nothing', () => {
    const held = { heldLinks: ['a:b'] };
    expect(evaluateOne(diamond(), throughC(), held).decision).toBe('kept');
    const onlyUpper = withNodes(diamond(), { c: { operationalState: 'down' } });
    expect(linksOf(evaluateOne(onlyUpper, throughC(), held))).toEqual(UPPER);
  });

  it('leaves a drained link when there is another way', () => {
    const drained = withLinks(diamond(), { 'a:b': { adminState: 'drained' } });
    expect(linksOf(evaluateOne(drained, upOn(UPPER)))).toEqual(LOWER);
  });

  it('stays on a drained link for want of an alternative, and says so', () => {
    const drained = withLinks(withLinkDown(diamond(), 'a:c'), { 'a:b': { adminState: 'drained' } });
    const evaluation = evaluateOne(drained, upOn(UPPER));
    expect(evaluation).toMatchObject({ status: 'up', decision: 'blocked', unsettled: true });
    expect(evaluation.cause).toContain('stays');
    expect(evaluation.candidatePaths).toMatchObject([{ active: true, valid: true, message: evaluation.cause }]);
  });

  it('does not stay on a link that the operator took down', () => {
    const down = withLinks(withLinkDown(diamond(), 'a:c'), { 'a:b': { adminState: 'down' } });
    expect(evaluateOne(down, upOn(UPPER)).status).toBe('fallback');
  });

  it('keeps pinned lists though something better exists, and shows when they break the constraints', () => {
    const policy = throughC(lowestDelay({ bounds: [{ metric: 'delay', max: 3000 }] }));
    const lists = policy.incumbent?.lists ?? [];
    const evaluation = evaluateOne(diamond(), { ...policy, pinned: { activeCandidate: 100, lists } });
    expect(evaluation).toMatchObject({ decision: 'kept', status: 'up', compliance: 'constraints-not-met' });
    expect(linksOf(evaluation)).toEqual(LOWER);
  });

  it('leaves pinned lists that no longer deliver and returns when they do again', () => {
    const policy = throughC();
    const pinned = { ...policy, pinned: { activeCandidate: 100, lists: policy.incumbent?.lists ?? [] } };
    const broken = withNodes(diamond(), { c: { operationalState: 'down' } });
    const away = evaluateOne(broken, pinned);
    expect(linksOf(away)).toEqual(UPPER);
    expect(away.unsettled).toBe(true);
    expect(linksOf(evaluateOne(diamond(), adopted(pinned, away)))).toEqual(LOWER);
  });

  it('gives a changed service SID to the same transport list', () => {
    const policy = upOn(UPPER);
    const ted = diamond();
    const renumbered = withNodes(ted, {
      h2: {
        sids:
          ted.nodes.find(({ id }) => id === 'h2')?.sids.map((sid) => ({ ...sid, sid: sid.sid.replace(':d', ':e') })) ??
          [],
      },
    });
    const evaluation = evaluateOne(renumbered, policy);
    expect(evaluation.decision).toBe('kept');
    expect(evaluation.lists[0]?.segmentLists[0]?.segments.at(-1)?.sid).toContain(':e4');
  });

  it('takes a candidate path of higher preference as soon as it is valid', () => {
    const bounded = lowestDelay({ bounds: [{ metric: 'delay', max: 3000 }] }, 300);
    const policy = newPolicy('h1', 'h2', [lowestDelay(), bounded]);
    const without = adopted(policy, evaluateOne(withLinkDown(diamond(), 'a:b'), policy));
    expect(without.incumbent?.activeCandidate).toBe(100);
    expect(evaluateOne(diamond(), without).activeCandidate).toBe(300);
  });
});
