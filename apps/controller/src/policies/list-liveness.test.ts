import { Family, Liveness, type ListLiveness } from '@waymark/agent-protocol';
import { ipv6ToBytes } from '@waymark/topology';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordEnd } from '../distribution/agent-records.js';
import { storeLiveness } from '../distribution/liveness-store.js';
import type { PolicyState } from '../model/sr-policy.js';
import { beginSession } from '../testing/begin-session.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, lowestDelay, withLinkDown } from '../testing/sketched-network.js';

const ID = 'h1:1:h2';
let harness: PolicyHarness;
let session: string;

beforeEach(async () => {
  harness = await PolicyHarness.create(diamond());
  await harness.lead();
  await harness.service.createPolicy(
    {
      headend: 'h1',
      color: 1,
      endpoint: 'h2',
      fallback: 'drop',
      candidatePaths: [
        lowestDelay({ exclude: { nodes: ['c'] } }, 200),
        lowestDelay({ exclude: { nodes: ['b'] } }, 100),
      ],
    },
    { name: 'operator' },
  );
  await harness.settled();
  session = await hello();
});

afterEach(() => harness.stop());

const hello = () => beginSession(harness.database.db);

async function state(): Promise<PolicyState> {
  const { state: found } = await harness.service.policy(ID);
  if (found === null) throw new Error('not computed');
  return found;
}

type Said = Partial<ListLiveness>;

/** Reports on all lists of the policy: the active ones and the standby, in both families. */
async function tell(active: Said, standby: Said, others: Said = {}): Promise<void> {
  const { lists, standby: shown } = await state();
  const said = [
    ...lists.map((list) => ({ list, more: { standby: false, ...active } })),
    ...(shown?.lists ?? []).map((list) => ({ list, more: { standby: true, ...standby } })),
  ];
  const told = said.flatMap(({ list, more }) =>
    list.segmentLists.map(({ family, segments }): ListLiveness => ({
      policyId: ID,
      family: family === 'ipv4' ? Family.IPV4 : Family.IPV6,
      sids: segments.map(({ sid }) => ipv6ToBytes(sid)),
      inUse: false,
      state: Liveness.UP,
      sinceMs: 1_700_000_000_000,
      probesSent: 100,
      probesLost: 2,
      roundTripMinUs: 10,
      roundTripAvgUs: 20,
      roundTripMaxUs: 30,
      ...more,
      ...(family === 'ipv6' ? others : {}),
    })),
  );
  await storeLiveness(harness.database.db, [{ node: 'h1', session, report: { lists: told, complete: true } }]);
}

const USED = { inUse: true };
const DOWN = { state: Liveness.DOWN, probesLost: 100, inUse: false };

/** The policy's liveness as it is shown, once it was made sure that exactly this filter finds it. */
async function liveness(): Promise<string> {
  const { liveness: shown } = await state();
  const found: string[] = [];
  for (const value of ['up', 'degraded', 'standby', 'down', 'unknown']) {
    const { items } = await harness.service.policies({ liveness: value }, { limit: 10 });
    if (items.length > 0) found.push(value);
  }
  expect(found).toEqual([shown]);
  return shown;
}

describe('the liveness of a policy', () => {
  it('is unknown while its headend says nothing', async () => {
    expect(await liveness()).toBe('unknown');
    const { lists, candidatePaths } = await state();
    expect(lists.map((list) => list.liveness)).toEqual([[]]);
    expect(candidatePaths.map((path) => path.liveness)).toEqual(['unknown', 'unknown']);
    expect(await harness.service.livenessCounts()).toEqual({
      active: { up: 0, down: 0, unknown: 0 },
      standby: { up: 0, down: 0, unknown: 0 },
      headendsOnStandby: 0,
      policiesOnStandby: 0,
    });
  });

  it('shows loss and round trips of each list, active and standby', async () => {
    await tell(USED, {});
    expect(await liveness()).toBe('up');
    const { lists, standby } = await state();
    expect(lists[0]?.liveness).toMatchObject([
      {
        family: 'ipv4',
        state: 'up',
        stale: false,
        since: '2023-11-14T22:13:20.000Z',
        inUse: true,
        probesSent: 100,
        probesLost: 2,
        roundTripUs: { min: 10, average: 20, max: 30 },
      },
      { family: 'ipv6', state: 'up' },
    ]);
    expect(standby?.lists[0]?.liveness).toMatchObject([
      { family: 'ipv4', inUse: false },
      { family: 'ipv6', inUse: false },
    ]);
  });

  it('is degraded when some of its lists are down, and down when all are', async () => {
    await tell(USED, DOWN, DOWN);
    expect(await liveness()).toBe('degraded');
    await tell(DOWN, DOWN);
    expect(await liveness()).toBe('down');
    const { candidatePaths, status, lists } = await state();
    expect(candidatePaths.map(({ discriminator, liveness: of }) => [discriminator, of])).toEqual([
      [200, 'down'],
      [100, 'down'],
    ]);
    expect(lists[0]?.liveness[0]?.roundTripUs).toBeNull();
    // The controller shows it, and lets the headend decide.
    expect(status).toBe('up');
  });

  it('says that the headend is on the standby, and counts it', async () => {
    await tell(DOWN, USED);
    expect(await liveness()).toBe('standby');
    const { candidatePaths } = await state();
    expect(candidatePaths.map(({ active, valid, liveness: of }) => [active, valid, of])).toEqual([
      [true, true, 'down'],
      [false, true, 'up'],
    ]);
    expect(await harness.service.livenessCounts()).toEqual({
      active: { up: 0, down: 2, unknown: 0 },
      standby: { up: 2, down: 0, unknown: 0 },
      headendsOnStandby: 1,
      policiesOnStandby: 1,
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['its session ends', () => recordEnd(harness.database.db, 'h1', session)],
    ['it is silent', () => sql`update agent set last_seen = now() - interval '1 minute'`.execute(harness.database.db)],
    ['it has a new session, in which it has not told anything yet', hello],
  ])('is unknown, never down, when of an agent %s', async (_, happens) => {
    await tell(DOWN, USED);
    await happens();
    expect(await liveness()).toBe('unknown');
    const { lists } = await state();
    expect(lists[0]?.liveness[0]).toMatchObject({
      state: 'unknown',
      stale: true,
      since: null,
      inUse: null,
      probesLost: 100,
    });
    expect(await harness.service.livenessCounts()).toMatchObject({
      active: { down: 0, unknown: 2 },
      headendsOnStandby: 0,
    });
  });

  it('moves nothing: no evaluation, no generation', async () => {
    const before = [harness.evaluated.length, await harness.generation('h1')];
    await tell(DOWN, USED);
    harness.pass(60_000);
    await harness.settled();
    expect([harness.evaluated.length, await harness.generation('h1')]).toEqual(before);
  });

  it('is of the lists that the policy has now', async () => {
    await tell(DOWN, USED);
    await harness.setTed(withLinkDown(diamond(), 'b:d'));
    await harness.settled();
    const { liveness: shown, lists } = await state();
    expect(lists[0]?.liveness).toEqual([]);
    expect(shown).toBe('unknown');
  });
});
