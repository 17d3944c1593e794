import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { classesOf, classPolicy } from '../../testing/class-sketches.js';
import { classPacketContract } from '../../testing/class-packet-contract.js';
import { Diamond } from '../../testing/diamond.js';
import type { PolicySketch } from '../../testing/policies.js';
import { realVppSocket } from '../../testing/vpp-harness.js';
import { VppHeadend } from '../../testing/vpp-headend.js';

const skip =
  realVppSocket === undefined
    ? 'VPP_API_SOCKET names no real VPP'
    : missingNeeds({ programs: ['ip', 'sysctl', 'nft'], root: true });

const POD = ['10.1.0.1', 'fd01::1'];
const GOLD = 200;

const TO_POD2 = ['10.2.0.0/24', 'fd02::/64'];
const DEFAULT = classPolicy(10, 'fc00:a::1', TO_POD2, []);
const IN_GOLD = classPolicy(GOLD, 'fc00:b::1', [], TO_POD2);

classPacketContract({ name: 'VPP', skip, create: async () => Diamond.around(await VppHeadend.create()) });

describe.skipIf(skip !== undefined)(`packets of service classes on VPP${skip ? ` (${skip})` : ''}`, () => {
  let vpp: VppHeadend;
  let diamond: Diamond;

  beforeAll(async () => {
    vpp = await VppHeadend.create({ edgeBlocks: ['fc00::/16'] });
    diamond = await Diamond.around(vpp);
  });
  afterAll(async () => {
    await has([DEFAULT], {});
    await diamond.headend.reconciler.reconcile();
    expect(await vpp.show('show ip table')).not.toContain(`waymark class`);
    expect(await vpp.show('show ip6 table')).not.toContain(`waymark class`);
    await diamond.remove();
  });

  async function has(policies: readonly PolicySketch[], classes: Parameters<typeof classesOf>[0]): Promise<void> {
    const { reconciler } = diamond.headend;
    await diamond.headend.want(...policies, ...classesOf(classes));
    expect(diamond.headend.lastReport.outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(reconciler.health.error).toBeNull();
  }

  /** Which router some UDP from the pod goes through; all of it arrives. */
  async function way(address: string): Promise<'r1' | 'r2' | 'both'> {
    const before = [await diamond.sentTowards('r1'), await diamond.sentTowards('r2')] as const;
    const { sent, arrived } = await diamond.stream(address, 5, () => pause(200));
    const [r1, r2] = [(await diamond.sentTowards('r1')) - before[0], (await diamond.sentTowards('r2')) - before[1]];
    expect(sent).toBeGreaterThan(0);
    expect(arrived).toBe(sent);
    // Beside the stream there are some neighbor solicitations.
    if (r1 >= sent && r2 < sent / 2) return 'r1';
    return r2 >= sent && r1 < sent / 2 ? 'r2' : 'both';
  }
  const ways = async () => [await way('10.2.0.1'), await way('fd02::1')];

  it('reach VPP itself from a class that is steered by the default route', async () => {
    const everything = classPolicy(GOLD, 'fc00:b::1', [], ['0.0.0.0/0', '::/0']);
    await has([DEFAULT, everything], { [GOLD]: POD });
    expect(await ways()).toEqual(['r2', 'r2']);
    // VPP answers that nothing listens there.
    for (const address of ['10.1.0.254', 'fd01::fe']) {
      const type = address.includes(':') ? 'udp6' : 'udp4';
      const script =
        `const socket = require('dgram').createSocket('${type}');` +
        `socket.connect(9, '${address}', () => setInterval(() => socket.send('x'), 100));` +
        `socket.on('error', ({ code }) => { console.log(code); process.exit(); });`;
      const { stdout } = await diamond.namespace('pod1').shell.run('timeout', ['10', process.execPath, '-e', script]);
      expect(stdout.trim()).toBe('ECONNREFUSED');
    }
  });

  it('are not lost while the class comes and goes 20 times', async () => {
    await has([DEFAULT], {});
    const { sent, arrived } = await diamond.stream('fd02::1', 20, async () => {
      for (let change = 0; change < 20; change += 1) {
        await has([DEFAULT, IN_GOLD], { [GOLD]: POD });
        await has([DEFAULT], {});
      }
    });
    expect(sent).toBeGreaterThan(500);
    expect(sent - arrived).toBe(0);
  });

  it('are held against the edge first', async () => {
    await has([DEFAULT, IN_GOLD], { [GOLD]: POD });
    const chain = await vpp.show('show classify tables');
    expect(chain).toContain('1466005869');
    expect(await ways()).toEqual(['r2', 'r2']);
    const pod = (command: string) => diamond.namespace('pod1').ip(command);
    await pod('-6 route add fd02::/64 encap seg6 mode inline segs fd00:2::2 dev to-h1 proto 99');
    const before = await diamond.sentTowards('r2');
    const { sent, arrived } = await diamond.stream('fd02::1', 5, () => pause(200));
    await pod('-6 route flush proto 99');
    expect(arrived).toBe(0);
    expect((await diamond.sentTowards('r2')) - before).toBeLessThan(sent / 2);
  });

  it('have room for as many pods as are let in', async () => {
    const pods = Array.from({ length: 4_095 }, (_, pod) => `fd01::77:${(pod + 1).toString(16)}`);
    await has([DEFAULT, IN_GOLD], { [GOLD]: [...pods, 'fd01::1'] });
    expect(await way('fd02::1')).toBe('r2');
    await has([DEFAULT, IN_GOLD], { [GOLD]: POD });
    expect(await ways()).toEqual(['r2', 'r2']);
  });
});
