import type { LoggedRequest } from '@waymark/vpp-stand-in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';

/** Long enough for every answer that does come, on a busy machine too. */
const TIMEOUT_MS = 500;
const LOCAL_SIDS = [{ sid: 'fc00:9::d6', behavior: 'End.DT6' }];

const policy = (id: string, host: number, ...lists: (readonly [number, ...string[]])[]): PolicySketch => ({
  id,
  ipv4: { lists, prefixes: [`10.${host}.0.0/24`] },
});
const BYSTANDER = policy('h1:10:h9', 9, [1, 'fc00:1::1', 'fc00:9::d4'], [3, 'fc00:4::1', 'fc00:9::d4']);
const BEFORE = policy('h1:10:h2', 2, [1, 'fc00:1::1', 'fc00:2::d4'], [1, 'fc00:4::1', 'fc00:2::d4']);
/** One list kept with another weight, one replaced. */
const AFTER = policy('h1:10:h2', 2, [3, 'fc00:1::1', 'fc00:2::d4'], [1, 'fc00:5::1', 'fc00:2::d4']);
const NEW = policy('h1:10:h3', 3, [1, 'fc00:1::1', 'fc00:3::d4'], [1, 'fc00:4::1', 'fc00:3::d4']);

interface Case {
  readonly request: string;
  readonly nth: number;
  readonly what: string;
  readonly before: readonly PolicySketch[];
  readonly after: readonly PolicySketch[];
}

/** The n-th request of a name, counted from when `after` is wanted. */
const CASES: readonly Case[] = [
  {
    request: 'sr_policy_add_v2',
    nth: 1,
    what: 'a new policy',
    before: [],
    after: [NEW],
  },
  {
    request: 'sr_policy_mod_v2',
    nth: 1,
    what: 'a list of a new policy',
    before: [],
    after: [NEW],
  },
  {
    request: 'sr_policy_mod_v2',
    nth: 1,
    what: 'an added list',
    before: [BEFORE],
    after: [AFTER],
  },
  {
    request: 'sr_policy_mod_v2',
    nth: 2,
    what: 'a new weight',
    before: [BEFORE],
    after: [AFTER],
  },
  {
    request: 'sr_policy_mod_v2',
    nth: 3,
    what: 'a deleted list',
    before: [BEFORE],
    after: [AFTER],
  },
  {
    request: 'sr_steering_add_del',
    nth: 1,
    what: 'a new steering',
    before: [],
    after: [NEW],
  },
  {
    request: 'sr_steering_add_del',
    nth: 1,
    what: 'a steering that ends',
    before: [BEFORE],
    after: [],
  },
  {
    request: 'sr_policy_del',
    nth: 1,
    what: 'a policy that goes',
    before: [BEFORE],
    after: [],
  },
];

