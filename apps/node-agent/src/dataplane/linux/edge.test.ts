import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { countingShell, NetworkNamespace } from '../../testing/network-namespace.js';
import { ReconciledAgent } from '../../testing/reconciled-agent.js';
import { withdraw } from '../../reconcile/withdraw.js';
import { DataPlaneError } from '../port.js';
import { LinuxDataPlane } from './linux-data-plane.js';
import { LINUX_DEFAULTS, type LinuxSettings } from './settings.js';
import type { Shell } from './shell.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl', 'nft'], root: true });

const BLOCKS = ['fc00::/16', 'fdb5:8000::/17', 'fc00:1:2:3:8000::/65', 'fdff::1/128'];
const LIST = 'list table ip6 waymark_edge';

describe.skipIf(skip !== undefined)(`the table at the edge${skip ? ` (${skip})` : ''}`, () => {
  let namespace: NetworkNamespace;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.ip('link add eth0 type ifb');
    await namespace.nft(
      'add table inet theirs { chain c { type filter hook prerouting priority raw; tcp dport 9 drop; }; }',
    );
  });
  afterEach(async () => {
    await namespace.remove();
  });

  function dataPlane(settings: Partial<LinuxSettings> = {}, shell: Shell = namespace.shell): LinuxDataPlane {
    const edge = { edgeBlocks: BLOCKS, underlayInterfaces: ['eth0'] };
    return new LinuxDataPlane({ ...LINUX_DEFAULTS, manageSysctls: true, ...edge, ...settings }, shell);
  }
  const ruleset = () => namespace.nft('list ruleset');

  it('is laid once, and a restarted agent that finds it writes nothing', async () => {
    await dataPlane().prepare();
    const laid = await namespace.nft(LIST);
    for (const block of ['fc00::/16', 'fdb5:8000::/17', 'fc00:1:2:3:8000::/65', 'fdff::1']) {
      expect(laid).toContain(`ip6 daddr ${block} counter name "sid_destination" drop`);
    }
    const { shell, writes } = countingShell(namespace.shell);
    await dataPlane({}, shell).prepare();
    expect(writes()).toBe(0);
    expect(await namespace.nft(LIST)).toBe(laid);
  });

  it.each([
    ['the table deleted', 'delete table ip6 waymark_edge'],
    ['its rules flushed', 'flush chain ip6 waymark_edge prerouting'],
    ['a rule put first', 'insert rule ip6 waymark_edge prerouting accept'],
    ['a chain added', 'add chain ip6 waymark_edge other'],
    ['the table put to sleep', 'add table ip6 waymark_edge { flags dormant; }'],
  ])('is put back at the next look: %s', async (_, command) => {
    const agent = new ReconciledAgent(dataPlane());
    await agent.want();
    const laid = await namespace.nft(LIST);
    await namespace.nft(command);
    await agent.reconciler.reconcile();
    expect(agent.reconciler.health.error).toBeNull();
    expect(await namespace.nft(LIST)).toBe(laid);
  });

  it('follows its settings, and is gone when no edge is asked for', async () => {
    const before = await ruleset();
    await dataPlane().prepare();
    await dataPlane({ edgeBlocks: ['fdaa::/32'] }).prepare();
    const moved = await namespace.nft(LIST);
    expect(moved).toContain('ip6 daddr fdaa::/32');
    expect(moved).not.toContain('fc00::/16');
    await dataPlane({ edgeBlocks: [] }).prepare();
    expect(await ruleset()).toBe(before);
  });

  it('keeps what it counted when it is replaced', async () => {
    await namespace.nft('add table ip6 waymark_edge { counter sid_destination { packets 7 bytes 700; }; }');
    const plane = dataPlane();
    await plane.prepare();
    const { edgeDrops } = await plane.readCounters();
    expect(edgeDrops).toContainEqual({ reason: 'sid_destination', packets: 7, bytes: 700 });
  });

  it('goes with everything else of ours, and no other table changes', async () => {
    const before = await ruleset();
    const plane = dataPlane();
    await new ReconciledAgent(plane).want();
    expect(await ruleset()).toContain(before);
    await withdraw(plane);
    expect(await ruleset()).toBe(before);
  });

  it('is not laid when it would cut the node off', async () => {
    const before = await ruleset();
    await expect(dataPlane({ underlayInterfaces: [] }).prepare()).rejects.toThrow('set WAYMARK_LINUX_UNDERLAY');
    await expect(dataPlane({ underlayInterfaces: ['eth'] }).prepare()).rejects.toThrow('no interface of WAYMARK_LINUX');
    expect(await ruleset()).toBe(before);
  });

  describe('without nft', () => {
    const without: Shell = {
      follow: (...call) => namespace.shell.follow(...call),
      run: (program, ...call) =>
        program === 'nft'
          ? Promise.reject(new DataPlaneError('nft cannot be run: spawn nft ENOENT'))
          : namespace.shell.run(program, ...call),
    };

    it('is an error that says what to do', async () => {
      await expect(dataPlane({}, without).prepare()).rejects.toThrow(
        /^WAYMARK_EDGE_BLOCKS needs nft: install nftables, or leave the variable unset/,
      );
    });

    it('is not missed by an agent that was asked for no edge', async () => {
      const agent = new ReconciledAgent(dataPlane({ edgeBlocks: [] }, without));
      await agent.want();
      expect(agent.reconciler.health.error).toBeNull();
      expect(await withdraw(agent.dataPlane)).toBe(0);
    });
  });
});
