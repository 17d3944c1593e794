import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { withdraw } from '../../reconcile/withdraw.js';
import { countingShell, NetworkNamespace } from '../../testing/network-namespace.js';
import type { ClassSketch, PolicySketch } from '../../testing/policies.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { LinuxDataPlane } from './linux-data-plane.js';
import { LINUX_DEFAULTS, type LinuxSettings } from './settings.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });

const POLICY: PolicySketch = {
  id: 'h1:200:h2',
  ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::d4']], prefixes: [], classPrefixes: ['10.2.0.0/24'] },
  ipv6: { lists: 'drop', prefixes: [], classPrefixes: ['fd02::/64'] },
};
const PODS: ClassSketch = { id: 'h1:200:h1', sources: ['10.1.0.7', 'fd01::7'] };

describe.skipIf(skip !== undefined)(`service classes in the Linux kernel${skip ? ` (${skip})` : ''}`, () => {
  let namespace: NetworkNamespace;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.ip('link add eth0 type ifb');
    await namespace.ip('link set eth0 up');
    await namespace.ip('addr add 10.1.0.254/24 dev eth0');
    await namespace.ip('addr add fd01::fe/64 dev eth0 nodad');
  });
  afterEach(async () => {
    await namespace.remove();
  });

  function dataPlane(settings: Partial<LinuxSettings> = {}, shell = namespace.shell): LinuxDataPlane {
    return new LinuxDataPlane({ ...LINUX_DEFAULTS, manageSysctls: true, ...settings }, shell);
  }
  const wayOf = (to: string, from: string) =>
    namespace.ip(`${to.includes(':') ? '-6' : '-4'} route get ${to} from ${from} iif eth0`);
  const rules = async () =>
    `${await namespace.ip('-4 rule show')}${await namespace.ip('-6 rule show')}`
      .split('\n')
      .filter((line) => line.includes('proto 200'));
  const marked = async () =>
    (await namespace.ip('-4 route show table all proto 200')) +
    (await namespace.ip('-6 route show table all proto 200'));

  it('are a rule for each source and a table for each color', async () => {
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, PODS);
    expect(await rules()).toEqual([
      '100:\tfrom 10.1.0.7 lookup 10200 proto 200',
      '100:\tfrom fd01::7 lookup 10200 proto 200',
    ]);
    expect(await wayOf('10.2.0.9', '10.1.0.7')).toContain('encap seg6');
    await expect(wayOf('fd02::9', 'fd01::7')).rejects.toThrow();
    await namespace.ip('route add 10.2.0.0/16 dev eth0');
    expect(await wayOf('10.2.0.9', '10.1.0.8')).toContain('dev eth0');
    expect(await wayOf('10.2.1.9', '10.1.0.7')).toContain('dev eth0');
  });

  it('leave more specific routes of the node in force, those that come later too, and the node itself', async () => {
    await namespace.ip('route add 10.2.0.7/32 dev eth0');
    const plane = dataPlane();
    const agent = new ReconciledAgent(plane);
    const wide: PolicySketch = {
      id: 'h1:200:h2',
      ipv4: { lists: [[1, 'fc00:1::1', 'fc00:2::d4']], prefixes: [], classPrefixes: ['0.0.0.0/0', '10.2.0.0/24'] },
      ipv6: { lists: [[1, 'fc00:1::1', 'fc00:2::d6']], prefixes: [], classPrefixes: ['::/0'] },
    };
    await agent.want(wide, PODS);
    expect(agent.lastReport.outcomes.map(({ reason }) => reason)).toEqual(['', '']);
    expect(await wayOf('10.2.0.7', '10.1.0.7')).toContain('dev eth0');
    expect(await wayOf('10.1.0.9', '10.1.0.7')).toContain('dev eth0');
    expect(await wayOf('fd01::9', 'fd01::7')).toContain('dev eth0');
    expect(await wayOf('10.1.0.254', '10.1.0.7')).toMatch(/^local/);
    expect(await wayOf('10.2.0.8', '10.1.0.7')).toContain('encap seg6');
    expect(await wayOf('fd02::9', 'fd01::7')).toContain('encap seg6');
    await namespace.ip('route add 10.2.0.8/32 dev eth0');
    await namespace.ip('-6 route add fd02::8 dev eth0');
    await namespace.ip('route del 10.2.0.7/32 dev eth0');
    await agent.reconciler.reconcile();
    expect(await wayOf('10.2.0.8', '10.1.0.7')).toContain('dev eth0');
    expect(await wayOf('fd02::8', 'fd01::7')).toContain('dev eth0');
    expect(await wayOf('10.2.0.7', '10.1.0.7')).toContain('encap seg6');
    expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 0 });
    expect(await namespace.ip('route show table 10200 type throw')).not.toContain('10.2.0.7');
    await withdraw(plane);
    expect(await marked()).toBe('');
  });

  it('take a prefix that was an exception, and give it back', async () => {
    await namespace.ip('route add 10.2.0.7/32 dev eth0');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, PODS);
    const { ipv4 } = POLICY;
    if (ipv4 === undefined) throw new Error('the policy has no tunnel');
    await agent.want({ ...POLICY, ipv4: { ...ipv4, classPrefixes: ['10.2.0.0/24', '10.2.0.7/32'] } }, PODS);
    expect(agent.outcome('h1:200:h2')).toMatchObject({ outcome: 'installed', reason: '' });
    expect(await wayOf('10.2.0.7', '10.1.0.7')).toContain('encap seg6');
    await agent.want(POLICY, PODS);
    await agent.reconciler.reconcile();
    expect(await wayOf('10.2.0.7', '10.1.0.7')).toContain('dev eth0');
  });

  it('go before what everybody is steered by, also where a route of the node is beneath that', async () => {
    await namespace.ip('route add 10.2.0.0/26 dev eth0 metric 1024');
    const agent = new ReconciledAgent(dataPlane());
    const everybodys: PolicySketch = { id: 'h1:10:h2', ipv4: { lists: 'drop', prefixes: ['10.2.0.0/26'] } };
    await agent.want(everybodys, POLICY, PODS);
    await agent.reconciler.reconcile();
    expect(await wayOf('10.2.0.9', '10.1.0.7')).toContain('encap seg6');
    await expect(wayOf('10.2.0.9', '10.1.0.8')).rejects.toThrow();
    await agent.want(POLICY, PODS);
    await agent.reconciler.reconcile();
    expect(await wayOf('10.2.0.9', '10.1.0.7')).toContain('dev eth0');
  });

  it('take a prefix that was an exception with no moment in which neither has it', async () => {
    await namespace.ip('route add 10.2.0.7/32 dev eth0');
    const lines: string[] = [];
    const { shell } = namespace;
    const agent = new ReconciledAgent(
      dataPlane(
        {},
        {
          ...shell,
          run: (program, args, stdin) => {
            if (stdin !== undefined) lines.push(...stdin.split('\n').filter((line) => line.includes('10.2.0.7')));
            return shell.run(program, args, stdin);
          },
        },
      ),
    );
    await agent.want(POLICY, PODS);
    await agent.want({
      ...POLICY,
      ipv4: { lists: 'drop', prefixes: [], classPrefixes: ['10.2.0.0/24', '10.2.0.7/32'] },
    });
    await agent.reconciler.reconcile();
    expect(lines).toEqual([
      'route add throw 10.2.0.7/32 table 10200 metric 91 proto 200',
      'route add blackhole 10.2.0.7/32 table 10200 metric 90 proto 200',
      'route del throw 10.2.0.7/32 table 10200 metric 91 proto 200',
    ]);
  });

  it('are not steered, and nobody else suffers, while routes of the node cannot be kept in force', async () => {
    await namespace.ip('route add 10.2.0.7/32 dev eth0');
    let broken = true;
    const { shell } = namespace;
    const agent = new ReconciledAgent(
      dataPlane(
        {},
        {
          ...shell,
          run: (program, args, stdin) => {
            const fails = broken && stdin?.includes('throw') === true;
            return fails
              ? Promise.resolve({ code: 2, stdout: '', stderr: 'RTNETLINK answers: No buffer space available\n' })
              : shell.run(program, args, stdin);
          },
        },
      ),
    );
    const everybodys: PolicySketch = { id: 'h1:10:h2', ipv4: { lists: 'drop', prefixes: ['10.3.0.0/24'] } };
    await agent.want(everybodys, POLICY, PODS);
    expect(agent.outcome(everybodys.id)?.outcome).toBe('installed');
    expect(agent.outcome(POLICY.id)?.reason).toContain('a service class may hide a route of this node: ');
    broken = false;
    await agent.reconciler.reconcile();
    expect(agent.outcome(POLICY.id)?.outcome).toBe('installed');
    expect(await wayOf('10.2.0.7', '10.1.0.7')).toContain('dev eth0');
  });

  it('write nothing when all is there, and put back rules and routes that are gone', async () => {
    const { shell, writes } = countingShell(namespace.shell);
    await namespace.ip('route add 10.2.0.7/32 dev eth0');
    const agent = new ReconciledAgent(dataPlane({}, shell));
    await agent.want(POLICY, PODS);
    const [before, right, routes] = [writes(), await rules(), await marked()];
    await agent.reconciler.reconcile();
    expect(writes()).toBe(before);
    for (const command of ['-4 rule del pref 100', '-6 rule del pref 100', '-4 route flush table 10200']) {
      await namespace.ip(command);
      await agent.reconciler.reconcile();
      expect(await rules()).toEqual(right);
      expect(await marked()).toEqual(routes);
    }
    expect(agent.reconciler.health).toEqual({ error: null, driftRepairs: 3 });
  });

  it('end up in the new class when an agent ended between its two rules', async () => {
    await new ReconciledAgent(dataPlane()).want(POLICY, { id: 'h1:100:h1', sources: PODS.sources });
    await namespace.ip('-4 rule add pref 100 from 10.1.0.7 lookup 10200 protocol 200');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, PODS);
    expect(agent.outcome('h1:200:h1')).toMatchObject({ outcome: 'installed', reason: '' });
    expect(await rules()).toHaveLength(2);
    expect((await rules()).every((rule) => rule.includes('lookup 10200'))).toBe(true);
  });

  it('lose rules of ours that say something else, and leave those of others', async () => {
    await namespace.ip('-4 rule add pref 100 from 10.1.0.9 lookup 77');
    await namespace.ip('-4 rule add pref 300 from 10.1.0.7 lookup 10200 protocol 200');
    await namespace.ip('-6 rule add pref 100 from fd01::9 iif eth0 lookup 10200 protocol 200');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, PODS);
    expect(await rules()).toHaveLength(2);
    expect(await namespace.ip('-4 rule show')).toContain('from 10.1.0.9 lookup 77');
  });

  it('move to other tables and another preference', async () => {
    await new ReconciledAgent(dataPlane()).want(POLICY, PODS);
    const moved = new ReconciledAgent(dataPlane({ classTableBase: 20_000, classRule: 150 }));
    await moved.want(POLICY, PODS);
    expect(await rules()).toEqual([
      '150:\tfrom 10.1.0.7 lookup 20200 proto 200',
      '150:\tfrom fd01::7 lookup 20200 proto 200',
    ]);
    expect(await marked()).not.toContain('10200');
    expect((await moved.dataPlane.read()).strays).toEqual([]);
  });

  it('are refused where something else uses their table', async () => {
    await namespace.ip('route add 10.99.0.0/24 dev eth0 table 10200');
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, PODS);
    for (const id of [POLICY.id, PODS.id]) {
      expect(agent.outcome(id)?.reason).toContain(
        "table 10200, that of class 200, is not Waymark's alone: route 10.99.0.0/24",
      );
    }
    expect(await namespace.ip('route show table 10200')).not.toContain('proto 200');
    await namespace.ip('route flush table 10200');
    await agent.reconciler.reconcile();
    expect(agent.outcome(PODS.id)?.outcome).toBe('installed');
    await namespace.ip('-6 route add fd99::/64 dev eth0 table 10200');
    const held = await marked();
    await agent.reconciler.reconcile();
    for (const id of [POLICY.id, PODS.id]) {
      expect(agent.outcome(id)?.reason).toContain("the place of class 200 is not Waymark's alone: route fd99::/64");
    }
    expect([await marked(), (await rules()).length]).toEqual([held, 2]);
    await namespace.ip('-6 route del fd99::/64 dev eth0 table 10200');
    await agent.reconciler.reconcile();
    expect(agent.outcome(POLICY.id)?.outcome).toBe('installed');
    await namespace.ip('rule add pref 7 from 10.9.0.0/16 lookup 10200');
    await agent.reconciler.reconcile();
    expect(agent.outcome(POLICY.id)?.reason).toContain("the place of class 200 is not Waymark's alone: rule pref 7");
  });

  it.each<[string, number, Partial<LinuxSettings>]>([
    ['there is no such table', 4_294_967_295, {}],
    ["the agent's own table is there", 200, { table: 10_200 }],
    ['probes are there', 200, { probePrefix: 'fc00:77::/64', probeTable: 10_199 }],
  ])('are refused where %s', async (_, color, settings) => {
    const agent = new ReconciledAgent(dataPlane(settings));
    await agent.want({ ...POLICY, id: `h1:${color}:h2` }, { ...PODS, id: `h1:${color}:h1` });
    for (const id of [`h1:${color}:h1`, `h1:${color}:h2`]) {
      expect(agent.outcome(id)?.reason).toContain('set WAYMARK_LINUX_CLASS_TABLE_BASE');
    }
  });

  it('come back after the device was deleted', async () => {
    const agent = new ReconciledAgent(dataPlane());
    await agent.want(POLICY, PODS);
    await namespace.ip('link del waymark0');
    await agent.reconciler.reconcile();
    expect(await wayOf('10.2.0.9', '10.1.0.7')).toContain('encap seg6');
    expect(agent.reconciler.health.error).toBeNull();
  });

  it('are withdrawn with the rest', async () => {
    await namespace.ip('route add 10.2.0.7/32 dev eth0');
    const plane = dataPlane();
    await new ReconciledAgent(plane).want(POLICY, PODS);
    expect(await withdraw(plane)).toBe(4);
    expect(await rules()).toEqual([]);
    expect(await marked()).toBe('');
  });
});
