import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Diamond } from './diamond.js';
import type { PacketSubject } from './packet-contract.js';
import type { ClassSketch, PolicySketch, TunnelSketch } from './policies.js';

const R1 = 'fc00:a::1';
const R2 = 'fc00:b::1';

/** Of a color, towards `h2`: what everybody is steered by, or the class of the color. */
function policy(color: number, router: typeof R1 | typeof R2 | 'drop', whom: 'everybody' | 'class'): PolicySketch {
  const tunnel = (prefix: string, serviceSid: string): TunnelSketch => ({
    lists: router === 'drop' ? 'drop' : [[1, router, serviceSid]],
    prefixes: whom === 'everybody' ? [prefix] : [],
    classPrefixes: whom === 'class' ? [prefix] : [],
  });
  return {
    id: `h1:${color}:h2`,
    ipv4: tunnel('10.2.0.0/24', 'fc00:2::d4'),
    ipv6: tunnel('fd02::/64', 'fc00:2::d6'),
  };
}

function pods(color: number, ...sources: readonly string[]): ClassSketch {
  return { id: `h1:${color}:h1`, sources };
}

/** Addresses of pods behind `h1`, and the pod of the other side that they send to. */
const FAMILIES = [
  { to: '10.2.0.1', plain: '10.1.0.1', first: '10.1.0.2', second: '10.1.0.3' },
  { to: 'fd02::1', plain: 'fd01::1', first: 'fd01::2', second: 'fd01::3' },
];

/** What packets of service classes must meet behind every data plane that forwards. */
export function classPacketContract(subject: PacketSubject): void {
  const { name, skip } = subject;
  describe.skipIf(skip !== undefined)(`packets of classes through the ${name} data plane`, () => {
    let diamond: Diamond;

    beforeAll(async () => {
      diamond = await subject.create();
      for (const { first, second } of FAMILIES) {
        for (const address of [first, second]) {
          await diamond
            .namespace('pod1')
            .ip(`addr add ${address}/${address.includes(':') ? '64 nodad' : '24'} dev to-h1`);
        }
      }
    });
    afterAll(async () => {
      await diamond.remove();
    });

    /** Packets to each router while UDP flows from the source, besides what arrived of them. */
    async function measure(to: string, source: string, during: () => Promise<void> = () => pause(200)) {
      const before = [await diamond.sentTowards('r1'), await diamond.sentTowards('r2')] as const;
      const { sent, arrived } = await diamond.stream(to, 4, during, 'pod1', source);
      const r1 = (await diamond.sentTowards('r1')) - before[0];
      const r2 = (await diamond.sentTowards('r2')) - before[1];
      expect(sent).toBeGreaterThan(0);
      return { sent, lost: sent - arrived, r1: r1 >= sent, r2: r2 >= sent };
    }

    for (const { to, plain, first, second } of FAMILIES) {
      it(`go the way of their class to ${to}, and those of a pod without class the way of all`, async () => {
        const entries = [policy(10, R1, 'everybody'), policy(100, R2, 'class'), policy(200, 'drop', 'class')];
        await diamond.headend.want(...entries, pods(100, first), pods(200, second));
        expect(await measure(to, plain)).toMatchObject({ lost: 0, r1: true, r2: false });
        expect(await measure(to, first)).toMatchObject({ lost: 0, r1: false, r2: true });
        const dropped = await measure(to, second);
        expect(dropped.lost).toBe(dropped.sent);
      });

      it(`go the way of all to ${to} when their class has no way there`, async () => {
        await diamond.headend.want(policy(10, R1, 'everybody'), policy(100, R2, 'class'), pods(300, first));
        expect(await measure(to, first)).toMatchObject({ lost: 0, r1: true, r2: false });
      });

      it(`are never lost to ${to} nor without a class while their pod moves between classes 8 times`, async () => {
        // Everybody's are dropped: a moment in which the pod is in no class would show.
        const entries = [policy(10, 'drop', 'everybody'), policy(100, R1, 'class'), policy(200, R2, 'class')];
        await diamond.headend.want(...entries, pods(100, first));
        const { sent, lost } = await measure(to, first, async () => {
          for (let move = 0; move < 8; move += 1) {
            await diamond.headend.want(...entries, pods(move % 2 === 0 ? 200 : 100, first));
            expect(diamond.headend.lastReport.outcomes.map(({ reason }) => reason).join('')).toBe('');
          }
        });
        expect(sent).toBeGreaterThan(100);
        expect(lost).toBe(0);
      });
    }
  });
}
