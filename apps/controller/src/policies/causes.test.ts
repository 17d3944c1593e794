import { afterEach, describe, expect, it } from 'vitest';
import type { PolicyState, SrPolicyIntent } from '../model/sr-policy.js';
import { eventually } from '../testing/eventually.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withLinkDown, withLinks, withNodes } from '../testing/sketched-network.js';

const actor = { name: 'alice' };
const G = 1_000_000_000;
const ID = 'h1:1:h2';
let harness: PolicyHarness;

afterEach(() => harness.stop());

function policy(more: Partial<SrPolicyIntent> = {}): SrPolicyIntent {
  return { headend: 'h1', color: 1, endpoint: 'h2', fallback: 'drop', candidatePaths: [lowestDelay()], ...more };
}

async function start(intent = policy(), ted = diamond(), holdMs = 0): Promise<void> {
  harness = await PolicyHarness.create(ted);
  await harness.lead({ holdMs });
  await create(intent);
}

async function create(intent: SrPolicyIntent): Promise<void> {
  await harness.service.createPolicy(intent, actor);
  await harness.settled();
}

async function setTed(ted: Parameters<PolicyHarness['setTed']>[0]): Promise<void> {
  await harness.setTed(ted);
  await harness.settled();
}

async function stateOf(id = ID): Promise<PolicyState> {
  const { state } = await harness.service.policy(id);
  if (state === null) throw new Error(`${id} was not computed`);
  return state;
}

async function newestRevision(): Promise<number> {
  return (await harness.database.db.selectFrom('head').select('revision').executeTakeFirstOrThrow()).revision;
}

function drainedB() {
  return withNodes(diamond(), { b: { adminState: 'drained' } });
}

