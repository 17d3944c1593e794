import { decodeDesiredPolicy } from '@waymark/agent-protocol';
import { ipv6FromBytes } from '@waymark/topology';
import { afterEach, describe, expect, it } from 'vitest';
import type { CandidatePathIntent, SrPolicyIntent } from '../model/sr-policy.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withLinkDown, withLinks } from '../testing/sketched-network.js';

const actor = { name: 'operator' };
const G = 1_000_000_000;
const ID = 'h1:1:h2';
let harness: PolicyHarness;

afterEach(() => harness.stop());

/** Through b only, and through c only. */
const upper = lowestDelay({ exclude: { nodes: ['c'] } }, 200);
const lower = lowestDelay({ exclude: { nodes: ['b'] } }, 100);

function policy(candidatePaths: readonly CandidatePathIntent[] = [upper, lower]): SrPolicyIntent {
  return { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop', candidatePaths };
}

async function start(intent = policy()): Promise<void> {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
  await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

async function setTed(ted: Parameters<PolicyHarness['setTed']>[0]): Promise<void> {
  await harness.setTed(ted);
  await harness.settled();
}

async function state() {
  const { state: found } = await harness.service.policy(ID);
  if (found === null) throw new Error('not computed');
  return found;
}

/** SIDs of the lists that the headend is to hold, per family. */
async function held() {
  const desired = (await harness.desired()).get(ID);
  return desired?.tunnels.map(({ segmentLists, standbyLists }) =>
    [segmentLists, standbyLists].map((lists) => lists.map(({ sids }) => sids.map((sid) => ipv6FromBytes(sid)))),
  );
}

describe('the standby', () => {
  it('is sent to the headend as finished lists of each family, and shown', async () => {
    await start();
    const { standby, candidatePaths } = await state();
    expect(candidatePaths.map(({ discriminator, active }) => [discriminator, active])).toEqual([
      [200, true],
      [100, false],
    ]);
    expect(standby).toMatchObject({
      candidatePath: 100,
      lists: [{ links: ['h1:a', 'a:c', 'c:d', 'd:h2'], liveness: [] }],
    });
    const shown = standby?.lists[0]?.segmentLists.map(({ segments }) => [segments.map(({ sid }) => sid)]);
    expect((await held())?.map(([, standbyLists]) => standbyLists)).toEqual(shown);
  });

  it('does not exist for a policy with one candidate path', async () => {
    await start(policy([upper]));
    expect((await state()).standby).toBeNull();
    expect((await held())?.map(([, standbyLists]) => standbyLists)).toEqual([[], []]);
  });

  it('books nothing', async () => {
    await start(policy([upper, lowestDelay({ exclude: { nodes: ['b'] }, bandwidthBps: 3 * G }, 100)]));
    expect((await state()).standby?.candidatePath).toBe(100);
    expect(await harness.database.db.selectFrom('booking').selectAll().execute()).toEqual([]);
  });

  it('is withdrawn when it fails, although nothing that carries traffic does, and returns with what failed', async () => {
    await start();
    const before = await held();
    await setTed(withLinkDown(diamond(), 'c:d'));
    expect(await held()).toEqual(before?.map(([active]) => [active, []]));
    const failed = await state();
    expect(failed).toMatchObject({ status: 'up', activeCandidatePath: 200, standby: null });
    expect(failed.cause).toMatch(/^link (c:d|d:c) went down .*: it has no standby any more$/);
    await setTed(diamond());
    expect(await held()).toEqual(before);
    expect((await state()).cause).toContain('candidate path 100 is its standby');
  });

  it('is replaced when it fails and there is another', async () => {
    const bounded = lowestDelay({ exclude: { nodes: ['b'] }, bounds: [{ metric: 'delay', max: 4020 }] }, 150);
    await start(policy([upper, bounded, lower]));
    expect((await state()).standby?.candidatePath).toBe(150);
    await setTed(withLinks(diamond(), { 'a:c': { delayUs: 2500 } }));
    expect((await state()).standby?.candidatePath).toBe(100);
  });

  it('is the disjoint list that the active candidate path asks for, and comes back when there is one again', async () => {
    const { path } = lowestDelay();
    if (path.kind !== 'dynamic') throw new Error('not dynamic');
    const asking = { ...lowestDelay({}, 200), path: { ...path, standby: { disjoint: 'node' as const } } };
    await start(policy([asking]));
    const before = await held();
    expect(before?.map(([, standby]) => standby?.length)).toEqual([1, 1]);
    const first = await state();
    expect(first.standby).toMatchObject({ candidatePath: 200, lists: [{ links: ['h1:a', 'a:c', 'c:d', 'd:h2'] }] });
    expect(first.disjointStandby).toMatchObject({ isFound: true, achieved: ['node'], unachieved: [], message: null });
    await setTed(withLinkDown(diamond(), 'c:d'));
    expect(await held()).toEqual(before?.map(([active]) => [active, []]));
    const failed = await state();
    expect(failed).toMatchObject({ status: 'up', standby: null, disjointStandby: { isFound: false, shared: null } });
    expect(failed.cause).toMatch(
      /it has no standby any more: there is no standby that is node-disjoint .*: every path passes node b, link a:b, link b:d$/,
    );
    await setTed(diamond());
    expect(await held()).toEqual(before);
    expect((await state()).cause).toContain('it has a disjoint standby');
  });

  it('becomes active when the active path fails', async () => {
    await start();
    const before = await held();
    await setTed(withLinkDown(diamond(), 'b:d'));
    expect(await state()).toMatchObject({ activeCandidatePath: 100, standby: null });
    expect(await held()).toEqual(before?.map(([, standby]) => [standby, []]));
  });

  it('changes no generation when the policy is computed again and nothing is different', async () => {
    await start();
    const before = await harness.generation('h1');
    await setTed(withLinks(diamond(), { 'a:c': { delayUs: 1999 } }));
    expect(harness.evaluated.filter((id) => id === ID).length).toBeGreaterThan(1);
    expect(await harness.generation('h1')).toBe(before);
  });

  it('comes to policies of before it existed with the next leader', async () => {
    await start();
    harness.stopLeading();
    await harness.database.db
      .updateTable('policy_state')
      .set({ standby: null, standby_link_ids: null, standby_node_ids: null, starved: true })
      .execute();
    await harness.lead();
    await setTed(withLinks(diamond(), { 'h3:b': { delayUs: 11 } }));
    expect((await state()).standby?.candidatePath).toBe(100);
  });

  it('uses planned SIDs only where the active lists do, and then says so', async () => {
    await start();
    const planned = {
      ...diamond(),
      nodes: diamond().nodes.map((node) =>
        node.id === 'h2' ? { ...node, sids: node.sids.map((sid) => ({ ...sid, origin: 'planned' as const })) } : node,
      ),
    };
    await setTed(planned);
    const row = await harness.database.db.selectFrom('desired').select('body').executeTakeFirstOrThrow();
    const desired = decodeDesiredPolicy(row.body);
    expect(desired.usesPlannedSids).toBe(true);
    expect(desired.tunnels.map(({ standbyLists }) => standbyLists.length)).toEqual([1, 1]);
  });
});
