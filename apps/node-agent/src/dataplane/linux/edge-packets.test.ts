import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { Diamond } from '../../testing/diamond.js';
import type { PolicySketch } from '../../testing/policies.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl', 'nft'], root: true });

const EDGE = { edgeBlocks: ['fc00::/16'], underlayInterfaces: ['to-r1', 'to-r2'] };
const POLICY: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: [[1, 'fc00:a::1', 'fc00:2::d4']], prefixes: ['10.2.0.0/24'] },
  ipv6: { lists: [[1, 'fc00:a::1', 'fc00:2::d6']], prefixes: ['fd02::/64'] },
};
/** On the link from the headend to `r1`: no SID, and routed. */
const PLAIN = 'fd00:2::2';

describe.skipIf(skip !== undefined)(`packets at the edge of the SR domain${skip ? ` (${skip})` : ''}`, () => {
  let diamond: Diamond;

  beforeAll(async () => {
    diamond = await Diamond.create(EDGE);
  });
  afterAll(async () => {
    await diamond.remove();
  });
  beforeEach(async () => {
    await diamond.headend.want(POLICY);
    expect(diamond.headend.reconciler.health.error).toBeNull();
  });

  type From = 'pod1' | 'h1' | 'r1';
  type Router = 'r1' | 'r2';

  /** Some UDP, and what the headend did with it. */
  async function send(address: string, from: From = 'pod1', towards: Router = 'r1') {
    const before = { forwarded: await diamond.sentTowards(towards), drops: await drops() };
    const { sent, arrived } = await diamond.stream(address, 5, () => pause(200), from);
    const after = await drops();
    const dropped = Object.entries(after).map(([reason, packets]) => [reason, packets - (before.drops[reason] ?? 0)]);
    const forwarded = (await diamond.sentTowards(towards)) - before.forwarded;
    expect(sent).toBeGreaterThan(0);
    return { sent, arrived, forwarded, dropped: Object.fromEntries(dropped) as Record<string, number> };
  }

  async function drops(): Promise<Record<string, number>> {
    const { edgeDrops = [] } = await diamond.headend.dataPlane.readCounters();
    return Object.fromEntries(edgeDrops.map(({ reason, packets }) => [reason, packets]));
  }

  const pod = (command: string) => diamond.namespace('pod1').ip(command);
  const NOTHING = { sid_destination: 0, segment_routing_header: 0, hidden_routing_header: 0 };

  it.each(['10.2.0.1', 'fd02::1'])('let steered traffic of a pod to %s through', async (address) => {
    const { sent, arrived, dropped } = await send(address);
    expect(arrived).toBe(sent);
    expect(dropped).toEqual(NOTHING);
  });

  it('let ordinary traffic of a pod through', async () => {
    const { sent, forwarded, dropped } = await send(PLAIN);
    expect(forwarded).toBeGreaterThanOrEqual(sent);
    expect(dropped).toEqual(NOTHING);
  });

  it('let segment routed traffic pass from underlay to underlay', async () => {
    const r1 = diamond.namespace('r1');
    await r1.ip('-6 route add fc00:b::/64 via fd00:2::1');
    await r1.ip('-6 route add fd02::/64 encap seg6 mode encap segs fc00:b::1,fc00:2::d6 dev to-h1');
    const { sent, arrived, forwarded, dropped } = await send('fd02::1', 'r1', 'r2');
    expect(forwarded).toBeGreaterThanOrEqual(sent);
    expect(arrived).toBe(sent);
    expect(dropped).toEqual(NOTHING);
  });

  it('let what the node itself sends to SIDs out, and in when it is its own', async () => {
    const h1 = diamond.namespace('h1');
    const out = await send('fc00:a::1', 'h1');
    expect(out.forwarded).toBeGreaterThanOrEqual(out.sent);
    await h1.ip('-6 addr add fc00:1::99/128 dev lo nodad');
    const delivered = async () => {
      const { stdout } = await h1.shell.run('cat', ['/proc/net/snmp6']);
      return Number(/^Udp6NoPorts\s+(\d+)/m.exec(stdout)?.[1]);
    };
    const before = await delivered();
    const { sent, dropped } = await send('fc00:1::99', 'h1');
    expect((await delivered()) - before).toBe(sent);
    expect(dropped).toEqual(NOTHING);
  });

  describe('from a pod that forges them', () => {
    afterEach(async () => {
      await pod('-6 route flush proto 99');
      await diamond.namespace('pod1').shell.run('nft', ['delete table netdev forge']);
    });

    it('reach no SID, whereas without an edge they do', async () => {
      // One SID under encap.red: an ordinary IPv6 packet to the egress node's SID, with the packet for its pod inside.
      await pod('-6 route add fd02::/64 encap seg6 mode encap.red segs fc00:2::d6 dev to-h1 proto 99');
      const guarded = await send('fd02::1');
      expect(guarded.arrived).toBe(0);
      expect(guarded.dropped).toEqual({ ...NOTHING, sid_destination: guarded.sent });
      await diamond.dataPlane('h1', { ...EDGE, edgeBlocks: [] }).prepare();
      const open = await diamond.stream('fd02::1', 5, () => pause(200));
      expect(open.arrived).toBe(open.sent);
    });

    it('bring no segment routing header, whatever their destination', async () => {
      await pod(`-6 route add fd02::/64 encap seg6 mode inline segs ${PLAIN} dev to-h1 proto 99`);
      const { sent, forwarded, dropped } = await send('fd02::1');
      expect(dropped).toEqual({ ...NOTHING, segment_routing_header: sent });
      expect(forwarded).toBeLessThan(sent / 2);
    });

    it('bring none behind destination options', async () => {
      // Two headers, one of which the pod turns into options of the same length.
      await pod(`-6 route add fc77::/64 encap seg6 mode inline segs ${PLAIN} dev to-h1 proto 99`);
      await pod('-6 route add fd02::/64 encap seg6 mode inline segs fc77::1 dev to-h1 proto 99');
      await forge('ip6 nexthdr 43 ip6 nexthdr set 60');
      const { sent, dropped } = await send('fd02::1');
      expect(dropped).toEqual({ ...NOTHING, segment_routing_header: sent });
    });

    it('bring none behind a routing header of another type', async () => {
      await pod(`-6 route add fc77::/64 encap seg6 mode inline segs ${PLAIN} dev to-h1 proto 99`);
      await pod('-6 route add fd02::/64 encap seg6 mode inline segs fc77::1 dev to-h1 proto 99');
      await forge('ip6 nexthdr 43 @nh,336,8 set 0');
      const { sent, dropped } = await send('fd02::1');
      expect(dropped).toEqual({ ...NOTHING, hidden_routing_header: sent });
    });

    it('bring none in the second fragment', async () => {
      // The first fragment then says that destination options follow, which may end in a routing header.
      await pod(`-6 route add ${PLAIN}/128 via fd01::fe mtu 1280 proto 99`);
      await forge('ip6 nexthdr 44 @nh,320,8 set 60');
      const before = await drops();
      const script = `const s = require('dgram').createSocket('udp6'); s.send(Buffer.alloc(2000), 9, '${PLAIN}', () => s.close())`;
      await diamond.namespace('pod1').shell.run(process.execPath, ['-e', script]);
      await expect
        .poll(drops)
        .toEqual({ ...before, hidden_routing_header: (before['hidden_routing_header'] ?? 0) + 2 });
    });

    /** Rewrites what leaves the pod. */
    function forge(rule: string): Promise<string> {
      return diamond
        .namespace('pod1')
        .nft(`add table netdev forge { chain out { type filter hook egress device to-h1 priority 0; ${rule}; }; }`);
    }
  });
});