describe('the cause of a change of a policy', () => {
  it('is its creation at first', async () => {
    await start();
    const revision = await newestRevision();
    const { cause, event } = await stateOf();
    expect(cause).toBe(
      `the policy was created (operator alice, revision ${revision}): candidate path 100 of preference 100 is valid`,
    );
    expect(event).toMatchObject({ kind: 'policy-create', revision, by: 'operator alice' });
  });

  it('is the failure, with what broke', async () => {
    const path = { kind: 'explicit' as const, segmentLists: [{ weight: 1, sids: ['fd00:0:2:1::'] }] };
    await start(policy({ candidatePaths: [{ discriminator: 200, preference: 200, path }, lowestDelay()] }));
    await setTed(withNodes(diamond(), { b: { operationalState: 'down' } }));
    const revision = await newestRevision();
    const { cause, event } = await stateOf();
    expect(event).toMatchObject({ summary: 'node b went down', revision, by: 'operator test' });
    expect(cause).toContain(`node b went down (operator test, revision ${revision}): `);
    expect(cause).toMatch(/fd00:0:2:1::.*; candidate path 100 of preference 100 is valid$/);
  });

  it('is a drain, and says when the policy stays for want of an alternative, and when that is over', async () => {
    await start(policy({ candidatePaths: [lowestDelay({ exclude: { nodes: ['c'] } })] }));
    await setTed(drainedB());
    expect((await stateOf()).cause).toMatch(/^node b was drained .*: stays for want of an alternative: /);
    const { generation } = await stateOf();
    await setTed(diamond());
    expect((await stateOf()).cause).toMatch(/^node b was put back into use .*: nothing that it uses is drained$/);
    expect((await stateOf()).generation).toBe(generation);
  });

  it('is a better value', async () => {
    await start(policy(), withLinks(diamond(), { 'a:b': { delayUs: 9000 } }));
    await setTed(diamond());
    expect((await stateOf()).cause).toMatch(
      /^link a:b has delay 1000 us instead of 9000 us .*: a better path: delay 2020 instead of 4020$/,
    );
  });

  it('is the end of a hold time, and the clock starts there', async () => {
    const both = [lowestDelay({ include: [{ node: 'c' }] }, 50), lowestDelay({ include: [{ node: 'b' }] })];
    await start(policy({ candidatePaths: both }), diamond(), 10_000);
    await setTed(withNodes(diamond(), { b: { operationalState: 'down' } }));
    await setTed(diamond());
    const returnedAt = (
      await harness.database.db
        .selectFrom('revision')
        .select('at')
        .orderBy('revision', 'desc')
        .executeTakeFirstOrThrow()
    ).at;
    harness.pass(11_000);
    await eventually(async () => expect((await stateOf()).event.kind).toBe('hold-over'));
    const { event } = await stateOf();
    expect(event.by).toBe('Waymark');
    expect(event.summary).toMatch(/^links a:b and .* have been stable for their hold times$/);
    expect(new Date(event.at).getTime()).toBeGreaterThan(returnedAt.getTime());
  });

  it('is the restart of a host, not "unchanged"', async () => {
    await start();
    const h2 = diamond().nodes.find(({ id }) => id === 'h2');
    const sids = (h2?.sids ?? []).map((sid) => ({ ...sid, sid: `${sid.sid}9` }));
    await setTed(withNodes(diamond(), { h2: { sids } }));
    expect((await stateOf()).cause).toMatch(/^node h2 has other service SIDs .*: its service SIDs changed$/);
    expect((await stateOf()).generation).toBe(2);
  });

  it('is new pod prefixes, or the policy that took them', async () => {
    await start();
    await setTed(withNodes(diamond(), { h2: { podPrefixes: ['10.99.0.0/16'] } }));
    expect((await stateOf()).cause).toMatch(/^node h2 has other pod prefixes .*: its steered prefixes changed$/);
    await create(policy({ color: 2, steeredPrefixes: ['10.99.0.0/16'] }));
    expect((await stateOf()).cause).toMatch(
      /^policy h1:2:h2 was created \(operator alice, .*: its steered prefixes changed$/,
    );
    const told = harness.events.filter(
      ({ type, data }) => type === 'policy.state' && 'policyId' in data && data.policyId === ID,
    );
    expect(told).toHaveLength(3);
    expect(told.at(-1)?.data).toMatchObject({ status: 'up', generation: (await stateOf()).generation });
  });

  it('is confirmed SIDs, and a headend that can push less', async () => {
    const nodes = diamond().nodes.map((node) => ({
      ...node,
      sids: node.sids.map((sid) => ({ ...sid, origin: 'planned' as const })),
    }));
    await start(policy(), { ...diamond(), nodes });
    await setTed(diamond());
    expect((await stateOf()).cause).toMatch(/^node .* planned SIDs confirmed.*: it uses no planned SID any more$/);
    const viaC = [lowestDelay({ include: [{ node: 'c' }] })];
    await create(policy({ color: 3, candidatePaths: viaC, fallback: 'shortest-path' }));
    await setTed(withNodes(diamond(), { h1: { msdHEncaps: 1, encapMode: 'full' } }));
    expect((await stateOf('h1:3:h2')).cause).toMatch(/^node h1 has MSD 1 instead of 10.*takes the shortest path$/);
  });

  it('is what an operator does to the policy or its mesh', async () => {
    await start(policy(), withLinks(diamond(), { 'a:b': { delayUs: 9000 } }));
    await setTed(diamond());
    const { version } = await harness.service.policy(ID);
    const rolledBack = await harness.service.rollBack(ID, version, actor);
    await harness.settled();
    expect((await stateOf()).cause).toMatch(
      /^the policy was returned to its previous lists \(operator alice, .*: returns to the lists it is pinned to$/,
    );
    const unpinned = await harness.service.unpin(ID, rolledBack.version, actor);
    await harness.settled();
    expect((await stateOf()).cause).toMatch(/^the policy was unpinned \(operator alice, .*: a better path/);
    await harness.service.replacePolicy(
      ID,
      policy({ candidatePaths: [lowestDelay({ exclude: { nodes: ['b'] } })] }),
      unpinned.version,
      actor,
    );
    await harness.settled();
    expect((await stateOf()).cause).toMatch(/^the policy was changed \(operator alice, /);
  });

  it('is bandwidth that became free', async () => {
    const six = (color: number) => policy({ color, candidatePaths: [lowestDelay({ bandwidthBps: 6 * G })] });
    await start(six(1));
    for (const color of [2, 3]) await create(six(color));
    const { version } = await harness.service.policy(ID);
    await harness.service.deletePolicy(ID, version, actor);
    await eventually(async () => expect((await stateOf('h1:3:h2')).status).toBe('up'));
    expect((await stateOf('h1:3:h2')).cause).toMatch(
      /^bandwidth was released on link a:b and \d other links \(Waymark, /,
    );
  });

  it('is a new leader that had to compute everything anew', async () => {
    await start();
    harness.stopLeading();
    await harness.setTed(withNodes(diamond(), { b: { adminState: 'down' } }));
    harness.forgetHistory();
    await harness.lead();
    await harness.settled();
    const { cause, event } = await stateOf();
    expect(event).toMatchObject({ kind: 'resumed', by: 'Waymark' });
    expect(cause).toMatch(/^a new leader computed everything anew \(Waymark, .*: .* is valid$/);
  });

  it('is no new leader that could not read at once where the one before had stopped', async () => {
    await start();
    const before = (await stateOf()).cause;
    harness.stopLeading();
    await harness.setTed(withNodes(diamond(), { b: { adminState: 'down' } }));
    harness.failNextPastRead();
    await harness.lead();
    await eventually(() => expect(harness.takeFaults()).toHaveLength(1));
    await harness.settled();
    const { cause, event } = await stateOf();
    expect(cause).not.toBe(before);
    expect(event).toMatchObject({ kind: 'topology' });
  });

  it('is said too when an edit under a pin leaves the lists as they are', async () => {
    await start();
    const { version } = await harness.service.policy(ID);
    const pinned = await harness.service.pin(ID, version, actor);
    await harness.settled();
    await harness.service.replacePolicy(ID, policy({ candidatePaths: [lowestDelay({}, 50)] }), pinned.version, actor);
    await harness.settled();
    expect(await stateOf()).toMatchObject({ status: 'fallback', compliance: 'constraints-not-met' });
    expect((await stateOf()).cause).toMatch(/^the policy was changed .*: keeps the lists it is pinned to$/);
  });

  it('names a failure rather than a promise when both wait', async () => {
    await start();
    harness.stopLeading();
    await harness.setTed(withLinks(diamond(), { 'a:c': { delayUs: 1 } }));
    await harness.setTed(withNodes(withLinks(diamond(), { 'a:c': { delayUs: 1 } }), { b: { adminState: 'down' } }));
    await harness.lead();
    await harness.settled();
    expect((await stateOf()).event.summary).toBe('node b was taken down');
  });
});

describe('a path that the IGP moves', () => {
  it('is shown, with the event and without a new generation', async () => {
    const path = { kind: 'explicit' as const, segmentLists: [{ weight: 1, sids: [] }] };
    await start(policy({ candidatePaths: [{ discriminator: 1, preference: 1, path }] }));
    await harness.ack('h1');
    const before = await stateOf();
    expect(before.lists[0]?.nodes).toContain('b');
    expect(before.eventToInstalledMs).not.toBeNull();
    await setTed(withLinkDown(diamond(), 'a:b'));
    const after = await stateOf();
    expect(after.generation).toBe(before.generation);
    expect(after.install).toBe('installed');
    expect(after.lists[0]?.nodes).toEqual(['h1', 'a', 'c', 'd', 'h2']);
    expect(after.lists[0]?.metrics.igp).toBeGreaterThan(before.lists[0]?.metrics.igp ?? 0);
    expect(after.cause).toMatch(/^link a:b went down .*: the IGP moved it to h1 a c d h2; its lists stay$/);
    expect(new Date(after.changedAt).getTime()).toBeGreaterThan(new Date(before.changedAt).getTime());
    // Nothing had to be installed for it.
    expect(after.eventToInstalledMs).toBeNull();
    expect(harness.events.at(-1)).toMatchObject({ type: 'policy.state', data: { policyId: ID, generation: null } });
  });

  it('stays as it was told when only a value on it changes', async () => {
    await start();
    const before = await stateOf();
    await setTed(withLinks(diamond(), { 'a:b': { delayUs: 1001 } }));
    const after = await stateOf();
    expect(after.lists[0]?.metrics.delayUs).toBe(2021);
    expect([after.cause, after.changedAt]).toEqual([before.cause, before.changedAt]);
  });
});
