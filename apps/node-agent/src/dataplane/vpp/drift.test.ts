import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import type { PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { TEST_SETTINGS, TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import type { ActualState } from '../port.js';

const OTHER_TABLE = 7_778;
/** As Calico-VPP does, what we steer in our table. */
const OURS_IN_TABLE_0 = '10.3.0.0/24';
const WEST: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: {
    lists: [
      [1, 'fc00:1::1', 'fc00:2::d4'],
      [3, 'fc00:4::1', 'fc00:2::d4'],
    ],
    prefixes: ['10.2.0.0/24', '10.2.1.0/24'],
  },
  ipv6: { lists: [[1, 'fc00:1::1', 'fc00:2::d6']], prefixes: ['fd02::/64', '::a00:0/104'] },
};
const EAST: PolicySketch = {
  id: 'h1:10:h3',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:3::d4']], prefixes: ['10.3.0.0/24'] },
};

/** What someone else does. `west` and `spare`: both binding SIDs of WEST's IPv4 tunnel, the one in use first. */
interface Intrusion {
  readonly what: string;
  readonly intrude: (foreign: ForeignVpp, west: string, spare: string) => Promise<void>;
}

const INTRUSIONS: readonly Intrusion[] = [
  { what: 'deletes a policy under its steering', intrude: (foreign, west) => foreign.deletePolicy(west) },
  {
    what: 'deletes a policy under its steering and takes its place in the pool',
    intrude: async (foreign, west) => {
      await foreign.deletePolicy(west);
      await foreign.addPolicy('fdcc::99', [[1, 'fc00:7::1']]);
    },
  },
  {
    what: 'deletes a policy and adds it again with another list',
    intrude: async (foreign, west) => {
      await foreign.deletePolicy(west);
      await foreign.addPolicy(west, [[1, 'fc00:7::1']]);
    },
  },
  { what: 'adds a list', intrude: (foreign, west) => foreign.addList(west, [1, 'fc00:7::1']) },
  {
    what: 'adds a list twice',
    intrude: async (foreign, west) => {
      await foreign.addList(west, [1, 'fc00:1::1', 'fc00:2::d4']);
      await foreign.addList(west, [9, 'fc00:1::1', 'fc00:2::d4']);
    },
  },
  {
    what: 'adds a list from another source',
    intrude: (foreign, west) => foreign.addList(west, [1, 'fc00:7::1'], 'fd00:bad::1'),
  },
  { what: 'deletes a list', intrude: (foreign, west) => foreign.deleteList(west, 0) },
  { what: 'changes a weight', intrude: (foreign, west) => foreign.reweigh(west, 1, 9) },
  { what: 'changes a weight to one that starves', intrude: (foreign, west) => foreign.reweigh(west, 1, 90_000) },
  { what: 'unsteers a prefix', intrude: (foreign) => foreign.unsteer(TEST_TABLE, '10.2.0.0/24') },
  { what: 'unsteers a prefix of zeros', intrude: (foreign) => foreign.unsteer(TEST_TABLE, '::a00:0/104') },
  {
    what: 'steers a prefix into a spare binding SID',
    intrude: async (foreign, _west, spare) => {
      await foreign.addPolicy(spare, [[1, 'fc00:7::1']]);
      await foreign.steer(TEST_TABLE, '10.2.0.0/24', spare);
    },
  },
  {
    what: 'steers the other family into a policy',
    intrude: (foreign, west) => foreign.steer(TEST_TABLE, 'fd77::/64', west),
  },
  {
    what: 'puts a policy that sprays in the place of ours',
    intrude: async (foreign, west) => {
      await foreign.deletePolicy(west);
      await foreign.addPolicy(west, [[1, 'fc00:1::1', 'fc00:2::d4']], { sprays: true });
    },
  },
  {
    what: 'puts a policy from another source in the place of ours',
    intrude: async (foreign, west) => {
      await foreign.deletePolicy(west);
      await foreign.addPolicy(west, [[1, 'fc00:1::1', 'fc00:2::d4']], { encapSource: 'fd00:bad::1' });
    },
  },
  {
    what: 'takes both binding SIDs for policies of wrong forms, one of them steered',
    intrude: async (foreign, west, spare) => {
      await foreign.deletePolicy(west);
      await foreign.addPolicy(west, [[1, 'fc00:1::1', 'fc00:2::d4']], { sprays: true });
      await foreign.addPolicy(spare, [[1, 'fc00:7::1']], { table: OTHER_TABLE });
      await foreign.steer(TEST_TABLE, '10.2.1.0/24', spare);
    },
  },
  {
    what: 'leaves a policy that inserts in our block, steered',
    intrude: async (foreign) => {
      await foreign.addPolicy('fdff::77', [[1, 'fc00:7::1']], { encapsulates: false });
      await foreign.steer(TEST_TABLE, 'fd77::/64', 'fdff::77');
    },
  },
  {
    what: 'leaves a policy in our block, its binding SID in another table',
    intrude: (foreign) => foreign.addPolicy('fdff::77', [[1, 'fc00:7::1']], { table: OTHER_TABLE }),
  },
  {
    what: 'steers into our policy in another table',
    intrude: (foreign, west) => foreign.steer(OTHER_TABLE, '10.2.0.0/24', west),
  },
  {
    what: 'steers with host bits, in the route of ours',
    intrude: (foreign, west) => foreign.steer(TEST_TABLE, '10.2.0.7/24', west),
  },
  {
    what: 'steers with host bits into another policy, in the route of ours',
    intrude: async (foreign) => {
      await foreign.addPolicy('fdff::77', [[1, 'fc00:7::1']]);
      await foreign.steer(TEST_TABLE, '10.2.0.7/24', 'fdff::77');
      await foreign.steer(TEST_TABLE, '10.2.0.8/24', 'fdff::77');
    },
  },
];

describe('VPP when someone else changes it', () => {
  let harness: VppHarness;
  let agent: ReconciledAgent;

  beforeEach(async () => {
    harness = await VppHarness.create();
    agent = new ReconciledAgent(harness.open());
    await harness.using(async (vpp) => {
      const foreign = new ForeignVpp(vpp);
      await foreign.setTable(OTHER_TABLE, true);
      await foreign.addPolicy('fdcc::1', [[1, 'fc00:8::1']]);
      await foreign.steer(TEST_TABLE, '10.66.0.0/24', 'fdcc::1');
      await foreign.steer(0, OURS_IN_TABLE_0, 'fdcc::1');
      await foreign.localSid('fcaa::1', 0, true);
    });
  });
  afterEach(async () => {
    await agent.want();
    await agent.reconciler.stop();
    await harness.using(async (vpp) => {
      const foreign = new ForeignVpp(vpp);
      await foreign.unsteer(TEST_TABLE, '10.66.0.0/24');
      await foreign.unsteer(0, OURS_IN_TABLE_0);
      await foreign.deletePolicy('fdcc::1');
      await foreign.deletePolicy('fdcc::99').catch(() => undefined);
      await foreign.localSid('fcaa::1', 0, false);
      await foreign.setTable(OTHER_TABLE, false);
    });
    await harness.close();
  });

  const inventory = (): Promise<unknown> =>
    harness.using((vpp) => new ForeignVpp(vpp).inventory(TEST_SETTINGS.bsidBlock, ['10.66.0.0/24', OURS_IN_TABLE_0]));

  it.each(INTRUSIONS)('is made right again after someone $what, and what is not ours stays', async ({ intrude }) => {
    await agent.want(WEST, EAST);
    const right = await agent.forwarding();
    const { readBackHash } = agent.lastReport;
    const [west, spare] = bindingSidsOf(await agent.dataPlane.read(), '10.2.0.0/24');
    await harness.using((vpp) => intrude(new ForeignVpp(vpp), west, spare));
    const foreign = await inventory();

    await agent.reconciler.reconcile();
    expect(await agent.forwarding()).toEqual(right);
    expect(agent.reconciler.health).toMatchObject({ error: null });
    expect(agent.reconciler.health.driftRepairs).toBeGreaterThan(0);
    expect(agent.lastReport.readBackHash).toEqual(readBackHash);
    expect((await agent.dataPlane.read()).strays).toEqual([]);

    const { driftRepairs } = agent.reconciler.health;
    const writes = harness.writes();
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.driftRepairs).toBe(driftRepairs);
    expect(harness.writes()).toBe(writes);
    expect(await inventory()).toEqual(foreign);
    const packets = harness.standIn?.route(TEST_TABLE, '10.2.0.1');
    if (packets !== undefined) {
      const lists = packets.kind === 'policy' ? packets.lists : [];
      expect(lists.map(({ segments, buckets }) => [segments.join(), buckets]).sort()).toEqual([
        ['fc00:1::1,fc00:2::d4', 1],
        ['fc00:4::1,fc00:2::d4', 3],
      ]);
    }
  });

  it('withdraws a prefix and the stray that shares its route at once', async () => {
    await agent.want(WEST, EAST);
    const [west] = bindingSidsOf(await agent.dataPlane.read(), '10.2.0.0/24');
    await harness.using((vpp) => new ForeignVpp(vpp).steer(TEST_TABLE, '10.2.0.7/24', west));
    await agent.want(EAST);
    expect(await agent.forwarding()).toMatchObject({ '10.3.0.0/24': { kind: 'encapsulate' } });
    expect(Object.keys(await agent.forwarding())).toHaveLength(1);
    expect((await agent.dataPlane.read()).strays).toEqual([]);
    expect(agent.reconciler.health.error).toBeNull();
  });

  it('takes no prefix away from someone else, and says whose it is', async () => {
    const thief: PolicySketch = { ...EAST, ipv4: { lists: [[1, 'fc00:3::d4']], prefixes: ['10.66.0.0/24'] } };
    await agent.want(thief);
    expect(agent.outcome(EAST.id)).toMatchObject({ outcome: 'failed' });
    expect(agent.outcome(EAST.id)?.reason).toContain('fdcc::1');
    expect(await agent.forwarding()).toEqual({});
  });
});

/** The binding SID that the prefix is steered into, and the other of the same tunnel. */
function bindingSidsOf({ tunnels }: ActualState, prefix: string): [string, string] {
  const bsid =
    tunnels.find(({ steeredPrefixes }) => steeredPrefixes.some((steered) => steered.prefix === prefix))?.bsid ?? '';
  return [bsid, `${bsid.slice(0, -1)}${bsid.endsWith('1') ? '0' : '1'}`];
}
