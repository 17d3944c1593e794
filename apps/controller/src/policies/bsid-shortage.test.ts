import { afterEach, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import type { SrPolicyIntent } from '../model/sr-policy.js';
import { eventually } from '../testing/eventually.js';
import { PolicyHarness } from '../testing/policy-harness.js';
import { diamond, LOWER, lowestDelay, withLinkDown, withLinks, withNodes } from '../testing/sketched-network.js';
import { mayBeServed } from './bsid-shortage.js';

/** One block: the first of a pool stays free. */
const SMALL = 'fdbb:b51d::/63';
const LARGE = 'fdbb:b51d::/32';
const REASON = `no binding SIDs are left: the pool ${SMALL} has no free block for headend h2`;
let harness: PolicyHarness;

afterEach(() => harness.stop());

function policy(headend: string, endpoint: string, color = 1): SrPolicyIntent {
  return { headend, color, endpoint, fallback: 'drop', candidatePaths: [lowestDelay()] };
}

async function stateOf(id: string) {
  const { state } = await harness.service.policy(id);
  return state;
}

async function published(): Promise<readonly string[]> {
  return [...(await harness.desired()).keys()].sort();
}

/** h1 has the only block, and h2 none. */
async function startExhausted(): Promise<void> {
  harness = await PolicyHarness.create(diamond());
  await harness.lead({ bsidPool: SMALL });
  await harness.createPolicy(policy('h1', 'h2'));
  await harness.createPolicy(policy('h2', 'h1'));
}

describe('a headend for which no binding SIDs are left', () => {
  it('has its policies computed and shown as failed, with the reason', async () => {
    await startExhausted();
    const state = await stateOf('h2:1:h1');
    expect(state).toMatchObject({ status: 'up', install: 'failed', installReason: REASON, generation: null });
    expect(state?.bindingSids).toEqual([]);
    const failed = await harness.service.policies({ install: 'failed' }, { limit: 10 });
    expect(failed.items.map(({ id }) => id)).toEqual(['h2:1:h1']);
    expect((await harness.service.policies({ install: 'none' }, { limit: 10 })).items).toEqual([]);
    expect(await harness.service.withoutBindingSids()).toBe(1);
    expect(harness.events.filter(({ type }) => type === 'policy.install').map(({ data }) => data)).toEqual([
      expect.objectContaining({ policyId: 'h2:1:h1', outcome: 'failed', reason: REASON }),
    ]);
    expect(harness.logged).toEqual(['policies cannot be installed for want of binding SIDs']);
  });

  it('holds up no other headend, in whatever is published together', async () => {
    await startExhausted();
    await harness.createPolicy(policy('h1', 'h3', 2));
    expect(await published()).toEqual(['h1:1:h2', 'h1:2:h3']);
    await harness.setTed(withLinks(diamond(), { 'a:b': { delayUs: 9000 } }));
    await harness.settled();
    expect((await stateOf('h1:1:h2'))?.lists[0]?.links).toEqual(LOWER);
    expect(await published()).toEqual(['h1:1:h2', 'h1:2:h3']);
    expect(await stateOf('h2:1:h1')).toMatchObject({ install: 'failed', installReason: REASON });
  });

  it('is told of once, however often its policies are looked at', async () => {
    await startExhausted();
    await harness.setTed(withLinks(diamond(), { 'b:a': { delayUs: 9000 } }));
    await harness.settled();
    await harness.lead({ bsidPool: SMALL });
    await harness.createPolicy(policy('h1', 'h3', 2));
    expect(harness.logged).toHaveLength(1);
    expect(harness.events.filter(({ type }) => type === 'policy.install')).toHaveLength(1);
  });

  it('gets what it should hold when the pool is enlarged', async () => {
    await startExhausted();
    await harness.createPolicy(policy('h2', 'h3'));
    await harness.lead({ bsidPool: LARGE });
    await eventually(async () => {
      expect(await published()).toEqual(['h1:1:h2', 'h2:1:h1', 'h2:1:h3']);
    });
    const state = await stateOf('h2:1:h1');
    expect(state).toMatchObject({ install: 'pending', installReason: null, event: { kind: 'binding-sids-free' } });
    expect(state?.cause).toContain('there are binding SIDs for it now');
    expect(state?.bindingSids).toHaveLength(2);
    expect(await harness.service.withoutBindingSids()).toBe(0);
    await eventually(() => {
      expect(harness.logged.at(-1)).toBe('policies lack binding SIDs no longer');
    });
  });

  it('gets the block of a headend that needs none any more, once nothing can carry its SIDs', async () => {
    await startExhausted();
    await harness.meetAgent('h1');
    await harness.deletePolicy('h1:1:h2');
    const quarantine = () =>
      sql<{ until: Date | null; releasing: number | null }>`
      select quarantined_until as until, releasing_generation as releasing from bsid
    `.execute(harness.database.db);
    expect((await quarantine()).rows).toEqual([{ until: null, releasing: expect.any(Number) as number }]);
    await harness.ack('h1');
    expect((await quarantine()).rows[0]?.until).not.toBeNull();
    // The leader looks at it all, and leaves it for as long as the quarantine lasts.
    await harness.setTed(withLinks(diamond(), { 'b:a': { delayUs: 9000 } }));
    await harness.settled();
    expect(await stateOf('h2:1:h1')).toMatchObject({ install: 'failed' });
    // Meanwhile the leader has no reason to look again each second, for days perhaps.
    expect(await mayBeServed(harness.database.db)).toBe(false);
    await sql`update bsid set quarantined_until = now() where policy_id is null`.execute(harness.database.db);
    await eventually(async () => {
      expect(await published()).toEqual(['h2:1:h1']);
    });
    const blocks = await harness.database.db.selectFrom('bsid_block').selectAll().execute();
    expect(blocks).toEqual([{ headend: 'h2', block: 'fdbb:b51d:0:1::/64' }]);
    await harness.createPolicy(policy('h1', 'h2'));
    expect(await stateOf('h1:1:h2')).toMatchObject({ install: 'failed' });
  });

  it('gets the block of a headend without an agent: nobody will acknowledge anything', async () => {
    await startExhausted();
    await harness.deletePolicy('h1:1:h2');
    await sql`update bsid set quarantined_until = now() where quarantined_until is not null`.execute(
      harness.database.db,
    );
    await eventually(async () => {
      expect(await published()).toEqual(['h2:1:h1']);
    }, 60_000);
  }, 120_000);

  it('gets one when a locator no longer covers it', async () => {
    const claimed = [{ ...diamond().nodes.flatMap(({ locators }) => locators)[0], prefix: 'fdbb:b51d:0:1::/64' }];
    harness = await PolicyHarness.create(withNodes(diamond(), { h3: { locators: claimed as never } }));
    await harness.lead({ bsidPool: SMALL });
    await harness.createPolicy(policy('h1', 'h2'));
    expect(await stateOf('h1:1:h2')).toMatchObject({ install: 'failed' });
    await harness.setTed(diamond());
    await eventually(async () => {
      expect(await published()).toEqual(['h1:1:h2']);
    });
  });

  it('leaves nothing behind when its policies are deleted, or have nothing to install', async () => {
    await startExhausted();
    await harness.deletePolicy('h2:1:h1');
    expect(await harness.service.withoutBindingSids()).toBe(0);
    await harness.createPolicy({ ...policy('h2', 'h3'), fallback: 'shortest-path' });
    expect(await harness.service.withoutBindingSids()).toBe(1);
    await harness.setTed(withLinkDown(diamond(), 'h3:b'));
    await eventually(async () => {
      expect(await stateOf('h2:1:h3')).toMatchObject({ status: 'down', install: 'none', installReason: null });
    });
  });
});
