import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { countingShell, NetworkNamespace } from '../../testing/network-namespace.js';
import { everybodys, type PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { withdraw } from '../../reconcile/withdraw.js';
import { LinuxDataPlane } from './linux-data-plane.js';
import { LINUX_DEFAULTS, type LinuxSettings } from './settings.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });

const POLICY: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
  ipv6: { lists: [[1, 'fc00:1::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
};
const OTHER: PolicySketch = {
  id: 'h1:10:h3',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:3::d4']], prefixes: ['10.3.0.0/24'] },
};

describe.skipIf(skip !== undefined)(`the Linux kernel${skip ? ` (${skip})` : ''}`, () => {
  let namespace: NetworkNamespace;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.ip('link add eth0 type ifb');
    await namespace.ip('link set eth0 up');
  });
  afterEach(async () => {
    await namespace.remove();
  });

  function dataPlane(settings: Partial<LinuxSettings> = {}, shell = namespace.shell): LinuxDataPlane {
    return new LinuxDataPlane({ ...LINUX_DEFAULTS, manageSysctls: true, ...settings }, shell);
  }
  const routes = async () => (await namespace.ip('-4 route show')) + (await namespace.ip('-6 route show'));

  it.each([
    ['IPv4', '-4 route add 10.2.0.0/24 dev eth0 proto static', '10.2.0.0/24'],
    ['IPv4 at our own metric', '-4 route add 10.2.0.0/24 dev eth0 proto static metric 90', '10.2.0.0/24'],
    ['IPv6', '-6 route add fd02::/64 dev eth0 proto static metric 20', 'fd02::/64'],
    ['IPv6 blackhole', '-6 route add blackhole fd02::/64 proto static metric 90', 'fd02::/64'],
  ])('keeps the route of someone else and fails the policy: %s', async (_, command, prefix) => {
    await namespace.ip(command);
    const before = await routes();
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, OTHER);
    expect(agent.outcome('h1:10:h2')).toMatchObject({ outcome: 'failed' });
    expect(agent.outcome('h1:10:h2')?.reason).toContain(`${prefix} is held by something that is not Waymark's: route`);
    expect(agent.outcome('h1:10:h3')?.outcome).toBe('installed');
    await agent.want();
    expect(withoutKernelRoutes(await routes())).toEqual(withoutKernelRoutes(before));
  });

  it('takes the prefix as soon as the other route is gone, and says so', async () => {
    await namespace.ip('-4 route add 10.2.0.0/24 dev eth0 proto static');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY);
    await namespace.ip('-4 route del 10.2.0.0/24 dev eth0 proto static');
    await agent.reconciler.reconcile();
    expect(agent.lastReport.outcomes).toEqual([
      { policyId: 'h1:10:h2', generation: 1, outcome: 'installed', reason: '' },
    ]);
    expect(agent.reconciler.health.driftRepairs).toBe(0);
  });

  it('goes before a route of larger metric and gives way to it when withdrawn', async () => {
    await namespace.ip('-4 route add 10.2.0.0/24 dev eth0 proto static metric 100');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY);
    expect(agent.outcome('h1:10:h2')?.outcome).toBe('installed');
    expect(await namespace.ip('-4 route get 10.2.0.9')).toContain('encap seg6');
    await agent.want();
    expect(await namespace.ip('-4 route get 10.2.0.9')).toContain('dev eth0');
  });

  it('leaves the more specific routes of local pods alone', async () => {
    await namespace.ip('-4 route add 10.2.0.7/32 dev eth0 proto static');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY);
    expect(await namespace.ip('-4 route get 10.2.0.7')).toContain('dev eth0');
    expect(await namespace.ip('-4 route get 10.2.0.8')).toContain('encap seg6');
  });

  it.each<[string, Partial<LinuxSettings>]>([
    ['metric', { metric: 50 }],
    ['table', { table: 77 }],
    ['metric and table', { metric: 50, table: 77 }],
  ])('moves its routes when the %s is configured anew', async (_, settings) => {
    await new ReconciledAgent(dataPlane()).want(POLICY, OTHER);
    const moved = new ReconciledAgent(dataPlane(settings));
    await moved.want(POLICY, OTHER);
    expect(moved.outcome('h1:10:h2')?.outcome).toBe('installed');
    const table = `table ${settings.table ?? 'main'}`;
    expect(await namespace.ip(`-4 route show ${table}`)).toContain(`metric ${settings.metric ?? 90}`);
    const all = (await namespace.ip('-4 route show table all')) + (await namespace.ip('-6 route show table all'));
    expect(all.match(/proto 200/g)).toHaveLength(3);
  });

  it('encapsulates anew when mode or device are configured anew', async () => {
    await new ReconciledAgent(dataPlane({ encapMode: 'full' })).want(POLICY, OTHER);
    await new ReconciledAgent(dataPlane({ encapMode: 'reduced' })).want(POLICY, OTHER);
    expect((await routes()).match(/mode encap\.red/g)).toHaveLength(3);
    await new ReconciledAgent(dataPlane({ device: 'waymark1' })).want(POLICY, OTHER);
    expect((await routes()).match(/dev waymark1 proto 200/g)).toHaveLength(3);
  });

  it('leaves a device in place that it did not make', async () => {
    await namespace.ip('link add waymark0 type veth peer name other');
    const plane = dataPlane();
    await new ReconciledAgent(plane).want(POLICY);
    expect(await withdraw(plane)).toBe(2);
    expect(await namespace.ip('link show')).toContain('waymark0');
  });

  it('rewrites what carries its mark but is not as it writes', async () => {
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, OTHER);
    await namespace.ip('-4 route replace 10.2.0.0/24 dev eth0 proto 200 metric 90');
    await namespace.ip(
      '-6 route replace fd02::/64 encap seg6 mode inline segs fc00:1::1 via fe80::1 dev waymark0 proto 200 metric 90',
    );
    await agent.reconciler.reconcile();
    expect(await agent.forwarding()).toMatchObject({
      '10.2.0.0/24': { kind: 'encapsulate' },
      'fd02::/64': { kind: 'encapsulate' },
    });
    expect(agent.reconciler.health.driftRepairs).toBe(1);
  });

  it('comes back after its device was deleted or taken down', async () => {
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, OTHER);
    for (const command of ['link del waymark0', 'link set waymark0 down']) {
      await namespace.ip(command);
      await agent.reconciler.reconcile();
      expect(Object.keys(await agent.forwarding())).toEqual(['10.2.0.0/24', '10.3.0.0/24', 'fd02::/64']);
    }
    expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 4 });
  });

  it('is woken by a change that someone else makes', async () => {
    const plane = dataPlane();
    await new ReconciledAgent(plane).want(POLICY);
    let awake = () => undefined as unknown;
    const woken = new Promise((resolve) => (awake = () => resolve(undefined)));
    const stop = plane.watch(() => awake());
    // The monitor says nothing when it is ready: change until it notices.
    const timer = setInterval(
      () => void namespace.shell.run('ip', ['route', 'replace', '10.9.0.0/24', 'dev', 'eth0']),
      50,
    );
    await woken;
    clearInterval(timer);
    stop();
  });

  it('names the sysctl that is missing, and writes nothing', async () => {
    await namespace.sysctl('net.ipv6.conf.all.forwarding=0');
    const { shell, writes } = countingShell(namespace.shell);
    const agent = new ReconciledAgent(dataPlane({ manageSysctls: false, ownsLocalSids: true }, shell));
    await agent.want(POLICY);
    const { error } = agent.reconciler.health;
    expect(error).toContain('net.ipv6.conf.all.forwarding=1');
    expect(error).toContain('net.ipv6.conf.default.seg6_enabled=1');
    expect(agent.outcome('h1:10:h2')).toMatchObject({ outcome: 'failed', reason: error });
    expect(writes()).toBe(0);
    await namespace.sysctl(/sysctl -w (.*)$/.exec(error ?? '')?.[1] ?? '');
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBeNull();
    expect(agent.outcome('h1:10:h2')?.outcome).toBe('installed');
  });

  it('sets the encapsulation source once', async () => {
    const { shell, writes } = countingShell(namespace.shell);
    const plane = dataPlane({ encapSource: 'fd00:1::1' }, shell);
    await plane.prepare();
    expect(await namespace.ip('sr tunsrc show')).toContain('fd00:1::1');
    const before = writes();
    await plane.prepare();
    expect(writes()).toBe(before);
  });

  it('fails the policy whose line the kernel refuses, and no other', async () => {
    const agent = new ReconciledAgent(dataPlane());
    await agent.dataPlane.prepare();
    // As if someone wrote the same route between our look and our write.
    await namespace.ip('-4 route add 10.2.0.0/24 dev eth0 proto static metric 90');
    const failures = await agent.dataPlane.apply(
      [POLICY, OTHER].map(({ id, ipv4 }) => ({
        kind: 'put-tunnel' as const,
        policyId: id,
        tunnel: {
          family: 'ipv4' as const,
          bsid: 'fdff::1',
          alternateBsid: 'fdff::2',
          action: { kind: 'drop' as const },
          steeredPrefixes: everybodys(ipv4?.prefixes ?? []),
        },
        steer: everybodys(ipv4?.prefixes ?? []).map((steered) => ({ ...steered, replaces: false })),
      })),
    );
    expect(failures.map(({ step }) => step.kind === 'put-tunnel' && step.policyId)).toEqual(['h1:10:h2']);
    expect(failures[0]?.reason).toContain('File exists');
    expect(await routes()).toContain('blackhole 10.3.0.0/24');
  });

  it.each([
    ['ipv4', '10.2.0.0/24', 6, 23],
    ['ipv6', 'fd02::/64', 7, 18],
    ['ipv4', '10.2.0.0/24', 1, 32],
    ['ipv6', 'fd02::/64', 1, 32],
    ['ipv6', 'fd02::/64', 56, 3],
  ] as const)(
    'takes as many lists as it says, and refuses more: %s %s with %i SIDs each, %i lists',
    async (family, prefix, depth, most) => {
      const agent = new ReconciledAgent(dataPlane());
      const withLists = (count: number): PolicySketch => {
        const lists = Array.from({ length: count }, (_, index): [number, ...string[]] => [
          1,
          ...Array.from({ length: depth }, (__, place) => `fc00:${index + 1}::${place + 1}`),
        ]);
        return { id: 'h1:10:h2', [family]: { lists, prefixes: [prefix] } };
      };
      await agent.want(withLists(most), OTHER);
      expect(agent.outcome('h1:10:h2')).toMatchObject({ outcome: 'installed', reason: '' });
      await agent.want(withLists(most + 1), OTHER);
      expect(agent.outcome('h1:10:h2')?.reason).toContain('a Linux route takes up to');
      expect(agent.outcome('h1:10:h3')?.outcome).toBe('installed');
    },
  );

  it('takes the deepest list that it says it can push, and the heaviest weight', async () => {
    const agent = new ReconciledAgent(dataPlane({ encapMode: 'full' }));
    const sids = Array.from({ length: agent.dataPlane.capabilities.msdHEncaps }, (_, index) => `fc00:${index + 1}::1`);
    const [first = '', ...others] = sids;
    await agent.want({ ...OTHER, ipv4: { lists: [[1, first, ...others]], prefixes: ['10.3.0.0/24'] } });
    expect(agent.outcome('h1:10:h3')).toMatchObject({ outcome: 'installed' });
    const weighted = (weight: number): PolicySketch => ({
      id: 'h1:10:h2',
      ipv6: {
        lists: [
          [weight, 'fc00:1::1'],
          [1, 'fc00:2::1'],
        ],
        prefixes: ['fd02::/64'],
      },
    });
    await agent.want(weighted(255));
    expect(agent.outcome('h1:10:h2')?.outcome).toBe('installed');
    await agent.want(weighted(256));
    expect(agent.outcome('h1:10:h2')?.reason).toContain('up to 255');
  });

  it('does not take over an address as local SID that someone else routes', async () => {
    await namespace.ip('-6 route add fc00:9::d6/128 dev eth0 proto static metric 50');
    const agent = new ReconciledAgent(dataPlane(), [{ sid: 'fc00:9::d6', behavior: 'End.DT6' }]);
    await agent.want(OTHER);
    expect(agent.reconciler.health.error).toContain('local SID fc00:9::d6 (End.DT6) is not installed: held by');
    expect(agent.outcome('h1:10:h3')?.outcome).toBe('installed');
  });

  describe('with a prefix for probes', () => {
    const PREFIX = 'fc00:77::/64';
    const rules = async () =>
      (await namespace.ip('-6 rule show')).split('\n').filter((line) => line.includes('proto 200'));

    it('leads probes out by their own table, refuses those without a route, and takes in what comes', async () => {
      const plane = dataPlane({ probePrefix: PREFIX });
      await new ReconciledAgent(plane).want(POLICY);
      const [route] = (await plane.read()).probeRoutes;
      expect(await namespace.ip(`-6 route get ${route?.address ?? ''}`)).toContain('segs 2 [ fc00:1::1 fc00:2::d6 ]');
      await expect(namespace.ip('-6 route get fc00:77::9')).rejects.toThrow('unreachable');
      expect(await namespace.ip('-6 route get fc00:77::9 iif eth0')).toMatch(/^local fc00:77::9 /);
      await namespace.ip('-6 rule del pref 90');
      await expect(namespace.ip(`-6 route get ${route?.address ?? ''}`)).rejects.toThrow('unreachable');
    });

    it('writes nothing when all is there, and puts back what is missing', async () => {
      const { shell, writes } = countingShell(namespace.shell);
      const plane = dataPlane({ probePrefix: PREFIX }, shell);
      const agent = new ReconciledAgent(plane);
      await agent.want(POLICY);
      const [before, right] = [writes(), await rules()];
      expect(right).toHaveLength(3);
      await agent.reconciler.reconcile();
      expect(writes()).toBe(before);
      for (const command of ['rule del pref 90', 'rule del pref 91', 'rule del pref 92', 'route flush table 7302']) {
        await namespace.ip(`-6 ${command}`);
        await agent.reconciler.reconcile();
        expect(await rules()).toEqual(right);
        expect(await namespace.ip('-6 route show table 7302')).toContain(`local ${PREFIX}`);
      }
      expect(agent.reconciler.health.error).toBeNull();
    });

    it('moves to another prefix, table and preference, and lets go of all when it is to probe no more', async () => {
      await namespace.ip('-6 rule add pref 95 to fc00:88::/64 lookup 7301');
      await new ReconciledAgent(dataPlane({ probePrefix: PREFIX })).want(POLICY);
      const moved = dataPlane({ probePrefix: 'fc00:78::/64', probeTable: 8000, probeRule: 200 });
      await new ReconciledAgent(moved).want(POLICY);
      expect((await rules()).every((line) => /^20[012]:.*fc00:78::/.test(line))).toBe(true);
      expect((await moved.read()).strays).toEqual([]);
      expect(await namespace.ip('-6 route show table all proto 200')).not.toContain('fc00:77::');
      const silent = dataPlane();
      await new ReconciledAgent(silent).want(POLICY);
      expect(await rules()).toEqual([]);
      expect(await namespace.ip('-6 route show table all proto 200')).not.toMatch(/fc00:7[78]::/);
      expect(await namespace.ip('-6 rule show')).toContain('95:');
    });

    it('withdraws it all', async () => {
      const plane = dataPlane({ probePrefix: PREFIX });
      await new ReconciledAgent(plane).want(POLICY);
      await withdraw(plane);
      expect(await rules()).toEqual([]);
      expect(await namespace.ip('-6 route show table all proto 200')).toBe('');
    });
  });

  it('withdraws everything of ours, device included, and nothing else', async () => {
    await namespace.ip('-4 route add 10.77.0.0/24 dev eth0 proto static');
    const before = withoutKernelRoutes(await routes());
    const plane = dataPlane();
    await new ReconciledAgent(plane, [{ sid: 'fc00:9::d6', behavior: 'End.DT6' }]).want(POLICY, OTHER);
    expect(await withdraw(plane)).toBe(4);
    expect(withoutKernelRoutes(await routes())).toEqual(before);
    expect(await namespace.ip('link show')).not.toContain('waymark0');
    expect(await withdraw(plane)).toBe(0);
  });
});

/** The kernel keeps link-local routes of every device; those of our own device come and go with it. */
function withoutKernelRoutes(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.includes('proto kernel'));
}
