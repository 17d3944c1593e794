import { freezeSnapshot } from '@waymark/topology';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ComputePool } from '../compute/compute-pool.js';
import { overlayOf, singleFailures } from '../compute/failure-overlay.js';
import { FailureSweep } from '../compute/failure-sweep.js';
import { Jobs } from '../compute/jobs.js';
import type { FailureSweepRequest } from '../model/failure-sweep.js';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { eventually } from '../testing/eventually.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withLinks } from '../testing/sketched-network.js';
import { bookedPerLink } from './bookings.js';
import { loadPolicies } from './evaluation-input.js';
import { FailureSweeps } from './failure-sweeps.js';

const actor = { name: 'operator' };
const G = 1_000_000_000;
let harness: PolicyHarness;
let pool: ComputePool;
let jobs: Jobs;
let sweeps: FailureSweeps;

beforeEach(async () => {
  harness = await PolicyHarness.create(withLinks(diamond(), { 'c:d': { srlgs: [7] }, 'b:d': { srlgs: [7] } }));
  await harness.lead();
  pool = new ComputePool({ threads: 1 });
  jobs = new Jobs({ controller: 'c1', now: () => new Date(), log: { error: () => undefined } });
  sweeps = new FailureSweeps({
    db: harness.database.db,
    topology: { ted: () => Promise.resolve(harness.ted) },
    pool,
    jobs,
  });
});

afterEach(async () => {
  await jobs.close();
  await pool.close();
  await harness.stop();
});

async function create(more: Partial<SrPolicyIntent> = {}): Promise<void> {
  const intent = {
    headend: 'h1',
    color: 1,
    endpoint: 'h2',
    fallback: 'drop',
    candidatePaths: [lowestDelay()],
  } as const;
  await harness.service.createPolicy({ ...intent, ...more }, actor);
  await harness.settled();
  await harness.ack('h1');
}

async function swept(request: Partial<FailureSweepRequest> = {}) {
  await sweeps.start({ id: 's', kinds: ['link', 'node', 'srlg', 'site'], ...request });
  await eventually(() => {
    const { status } = sweeps.sweep('s');
    if (status !== 'done') throw new Error(status);
    return Promise.resolve();
  });
  return sweeps.failures('s', { limit: 1000 }).items;
}

const before = { id: expect.any(String) as string, controller: 'c1' };

