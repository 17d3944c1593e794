import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { Diamond } from '../../testing/diamond.js';
import type { PolicySketch } from '../../testing/policies.js';
import { realVppSocket } from '../../testing/vpp-harness.js';
import { VppHeadend } from '../../testing/vpp-headend.js';

// There is no stand-in for forwarding: this suite waits for a real VPP, and nothing fails for the want of one.
const skip =
  realVppSocket === undefined
    ? 'VPP_API_SOCKET names no real VPP'
    : missingNeeds({ programs: ['ip', 'sysctl', 'nft'], root: true });

const POLICY: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:a::1', 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
  ipv6: { lists: [[1, 'fc00:a::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
};
/** On the link from the headend to `r1`: no SID, and routed. */
const PLAIN = 'fd00:2::2';

describe.skipIf(skip !== undefined)(`packets at the edge of VPP${skip ? ` (${skip})` : ''}`, () => {
  let vpp: VppHeadend;
  let diamond: Diamond;

  beforeAll(async () => {
    vpp = await VppHeadend.create({ edgeBlocks: ['fc00::/16'] });
    diamond = await Diamond.around(vpp);
    await vpp.letPodsReach('fd00:2::/64');
  });
  afterAll(async () => {
    await diamond.remove();
  });
  beforeEach(async () => {
    await diamond.headend.want(POLICY);
    expect(diamond.headend.reconciler.health.error).toBeNull();
  });
  afterEach(async () => {
    await pod('-6 route flush proto 99');
    await diamond.namespace('pod1').shell.run('nft', ['delete', 'table', 'netdev', 'forge']);
  });

  /** Some UDP from a pod, and what VPP did with it. */
  async function send(address: string) {
    const before = { forwarded: await diamond.sentTowards('r1'), dropped: await vpp.droppedByInputAcl() };
    const { sent, arrived } = await diamond.stream(address, 5, () => pause(200));
    const dropped = (await vpp.droppedByInputAcl()) - before.dropped;
    const forwarded = (await diamond.sentTowards('r1')) - before.forwarded;
    expect(sent).toBeGreaterThan(0);
    return { sent, arrived, forwarded, dropped };
  }

  const pod = (command: string) => diamond.namespace('pod1').ip(command);

  /** Rewrites what leaves the pod. */
  const forge = (rule: string) =>
    diamond
      .namespace('pod1')
      .nft(`add table netdev forge { chain out { type filter hook egress device to-h1 priority 0; ${rule}; }; }`);

  /** One packet of 2,000 bytes, in two fragments. */
  async function sendFragments(): Promise<void> {
    await pod(`-6 route add ${PLAIN}/128 via fd01::fe mtu 1280 proto 99`);
    const script = `const s = require('dgram').createSocket('udp6'); s.send(Buffer.alloc(2000), 9, '${PLAIN}', () => s.close())`;
    await diamond.namespace('pod1').shell.run(process.execPath, ['-e', script]);
  }

  it.each(['10.2.0.1', 'fd02::1'])('let steered traffic of a pod to %s through', async (address) => {
    const { sent, arrived, dropped } = await send(address);
    expect([arrived, dropped]).toEqual([sent, 0]);
  });

  it('let ordinary traffic of a pod through', async () => {
    const { sent, forwarded, dropped } = await send(PLAIN);
    expect(forwarded).toBeGreaterThanOrEqual(sent);
    expect(dropped).toBe(0);
  });

  it('let fragments through', async () => {
    const before = { forwarded: await diamond.sentTowards('r1'), dropped: await vpp.droppedByInputAcl() };
    await sendFragments();
    await expect.poll(() => diamond.sentTowards('r1')).toBeGreaterThanOrEqual(before.forwarded + 2);
    expect(await vpp.droppedByInputAcl()).toBe(before.dropped);
  });

  it('are not lost while the edge is laid and taken away 50 times', async () => {
    const { sent, arrived } = await diamond.stream('fd02::1', 20, async () => {
      for (let change = 0; change < 50; change += 1) {
        await vpp.open({ edgeBlocks: [] }).prepare();
        await vpp.dataPlane.prepare();
      }
    });
    expect(sent).toBeGreaterThan(500);
    expect(sent - arrived).toBe(0);
  });

  it('drop a segment routing header whatever its destination, whereas without an edge it passes', async () => {
    await pod(`-6 route add fd02::/64 encap seg6 mode inline segs ${PLAIN} dev to-h1 proto 99`);
    const guarded = await send('fd02::1');
    expect(guarded.dropped).toBe(guarded.sent);
    expect(guarded.forwarded).toBeLessThan(guarded.sent / 2);
    await vpp.open({ edgeBlocks: [] }).prepare();
    const open = await send('fd02::1');
    expect(open.forwarded).toBeGreaterThanOrEqual(open.sent);
  });

  it.each([
    ['behind destination options', 'ip6 nexthdr 43 ip6 nexthdr set 60'],
    ['behind hop-by-hop options', 'ip6 nexthdr 43 ip6 nexthdr set 0'],
    ['behind a routing header of another type', 'ip6 nexthdr 43 @nh,336,8 set 0'],
  ])('drop one %s', async (_where, rule) => {
    // Two headers, of which the pod rewrites the first.
    await pod(`-6 route add fc77::/64 encap seg6 mode inline segs ${PLAIN} dev to-h1 proto 99`);
    await pod('-6 route add fd02::/64 encap seg6 mode inline segs fc77::1 dev to-h1 proto 99');
    await forge(rule);
    const { sent, forwarded, dropped } = await send('fd02::1');
    expect(dropped).toBe(sent);
    expect(forwarded).toBeLessThan(sent / 2);
  });

  it('drop fragments that may have one in the second', async () => {
    // The first fragment says that destination options follow, which may end in a routing header.
    await forge('ip6 nexthdr 44 @nh,320,8 set 60');
    const before = await vpp.droppedByInputAcl();
    await sendFragments();
    await expect.poll(() => vpp.droppedByInputAcl()).toBe(before + 2);
  });
});
