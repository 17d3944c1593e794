import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PolicyReconciler } from '../../reconcile/policy-reconciler.js';
import { desiredState, type PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent, silentLog } from '../../testing/reconciled-agent.js';
import { standInOnly, TABLES_AT_START, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';

const BEFORE: readonly PolicySketch[] = [
  {
    id: 'h1:1:a',
    ipv4: {
      lists: [[1, 'fc00:1::1', 'fc00:9::d4']],
      prefixes: ['10.0.0.0/24', '10.0.1.0/24'],
    },
  },
  {
    id: 'h1:1:b',
    ipv4: {
      lists: [[1, 'fc00:2::1', 'fc00:9::d4']],
      prefixes: ['10.0.2.0/24'],
    },
  },
  {
    id: 'h1:1:c',
    ipv4: {
      lists: [[1, 'fc00:3::1', 'fc00:9::d4']],
      prefixes: ['10.0.3.0/24'],
    },
  },
];
/** Lists replaced and added, a prefix handed over, a policy gone, one that drops. */
const AFTER: readonly PolicySketch[] = [
  {
    id: 'h1:1:a',
    ipv4: {
      lists: [
        [1, 'fc00:4::1', 'fc00:9::d4'],
        [3, 'fc00:5::1', 'fc00:9::d4'],
      ],
      prefixes: ['10.0.0.0/24'],
    },
  },
  {
    id: 'h1:1:b',
    ipv4: {
      lists: [[1, 'fc00:2::1', 'fc00:9::d4']],
      prefixes: ['10.0.1.0/24', '10.0.2.0/24'],
    },
  },
  { id: 'h1:1:d', ipv4: { lists: 'drop', prefixes: ['10.0.4.0/24'] } },
];

const title = `VPP and its agent, restarted${standInOnly ? ` (${standInOnly})` : ''}`;
describe.skipIf(standInOnly !== undefined)(title, () => {
  let harness: Awaited<ReturnType<typeof VppHarness.onStandIn>>;
  let reconciler: PolicyReconciler;

  beforeEach(async () => {
    harness = await VppHarness.onStandIn({}, { tables: TABLES_AT_START, restartAfterMs: 5 });
    reconciler = start();
  });
  afterEach(async () => {
    await reconciler.stop();
    await harness.close();
  });

  /** An agent as it runs: it looks again by itself only when VPP was reached. */
  function start(): PolicyReconciler {
    const options = {
      localSids: [],
      rereadIntervalMs: 3_600_000,
      liveness: null,
      wakeDelayMs: 0,
      log: silentLog,
    };
    const started = new PolicyReconciler({
      ...options,
      dataPlane: harness.open(),
    });
    started.start();
    return started;
  }

  async function want(sketches: readonly PolicySketch[], generation = 1): Promise<void> {
    reconciler.setDesired(desiredState(generation, sketches), 'all');
    await reconciler.reconcile();
  }

  /** What becomes of packets, and what VPP holds, without its numbers. */
  function held(): unknown {
    const { standIn } = harness;
    const fates = [0, 1, 2, 3, 4].map((network) => {
      const forwarding = standIn.route(TEST_TABLE, `10.0.${network}.1`);
      if (forwarding.kind !== 'policy') return forwarding.kind;
      return forwarding.lists.map(({ segments, buckets }) => `${buckets} ${segments.join()}`).sort();
    });
    return {
      fates,
      policies: standIn.policies.length,
      steerings: standIn.steerings.length,
    };
  }
  async function wantedOf(sketches: readonly PolicySketch[]): Promise<unknown> {
    await want(sketches);
    return held();
  }

  it('of VPP: puts everything back by itself, and counts it as drift', async () => {
    const wanted = await wantedOf(AFTER);
    expect(reconciler.health).toEqual({ error: null, driftRepairs: 0 });
    await harness.standIn.restart();
    expect(harness.standIn.policies).toEqual([]);
    await vi.waitFor(() => expect(held()).toEqual(wanted), { timeout: 20_000 });
    await vi.waitFor(() =>
      expect(reconciler.health).toEqual({
        error: null,
        driftRepairs: AFTER.length,
      }),
    );
    expect(harness.standIn.route(0, 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')).toMatchObject({ kind: 'drop' });
  });

  it('of the agent: writes nothing, and counts nothing', async () => {
    const wanted = await wantedOf(AFTER);
    const writes = harness.writes();
    await reconciler.stop();
    reconciler = start();
    await want(AFTER, 2);
    expect(held()).toEqual(wanted);
    expect(harness.writes()).toBe(writes);
    expect(reconciler.health).toEqual({ error: null, driftRepairs: 0 });
  });

  it('of both: puts everything back, which is no drift for an agent that has just begun', async () => {
    const wanted = await wantedOf(AFTER);
    await reconciler.stop();
    await harness.standIn.restart();
    reconciler = start();
    reconciler.setDesired(desiredState(2, AFTER), 'all');
    await vi.waitFor(() => expect(held()).toEqual(wanted), { timeout: 20_000 });
    await reconciler.reconcile();
    expect(reconciler.health).toEqual({ error: null, driftRepairs: 0 });
  });

  it('of VPP at any request of a change: ends with what is wanted, and never crashes VPP itself', async () => {
    const wanted = await wantedOf(AFTER);
    await want([]);
    let crashed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom('before' as const, 'after' as const),
        async (nth, when) => {
          const { standIn } = harness;
          await want(BEFORE);
          const { life } = standIn;
          standIn.faults.crash(when, { nth });
          reconciler.setDesired(desiredState(1, AFTER), 'all');
          await reconciler.reconcile();
          standIn.faults.clear();
          if (standIn.life > life) crashed += 1;
          await vi.waitFor(() => expect(held()).toEqual(wanted), {
            timeout: 20_000,
          });
          await reconciler.reconcile();
          expect(reconciler.health.error).toBeNull();
          expect(reconciler.counts.policies).toEqual({
            installed: 3,
            simulated: 0,
            failed: 0,
          });
          expect(standIn.crashes.filter(({ reason }) => reason !== 'fault-injection')).toEqual([]);
        },
      ),
      { numRuns: 15 },
    );
    expect(crashed).toBeGreaterThan(0);
  });

  it('of a VPP that comes back without the table: refuses with what to do, and goes on once the table is there', async () => {
    await harness.close();
    harness = await VppHarness.onStandIn();
    const agent = new ReconciledAgent(harness.open());
    await agent.want(...AFTER);
    await harness.standIn.restart();
    await vi.waitFor(async () => {
      await agent.reconciler.reconcile();
      expect(agent.reconciler.health.error).toContain(`VPP has no ipv4 table ${TEST_TABLE}`);
    });
    expect(agent.outcome('h1:1:a')).toMatchObject({ outcome: 'failed' });
    await harness.setTable(true);
    await agent.reconciler.reconcile();
    expect(agent.outcome('h1:1:a')).toMatchObject({ outcome: 'installed' });
    expect(agent.reconciler.health.error).toBeNull();
    await agent.reconciler.stop();
  });
});