describe.skipIf(standInOnly !== undefined)(
  `VPP whose answers get lost${standInOnly ? ` (${standInOnly})` : ''}`,
  () => {
    let harness: Awaited<ReturnType<typeof VppHarness.onStandIn>>;
    let agent: ReconciledAgent;

    beforeEach(async () => {
      harness = await VppHarness.onStandIn({ localSids: LOCAL_SIDS }, {}, TIMEOUT_MS);
      agent = new ReconciledAgent(harness.open(), LOCAL_SIDS);
    });
    afterEach(async () => {
      await agent.reconciler.stop();
      await harness.close();
    });

    const lists = (host: number) => {
      const forwarding = harness.standIn.route(TEST_TABLE, `10.${host}.0.1`);
      if (forwarding.kind !== 'policy') return forwarding.kind;
      return forwarding.lists.map(({ segments, buckets }) => `${buckets} ${segments.join()}`).sort();
    };

    describe.each(['dropRequest', 'dropReply'] as const)('by %s', (fault) => {
      it.each(CASES)(
        '$request of $what: read back, put right in the next round',
        async ({ request, nth, before, after }) => {
          await agent.want(BYSTANDER, ...before);
          const bystander = lists(9);
          const from = harness.standIn.log.length;
          harness.standIn.faults[fault]({ request, nth });
          await agent.want(BYSTANDER, ...after);
          const hit = harness.standIn.log.slice(from).filter(({ outcome }) => outcome.startsWith('dropped'));
          expect(hit.map(({ name, executed }) => [name, executed])).toEqual([[request, fault === 'dropReply']]);

          await agent.reconciler.reconcile();
          expect(agent.reconciler.health.error).toBeNull();
          expect(agent.reconciler.counts.policies.failed).toBe(0);
          for (const { id } of after) expect(agent.outcome(id)).toMatchObject({ outcome: 'installed' });
          for (const { id } of before.filter(({ id: left }) => !after.some((kept) => kept.id === left))) {
            expect(agent.outcome(id)).toMatchObject({ outcome: 'removed' });
          }
          const reference = await referenceOf([BYSTANDER, ...after]);
          expect(Object.fromEntries([2, 3, 9].map((host) => [host, lists(host)]))).toEqual(reference);
          expect(lists(9)).toEqual(bystander);
          expect(harness.standIn.policies).toHaveLength(1 + after.length);
          expect(blindDeletions(harness.standIn.log)).toEqual([]);
          expect(harness.standIn.crashes).toEqual([]);
        },
      );

      it.each([
        { what: 'an addition', found: [], nth: 1 },
        {
          what: 'the deletion of what is replaced',
          found: [{ sid: 'fc00:9::d6', behavior: 'End' }],
          nth: 1,
        },
        {
          what: 'the addition in its place',
          found: [{ sid: 'fc00:9::d6', behavior: 'End' }],
          nth: 2,
        },
      ])('sr_localsid_add_del of $what', async ({ found, nth }) => {
        const before = new ReconciledAgent(harness.open(), found);
        await before.want();
        await before.reconciler.stop();
        harness.standIn.faults[fault]({ request: 'sr_localsid_add_del', nth });
        await agent.want();
        await agent.reconciler.reconcile();
        expect((await agent.dataPlane.read()).localSids).toEqual(LOCAL_SIDS);
        expect(agent.reconciler.health.error).toBeNull();
        expect(harness.standIn.localsids).toHaveLength(1);
      });

      it.each(['sr_policies_with_sl_index_dump', 'sr_steering_pol_dump'])(
        '%s: says so, and goes on in the next round',
        async (request) => {
          await agent.want(BYSTANDER, BEFORE);
          const bystander = lists(9);
          // Without what ends it, a dump never comes; with it, it seems empty.
          harness.standIn.faults[fault]({ request: 'control_ping', nth: 2 });
          await agent.want(BYSTANDER, AFTER);
          expect(agent.reconciler.health.error).toContain('no reply to');
          harness.standIn.faults[fault]({ request });
          await agent.reconciler.reconcile();
          await agent.reconciler.reconcile();
          expect(lists(2)).toEqual((await referenceOf([AFTER]))[2]);
          expect(lists(9)).toEqual(bystander);
          expect(agent.reconciler.health.error).toBeNull();
          expect(blindDeletions(harness.standIn.log)).toEqual([]);
        },
      );
    });

    /** What a VPP that answers everything does with the policies. */
    async function referenceOf(policies: readonly PolicySketch[]): Promise<Record<string, unknown>> {
      const calm = await VppHarness.onStandIn();
      const walker = new ReconciledAgent(calm.open());
      await walker.want(...policies);
      const routes = [2, 3, 9].map((host) => {
        const forwarding = calm.standIn.route(TEST_TABLE, `10.${host}.0.1`);
        if (forwarding.kind !== 'policy') return [host, forwarding.kind];
        return [host, forwarding.lists.map(({ segments, buckets }) => `${buckets} ${segments.join()}`).sort()];
      });
      await walker.reconciler.stop();
      await calm.close();
      return Object.fromEntries(routes) as Record<string, unknown>;
    }
  },
);

/** Lists whose deletion was asked for twice without reading the numbers in between: VPP would delete another one. */
function blindDeletions(log: readonly LoggedRequest[]): unknown[] {
  const asked = new Set<unknown>();
  return log.flatMap(({ name, fields, outcome }) => {
    if (name === 'sr_policies_with_sl_index_dump' && outcome === 'answered') asked.clear();
    if (name !== 'sr_policy_mod_v2' || fields['operation'] !== 'delete-list') return [];
    const twice = asked.has(fields['slIndex']) ? [fields] : [];
    asked.add(fields['slIndex']);
    return twice;
  });
}