describe('a sweep over single failures', () => {
  it('tells of every link, node, SRLG and site what its failure does, at once and after the reaction', async () => {
    await create();
    const impacts = await swept();
    expect(
      impacts
        .map(({ failure }) => failure.kind)
        .join(' ')
        .replace(/(\w+)( \1)+/g, '$1'),
    ).toBe('link node srlg site');
    const told = impacts.map(({ failure, outcome, policies, ended }) => [
      Object.values(failure).slice(0, 2).join(' '),
      outcome,
      policies.map(({ atOnce, afterReaction, reason }) => [atOnce, afterReaction, reason]),
      ended,
    ]);
    // The list is the service SID alone, so that routers carry it over the other way.
    expect(told).toContainEqual(['link a:b', 'harmless', [], []]);
    expect(told).toContainEqual(['link a:h1', 'loses', [['lost', 'fallback', 'link-down']], []]);
    expect(told).toContainEqual(['link a:c', 'harmless', [], []]);
    expect(told).toContainEqual(['node d', 'loses', [['lost', 'fallback', 'not-routed']], []]);
    expect(told).toContainEqual(['node h2', 'harmless', [], ['h1:1:h2']]);
    expect(told).toContainEqual(['srlg 7', 'loses', [['lost', 'fallback', 'not-routed']], []]);
    expect(told).toContainEqual(['site site-h1', 'harmless', [], ['h1:1:h2']]);
    expect(sweeps.sweep('s')).toMatchObject({ ...before, status: 'done', available: impacts.length });
    const { items, next } = await sweeps.atRisk('s', { limit: 10 });
    expect(items.map(({ policyId, loses, recovers }) => [policyId, loses.length, recovers.length])).toEqual([
      ['h1:1:h2', 5, 0],
    ]);
    expect(next).toBeNull();
  });

  it('tells a bound that is broken until the controller reacts from a guarantee that is gone', async () => {
    const bounded = { bounds: [{ metric: 'delay' as const, max: 3000 }] };
    const wide = { ...lowestDelay({}, 50), discriminator: 2 };
    await create({ candidatePaths: [lowestDelay(bounded), wide] });
    await create({ color: 2, candidatePaths: [lowestDelay(bounded)] });
    const impacts = await swept({ kinds: ['link'] });
    const ofUpper = impacts.find(({ failure }) => failure.kind === 'link' && failure.link === 'a:b');
    expect(ofUpper).toMatchObject({
      outcome: 'loses',
      counts: { lost: 2, moved: 1, fallback: 1 },
      policies: [
        { policyId: 'h1:1:h2', atOnce: 'lost', afterReaction: 'moved', reason: 'metric-bound-exceeded' },
        { policyId: 'h1:2:h2', atOnce: 'lost', afterReaction: 'fallback', reason: 'metric-bound-exceeded' },
      ],
    });
    const risks = await sweeps.atRisk('s', { limit: 1 });
    expect(risks.items[0]).toMatchObject({ policyId: 'h1:1:h2', recovers: [{ link: 'a:b' }, { link: 'b:d' }] });
    const rest = await sweeps.atRisk('s', { limit: 1, after: risks.next ?? '' });
    expect(rest.items[0]?.policyId).toBe('h1:2:h2');
  });

  it('shares bandwidth by priority: who is driven out is told, also where it crosses nothing that failed', async () => {
    const six = [lowestDelay({ bandwidthBps: 6 * G })];
    await create({ color: 1, candidatePaths: six, setupPriority: 0 });
    await create({ color: 2, candidatePaths: six });
    const impacts = await swept({ kinds: ['link'] });
    const ofUpper = impacts.find(({ failure }) => failure.kind === 'link' && failure.link === 'a:b');
    expect(ofUpper).toMatchObject({ outcome: 'loses', counts: { preempted: 1 } });
    expect(ofUpper?.policies).toContainEqual(
      expect.objectContaining({ policyId: 'h1:2:h2', atOnce: 'kept', afterReaction: 'preempted' }),
    );
    const filtered = await (sweeps.delete('s'), swept({ kinds: ['link'], policies: { color: 1 } }));
    expect(filtered.flatMap(({ policies }) => policies.map(({ policyId }) => policyId))).not.toContain('h1:2:h2');
  });

  it('lets things fail under an overlay, once all have reacted to that', async () => {
    await create({ candidatePaths: [lowestDelay({ bandwidthBps: 6 * G })] });
    const upperIsDown = { down: { nodes: ['b'] } };
    const impacts = await swept({ kinds: ['link'], overlay: upperIsDown });
    expect(sweeps.sweep('s').hypothetical).toEqual({ overlay: upperIsDown, unroutedDemands: [] });
    // What is down already cannot fail again.
    expect(impacts.map(({ failure }) => failure)).toMatchObject(
      ['a:c', 'a:h1', 'c:d', 'd:h2'].map((link) => ({ kind: 'link', link })),
    );
    expect(impacts.map(({ outcome }) => outcome)).toEqual(['loses', 'loses', 'loses', 'loses']);
    const demand = { links: ['a:c', 'c:a'], bandwidthBps: 6 * G };
    const busy = await (sweeps.delete('s'), swept({ kinds: ['link'], overlay: { demands: [demand] } }));
    expect(busy.find(({ failure }) => failure.kind === 'link' && failure.link === 'a:b')).toMatchObject({
      outcome: 'loses',
      policies: [{ policyId: 'h1:1:h2', afterReaction: 'fallback', reason: 'insufficient-bandwidth' }],
    });
    const free = await (sweeps.delete('s'), swept({ kinds: ['link'] }));
    expect(free.find(({ failure }) => failure.kind === 'link' && failure.link === 'a:b')?.outcome).toBe('harmless');
  });

  it('foretells of each failure what a dry-run of it does', async () => {
    const settlers = [5, 1, 4, 2, 3, 2, 1, 3].map((gigabits, i) => ({ gigabits, setupPriority: (3 * i) % 8 }));
    for (const [i, { gigabits, setupPriority }] of settlers.entries()) {
      const wide = { ...lowestDelay({}, 50), discriminator: 2 };
      const candidatePaths = [lowestDelay({ bandwidthBps: gigabits * G }), ...(i % 2 === 0 ? [wide] : [])];
      await create({ color: i + 1, candidatePaths, setupPriority, fallback: i % 3 === 0 ? 'shortest-path' : 'drop' });
    }
    const { db } = harness.database;
    const ids = settlers.map((_, i) => `h1:${i + 1}:h2`);
    const { policies } = await loadPolicies(db, ids, () => false);
    const snapshot = freezeSnapshot(harness.ted);
    const sweep = new FailureSweep(snapshot, { policies, booked: await bookedPerLink(db), reported: undefined });
    let preempted = 0;
    for (const failure of singleFailures(snapshot, ['link', 'node', 'srlg', 'site'])) {
      const reaction = sweep.reactionTo(failure);
      const { moves } = await harness.service.dryRun([], overlayOf(failure));
      for (const { policyId, after } of moves) {
        expect(reaction.get(policyId)?.lists.map(({ weight, links }) => ({ weight, links }))).toEqual(after);
      }
      const moved = new Set(moves.map(({ policyId }) => policyId));
      for (const { policyId, decision, takenOn } of reaction.values()) {
        if (decision === 'changed') expect(moved).toContain(policyId);
        if (takenOn !== null) preempted++;
      }
    }
    expect(preempted).toBeGreaterThan(0);
  });

  it('is refused for a node that is not there, and for other failures under the same id; can be cancelled', async () => {
    const asked = sweeps.start({ id: 's', kinds: ['link'], policies: { headend: 'h9' } });
    await expect(asked).rejects.toMatchObject({ code: 'node-unknown', info: { field: '/policies/headend' } });
    const overlaid = sweeps.start({ id: 's', kinds: ['link'], overlay: { down: { links: ['a:z'] } } });
    await expect(overlaid).rejects.toMatchObject({ code: 'link-unknown', info: { field: '/overlay/down/links/0' } });
    await sweeps.start({ id: 's', kinds: ['link'] });
    await sweeps.start({ id: 's', kinds: ['link'] });
    await expect(sweeps.start({ id: 's', kinds: ['node'] })).rejects.toMatchObject({ code: 'already-exists' });
    sweeps.delete('s');
    expect(() => sweeps.sweep('s')).toThrow('has no failure sweep "s"');
  });
});
