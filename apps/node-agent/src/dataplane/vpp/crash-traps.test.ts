import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import { everybodys, type PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { TEST_TABLE, VppHarness } from '../../testing/vpp-harness.js';
import { DataPlaneError, type DataPlane, type SegmentList, type Step, type Tunnel } from '../port.js';
import { MOST_LISTS } from './plan-lists.js';

const OTHER_TABLE = 7_779;
const WEST: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
  ipv6: { lists: [[1, 'fc00:1::1', 'fc00:2::d6']], prefixes: ['::/0', '::a00:0/104', 'fd02::9/128'] },
};

const tunnel = (segmentLists: readonly SegmentList[], prefixes: readonly string[] = []): Tunnel => ({
  family: 'ipv4',
  bsid: 'fdff::99',
  alternateBsid: 'fdff::9a',
  action: { kind: 'encapsulate', segmentLists },
  steeredPrefixes: everybodys(prefixes),
});
const put = (of: Tunnel): Step => ({
  kind: 'put-tunnel',
  policyId: 'h1:1:x',
  tunnel: of,
  steer: of.steeredPrefixes.map((steered) => ({ ...steered, replaces: false })),
});

describe('what VPP dies of, or does wrong without a word', () => {
  let harness: VppHarness;
  let dataPlane: DataPlane;

  beforeEach(async () => {
    harness = await VppHarness.create();
    dataPlane = harness.open();
  });
  afterEach(async () => {
    const { standIn } = harness;
    const alive = await dataPlane.readCounters();
    await harness.close();
    expect(alive.version).toContain('VPP');
    expect(standIn?.crashes ?? []).toEqual([]);
  });

  const asForeigner = (work: (foreign: ForeignVpp) => Promise<void>): Promise<void> =>
    harness.using((vpp) => work(new ForeignVpp(vpp)));

  it.each([
    { what: 'no list', lists: [], reason: 'no segment list' },
    { what: 'a list of 0 SIDs', lists: [{ weight: 1, sids: [] }], reason: '1 to 16 SIDs' },
    {
      what: 'a list of 17 SIDs',
      lists: [{ weight: 1, sids: Array.from({ length: 17 }, (_, index) => `fc00:${index + 1}::1`) }],
      reason: '1 to 16 SIDs',
    },
    {
      what: 'more lists than VPP counts',
      lists: Array.from({ length: MOST_LISTS + 1 }, (_, index) => ({
        weight: 1,
        sids: [`fc00:1::${(index + 1).toString(16)}`],
      })),
      reason: 'at most 255',
    },
    {
      what: 'weights that starve',
      lists: [
        { weight: 1, sids: ['fc00:1::1'] },
        { weight: 100_000, sids: ['fc00:2::1'] },
      ],
      reason: 'without traffic with weights 1:100000',
    },
  ])('is refused: $what', ({ lists, reason }) => {
    expect(dataPlane.objection(tunnel(lists))).toContain(reason);
  });

  it('is not refused: as many lists as VPP counts, 16 SIDs, and dropping', async () => {
    const most = Array.from({ length: MOST_LISTS }, (_, index) => ({
      weight: 1,
      sids: [`fc00:1::${(index + 1).toString(16)}`],
    }));
    expect(dataPlane.objection(tunnel(most))).toBeNull();
    const deep = Array.from({ length: 16 }, (_, index) => `fc00:${index + 1}::1`);
    expect(dataPlane.objection(tunnel([{ weight: 1, sids: deep }]))).toBeNull();
    expect(dataPlane.objection({ ...tunnel([]), action: { kind: 'drop' } })).toBeNull();
    for (const foreign of [{ bsid: 'fd99::1' }, { alternateBsid: 'fd99::1' }]) {
      expect(dataPlane.objection({ ...tunnel(most), ...foreign })).toContain('fd99::1 is not in fdff::/16');
    }
    expect(await dataPlane.apply([put(tunnel(most))])).toEqual([]);
    const { tunnels } = await dataPlane.read();
    expect(tunnels.map(({ action }) => (action.kind === 'encapsulate' ? action.segmentLists.length : 0))).toEqual([
      255,
    ]);
  });

  it('steers default routes, prefixes of zeros and hosts, and lets them go', async () => {
    const agent = new ReconciledAgent(dataPlane);
    await agent.want(WEST);
    expect(agent.outcome(WEST.id)).toMatchObject({ outcome: 'installed', reason: '' });
    expect(Object.keys(await agent.forwarding())).toEqual(['10.2.0.0/24', '::/0', '::a00:0/104', 'fd02::9/128']);
    await agent.want();
    expect(await agent.dataPlane.read()).toMatchObject({ tunnels: [], strays: [] });
    await agent.reconciler.stop();
  });

  it.each(['steer', 'unsteer', 'replace'] as const)('is not asked to %s in a table that vanished', async (how) => {
    const agent = new ReconciledAgent(dataPlane);
    await agent.want(...(how === 'steer' ? [] : [WEST]));
    await harness.setTable(false);
    const moved: PolicySketch = {
      ...WEST,
      ipv4: { lists: [[1, 'fc00:2::d4']], prefixes: ['10.2.0.0/24', '10.9.0.0/24'] },
    };
    await agent.want(...(how === 'unsteer' ? [] : [how === 'steer' ? WEST : moved]));
    expect(agent.reconciler.health.error).toContain(`no ipv4 table ${TEST_TABLE}`);
    await harness.setTable(true);
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBeNull();
    expect(Object.keys(await agent.forwarding())).toHaveLength({ steer: 4, unsteer: 0, replace: 5 }[how]);
    await agent.want();
    await agent.reconciler.stop();
  });

  it('is not asked to steer in a table that vanishes between reading and steering', async () => {
    const wanted = tunnel([{ weight: 1, sids: ['fc00:2::d4'] }], ['10.2.0.0/24']);
    await dataPlane.prepare();
    await dataPlane.read();
    await harness.setTable(false);
    await expect(dataPlane.apply([put(wanted)])).rejects.toThrow(DataPlaneError);
    await harness.setTable(true);
    expect((await dataPlane.read()).tunnels).toMatchObject([{ bsid: 'fdff::99', steeredPrefixes: [] }]);
  });

  it('is not asked to take a stray, a policy or a local SID out of a table that is gone, and says so', async () => {
    const agent = new ReconciledAgent(dataPlane);
    await asForeigner(async (foreign) => {
      await foreign.setTable(OTHER_TABLE, true);
      await foreign.addPolicy('fdff::77', [[1, 'fc00:7::1']]);
      await foreign.addPolicy('fdff::78', [[1, 'fc00:7::1']], { table: OTHER_TABLE });
      await foreign.steer(OTHER_TABLE, '10.7.0.0/24', 'fdff::77');
      await foreign.localSid('fc00:9::77', OTHER_TABLE, true);
      await foreign.setTable(OTHER_TABLE, false);
    });
    await agent.want(WEST);
    expect(agent.outcome(WEST.id)).toMatchObject({ outcome: 'installed' });
    expect(agent.reconciler.health.error).toContain(`table ${OTHER_TABLE} any more`);
    await asForeigner((foreign) => foreign.setTable(OTHER_TABLE, true));
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBeNull();
    expect(await agent.dataPlane.read()).toMatchObject({ strays: [], localSids: [] });
    await agent.want();
    await asForeigner((foreign) => foreign.setTable(OTHER_TABLE, false));
    await agent.reconciler.stop();
  });

  it('is not asked for local SIDs that decapsulate into a table that is missing', async () => {
    const settings = { decapTable: OTHER_TABLE };
    const localSids = [{ sid: 'fc00:9::d4', behavior: 'End.DT4' }];
    const agent = new ReconciledAgent(harness.open({ ...settings, localSids }), localSids);
    await agent.want();
    expect(agent.reconciler.health.error).toContain(`no ipv4 table ${OTHER_TABLE}, where local SIDs decapsulate into`);
    await asForeigner((foreign) => foreign.setTable(OTHER_TABLE, true));
    await agent.reconciler.reconcile();
    expect((await agent.dataPlane.read()).localSids).toEqual(localSids);
    const heir = new ReconciledAgent(harness.open(settings), []);
    await heir.want();
    expect((await heir.dataPlane.read()).localSids).toEqual([]);
    await asForeigner((foreign) => foreign.setTable(OTHER_TABLE, false));
  });
});
