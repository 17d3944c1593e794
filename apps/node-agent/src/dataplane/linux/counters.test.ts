import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { Diamond } from '../../testing/diamond.js';
import { countingShell, NetworkNamespace } from '../../testing/network-namespace.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { RouteMonitor } from '../../testing/route-monitor.js';
import { interfacesIn } from './counters.js';
import { LinuxDataPlane } from './linux-data-plane.js';
import { countsLocalSids, interpretRoute, parseRoutes } from './route-json.js';
import { LINUX_DEFAULTS } from './settings.js';
import type { Shell } from './shell.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });

const SID = { sid: 'fc00:1::d6', behavior: 'End.DT6' };

describe('what the kernel prints of its counters', () => {
  const link = (name: string, flags: readonly string[]) => ({
    ifname: name,
    flags,
    stats64: { rx: { bytes: 1, packets: 2, dropped: 3 }, tx: { bytes: 4, packets: 5, dropped: 6 } },
  });

  it('is read with the underlay first and without lo', () => {
    const both = ['UP', 'LOWER_UP'];
    const links = [link('lo', both), link('veth0', both), link('eth0', ['UP']), link('veth1', []), link('eth1', both)];
    const found = interfacesIn(JSON.stringify(links), ['eth1', 'eth0']);
    expect(found.map(({ name, up }) => [name, up])).toEqual([
      ['eth0', false],
      ['eth1', true],
      ['veth0', true],
      ['veth1', false],
    ]);
    expect(found[0]).toMatchObject({ rxBytes: 1, rxPackets: 2, txBytes: 4, txPackets: 5, drops: 9 });
  });

  it('is missing where the kernel does not count, which is right there and only there', () => {
    const fields = { dst: SID.sid, encap: 'seg6local', action: 'End.DT6', table: '254', protocol: '200', metric: 90 };
    const behavior = (route: object, kernelCounts: boolean) => {
      const [found] = parseRoutes(JSON.stringify([route]), 'ipv6');
      const ours = found && interpretRoute(found, LINUX_DEFAULTS, kernelCounts);
      return ours?.kind === 'local-sid' ? ours.localSid.behavior : undefined;
    };
    expect(behavior(fields, false)).toBe('End.DT6');
    expect(behavior(fields, true)).toBe('End.DT6 table 254 (not counted)');
    expect(behavior({ ...fields, stats64: { packets: 0, bytes: 0, errors: 0 } }, true)).toBe('End.DT6');
    expect(['5.4.0-1', '5.13.19', '5.14.0', '5.15.0-91-generic', '6.1.0', '10.0.1'].map(countsLocalSids)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});

describe.skipIf(skip !== undefined)(`counters of the Linux kernel${skip ? ` (${skip})` : ''}`, () => {
  let namespace: NetworkNamespace;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
  });
  afterEach(async () => {
    await namespace.remove();
  });

  function dataPlane(shell: Shell = namespace.shell, underlayInterfaces: readonly string[] = []): LinuxDataPlane {
    const settings = { ...LINUX_DEFAULTS, manageSysctls: true, ownsLocalSids: true, underlayInterfaces };
    return new LinuxDataPlane(settings, shell);
  }

  it('come with the versions, before there is anything of ours', async () => {
    await namespace.ip('link add eth0 type ifb');
    const { version, interfaces, localSids, notices, edgeDrops } = await dataPlane(undefined, ['eth9']).readCounters();
    expect(version).toMatch(/^Linux \d+\.\d+\S*, iproute2-\d+\.\d+/);
    expect(interfaces).toMatchObject([{ name: 'eth0', up: false, rxBytes: 0, txBytes: 0 }]);
    expect({ localSids, edgeDrops }).toEqual({ localSids: [], edgeDrops: [] });
    expect(notices).toEqual(['underlay interface eth9 does not exist']);
  });

  it.each([254, 77])('are read of local SIDs in table %i', async (table) => {
    const settings = { ...LINUX_DEFAULTS, manageSysctls: true, ownsLocalSids: true, table };
    const plane = new LinuxDataPlane(settings, namespace.shell);
    expect((await plane.readCounters()).localSids).toEqual([]);
    await new ReconciledAgent(plane, [SID]).want();
    const none = { goodPackets: 0, goodBytes: 0, badPackets: 0, badBytes: 0 };
    expect((await plane.readCounters()).localSids).toEqual([{ ...SID, ...none }]);
  });

  it('begin for a local SID that an earlier version wrote without, once and without a gap', async () => {
    await dataPlane().prepare();
    await namespace.ip(
      `-6 route add ${SID.sid}/128 encap seg6local action End.DT6 table 254 dev waymark0 metric 90 proto 200`,
    );
    const { shell, writes } = countingShell(namespace.shell);
    const agent = new ReconciledAgent(dataPlane(shell), [SID]);
    const monitor = await RouteMonitor.start(namespace);
    await agent.want();
    const changes = await monitor.changesUntilNow();
    await monitor.stop();
    expect(changes.filter((line) => line.includes(SID.sid))).toHaveLength(1);
    expect(changes.join('\n')).not.toContain('Deleted');
    expect(writes()).toBe(1);
    expect((await agent.dataPlane.readCounters()).localSids).toHaveLength(1);
    await agent.reconciler.reconcile();
    expect(writes()).toBe(1);
    expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 0 });
  });
});

describe.skipIf(skip !== undefined)(`counters of packets${skip ? ` (${skip})` : ''}`, () => {
  let diamond: Diamond;

  beforeEach(async () => {
    diamond = await Diamond.create();
  });
  afterEach(async () => {
    await diamond.remove();
  });

  it('are those that reached a local SID, and those that it could not process', async () => {
    await diamond.headend.want({
      id: 'h1:10:h2',
      ipv6: { lists: [[1, 'fc00:a::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
    });
    const { sent } = await diamond.stream('fd02::1', 5, () => Promise.resolve());
    expect(sent).toBeGreaterThan(0);
    // With nothing inside that End.DT6 could take out.
    const bare = await diamond.stream('fc00:2::d6', 1, () => Promise.resolve(), 'h1');
    const counted = async () => {
      const { localSids } = await diamond.dataPlane('h2').readCounters();
      const dt6 = localSids?.find(({ behavior }) => behavior === 'End.DT6');
      return { good: dt6?.goodPackets, bad: dt6?.badPackets };
    };
    await expect.poll(counted).toEqual({ good: sent, bad: bare.sent });
    const { interfaces } = await diamond.dataPlane('h2').readCounters();
    const arrived = interfaces.find(({ name }) => name === 'to-r1');
    expect(arrived?.up).toBe(true);
    expect(arrived?.rxPackets).toBeGreaterThanOrEqual(sent);
  });
});
