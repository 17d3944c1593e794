import { afterEach, describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { standInOnly, VppHarness } from '../../testing/vpp-harness.js';
import type { VppSettings } from './settings.js';

const LOCAL_SIDS = [{ sid: 'fc00:9::d6', behavior: 'End.DT6' }];
const weights = (...each: readonly number[]) => ({
  id: 'h1:10:h2',
  ipv4: {
    lists: each.map((weight, index): [number, ...string[]] => [weight, `fc00:${index + 1}::1`, 'fc00:2::d4']),
    prefixes: ['10.2.0.0/24'],
  },
});

describe(`how a VPP fares${standInOnly ? ` (faults: ${standInOnly})` : ''}`, () => {
  let harness: VppHarness;
  let agent: ReconciledAgent;

  async function begin(settings: Partial<VppSettings> = {}): Promise<void> {
    harness = await VppHarness.create({ localSids: LOCAL_SIDS, ...settings });
    agent = new ReconciledAgent(harness.open(), LOCAL_SIDS);
  }
  afterEach(async () => {
    await agent.want();
    await agent.reconciler.stop();
    await harness.close();
  });

  it('is told with its version, and a notice where it rounds weights', async () => {
    await begin();
    await agent.want(weights(1, 3));
    // A real VPP may hold what others put there.
    const roundings = async () => {
      const { version, notices } = await agent.dataPlane.readCounters();
      expect(version).toMatch(/^VPP \d\d\.\d\d/);
      return notices.filter((notice) => !notice.includes('are not ours'));
    };
    expect(await roundings()).toEqual([]);
    await agent.want(weights(1, 2));
    expect(await roundings()).toEqual([expect.stringMatching(/SR policy fdff:.*: VPP splits weights 1:2 as 3:5/)]);
  });

  it('is told with how many policies are not ours', async () => {
    await begin();
    const asForeigner = (work: (foreign: ForeignVpp) => Promise<void>) =>
      harness.using((vpp) => work(new ForeignVpp(vpp)));
    await asForeigner(async (foreign) => {
      await foreign.addPolicy('fdcc::1', [[1, 'fc00:8::1']]);
      await foreign.addPolicy('fdcc::2', [[1, 'fc00:8::1']]);
    });
    await agent.want(weights(1));
    const { notices } = await agent.dataPlane.readCounters();
    const all = await harness.using((vpp) => vpp.dump('sr_policies_v2_dump', {}));
    const foreign = all.filter(({ bsid }) => !bsid.startsWith('fdff:')).length;
    expect(foreign).toBeGreaterThanOrEqual(2);
    await asForeigner(async (foreign) => {
      await foreign.deletePolicy('fdcc::1');
      await foreign.deletePolicy('fdcc::2');
    });
    expect(notices).toEqual([expect.stringMatching(`^${foreign} SR policies are not ours .* [0-9a-f:]+\\)$`)]);
  });

  it('reads the counters of local SIDs the first time, and then not before their interval', async () => {
    await begin({ localSidCountersIntervalMs: 3_600_000 });
    await agent.want();
    const counters = { goodPackets: 0, goodBytes: 0, badPackets: 0, badBytes: 0 };
    expect((await agent.dataPlane.readCounters()).localSids).toContainEqual({ ...LOCAL_SIDS[0], ...counters });
    expect((await agent.dataPlane.readCounters()).localSids).toBeNull();
    expect(harness.standIn?.counters.leakedDumps ?? 1).toBe(1);
  });

  it.each([{ localSidCountersIntervalMs: 0 }, { besideCalico: true, localSids: [] }])(
    'never reads the counters of local SIDs with %j',
    async (settings) => {
      await begin(settings);
      expect((await agent.dataPlane.readCounters()).localSids).toBeNull();
      expect((await agent.dataPlane.readCounters()).localSids).toBeNull();
      agent = new ReconciledAgent(harness.open());
    },
  );

  it.skipIf(standInOnly !== undefined)('shows what reached a local SID', async () => {
    await begin();
    await agent.want();
    const counters = { goodBytes: 4_500n, goodPackets: 30n, badBytes: 64n, badPackets: 1n };
    harness.standIn?.setLocalsidCounters('fc00:9::d6', counters);
    const { localSids } = await agent.dataPlane.readCounters();
    expect(localSids).toEqual([
      { sid: 'fc00:9::d6', behavior: 'End.DT6', goodBytes: 4_500, goodPackets: 30, badBytes: 64, badPackets: 1 },
    ]);
  });

  it.skipIf(standInOnly !== undefined)('cannot be told when VPP goes away, and says why', async () => {
    await begin();
    await agent.dataPlane.readCounters();
    harness.standIn?.faults.closeMidReply({ request: 'show_version' });
    await expect(agent.dataPlane.readCounters()).rejects.toThrow('VPP does not tell its counters');
  });
});
