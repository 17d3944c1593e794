import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignVpp } from '../../testing/foreign-vpp.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { TEST_SETTINGS, VppHarness } from '../../testing/vpp-harness.js';
import type { LocalSid } from '../port.js';

const bySid = (sids: readonly LocalSid[]): LocalSid[] => [...sids].sort((a, b) => (a.sid < b.sid ? -1 : 1));

describe('the local SIDs of an agent in VPP', () => {
  let harness: VppHarness;

  beforeEach(async () => {
    harness = await VppHarness.create();
    await harness.using((vpp) => new ForeignVpp(vpp).localSid('fcaa::1', 0, true));
  });
  afterEach(async () => {
    await harness.using((vpp) => new ForeignVpp(vpp).localSid('fcaa::1', 0, false));
    await harness.close();
  });

  async function own(...localSids: readonly LocalSid[]): Promise<ReconciledAgent> {
    const agent = new ReconciledAgent(harness.open({ localSids }), localSids);
    await agent.want();
    return agent;
  }
  const foreign = (): Promise<unknown> =>
    harness.using((vpp) => new ForeignVpp(vpp).inventory(TEST_SETTINGS.localSidBlock ?? '', []));

  it('are End, End.X, End.DT4, End.DT6 and uN, replaced and given up, and those of others stay', async () => {
    const before = await foreign();
    const all = [
      { sid: 'fc00:9:0:1::', behavior: 'uN' },
      { sid: 'fc00:9::1', behavior: 'End' },
      { sid: 'fc00:9::d4', behavior: 'End.DT4' },
      { sid: 'fc00:9::d6', behavior: 'End.DT6' },
      { sid: 'fc00:9::e', behavior: 'End.X', via: 'fe80::1%local0' },
    ];
    const agent = await own(...all);
    expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 0 });
    expect(bySid((await agent.dataPlane.read()).localSids)).toEqual(bySid(all));
    const writes = harness.writes();
    await agent.reconciler.reconcile();
    expect(harness.writes()).toBe(writes);

    const changed = [
      { sid: 'fc00:9:0:1::', behavior: 'End' },
      { sid: 'fc00:9::e', behavior: 'End.X', via: 'fe80::2%local0' },
    ];
    const heir = await own(...changed);
    expect(heir.reconciler.health.error).toBeNull();
    expect(bySid((await heir.dataPlane.read()).localSids)).toEqual(bySid(changed));
    expect((await (await own()).dataPlane.read()).localSids).toEqual([]);
    expect(await foreign()).toEqual(before);
  });

  it('is refused with a reason when VPP lacks the interface, and the others are installed all the same', async () => {
    const end = { sid: 'fc00:9::1', behavior: 'End' };
    const agent = await own({ sid: 'fc00:9::e', behavior: 'End.X', via: 'fe80::1%nosuch0' }, end);
    expect(agent.reconciler.health.error).toContain('local SID fc00:9::e (End.X) is not installed');
    expect(agent.reconciler.health.error).toContain('no interface "nosuch0"');
    expect((await agent.dataPlane.read()).localSids).toEqual([end]);
    await own();
  });

  it('is told from one that someone else put in its place, and put back', async () => {
    const agent = await own({ sid: 'fc00:9::d6', behavior: 'End.DT6' });
    await harness.using(async (vpp) => {
      const other = new ForeignVpp(vpp);
      await other.localSid('fc00:9::77', 0, true);
      await vpp.call('sr_localsid_add_del', {
        is_del: true,
        localsid: 'fc00:9::d6',
        end_psp: false,
        behavior: 'SR_BEHAVIOR_API_DT6',
        sw_if_index: 0xffffffff,
        vlan_index: 0,
        fib_table: 0,
        nh_addr: '::',
      });
      await other.localSid('fc00:9::d6', 0, true);
    });
    await agent.reconciler.reconcile();
    expect((await agent.dataPlane.read()).localSids).toEqual([{ sid: 'fc00:9::d6', behavior: 'End.DT6' }]);
    expect(agent.reconciler.health).toMatchObject({ error: null });
    await own();
  });
});
