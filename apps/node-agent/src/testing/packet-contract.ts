import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Diamond } from './diamond.js';
import type { PolicySketch, TunnelSketch } from './policies.js';

const R1 = 'fc00:a::1';
const R2 = 'fc00:b::1';

/** The policy towards `h2`, with the weights of the ways through `r1` and `r2`. */
function policy(viaR1: number, viaR2: number): PolicySketch {
  return { id: 'h1:10:h2', ipv4: tunnel('10.2.0.0/24', 'fc00:2::d4'), ipv6: tunnel('fd02::/64', 'fc00:2::d6') };

  function tunnel(prefix: string, serviceSid: string): TunnelSketch {
    const ways = [[viaR1, R1] as const, [viaR2, R2] as const].filter(([weight]) => weight > 0);
    return { prefixes: [prefix], lists: ways.map(([weight, router]) => [weight, router, serviceSid] as const) };
  }
}

const DROP: PolicySketch = {
  id: 'h1:10:h2',
  ipv4: { lists: 'drop', prefixes: ['10.2.0.0/24'] },
  ipv6: { lists: 'drop', prefixes: ['fd02::/64'] },
};

export interface PacketSubject {
  readonly name: string;
  readonly skip: string | undefined;
  create(): Promise<Diamond>;
}

/** What real packets must meet behind every data plane that forwards. */
export function packetContract(subject: PacketSubject): void {
  const { name, skip } = subject;
  describe.skipIf(skip !== undefined)(`packets through the ${name} data plane${skip ? ` (${skip})` : ''}`, () => {
    let diamond: Diamond;

    beforeAll(async () => {
      diamond = await subject.create();
    });
    afterAll(async () => {
      await diamond.remove();
    });

    /** Packets to each router while UDP flows, besides what arrived of them. */
    async function measure(address: string, flows: number, during: () => Promise<void>) {
      const before = [await diamond.sentTowards('r1'), await diamond.sentTowards('r2')] as const;
      const { sent, arrived } = await diamond.stream(address, flows, during);
      const r1 = (await diamond.sentTowards('r1')) - before[0];
      const r2 = (await diamond.sentTowards('r2')) - before[1];
      return { sent, arrived, r1, r2 };
    }

    const pause = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));

    for (const address of ['10.2.0.1', 'fd02::1']) {
      it(`takes traffic to ${address} the way of the segment list`, async () => {
        await diamond.headend.want(policy(1, 0));
        const first = await measure(address, 20, pause(300));
        expect(first.arrived).toBe(first.sent);
        expect(first.r1).toBeGreaterThanOrEqual(first.sent);
        expect(first.r2).toBeLessThan(first.sent / 10);
        await diamond.headend.want(policy(0, 1));
        const second = await measure(address, 20, pause(300));
        expect(second.arrived).toBe(second.sent);
        expect(second.r2).toBeGreaterThanOrEqual(second.sent);
        expect(second.r1).toBeLessThan(second.sent / 10);
      });

      it(`loses no packet to ${address} while its lists are replaced 50 times`, async () => {
        await diamond.headend.want(policy(1, 0));
        const ways = [policy(0, 1), policy(1, 1), policy(3, 1), policy(1, 0)];
        const { sent, arrived } = await measure(address, 20, async () => {
          for (let change = 0; change < 50; change += 1) {
            await diamond.headend.want(ways[change % ways.length] ?? DROP);
            expect(diamond.headend.outcome('h1:10:h2')?.outcome).toBe('installed');
          }
        });
        expect(sent).toBeGreaterThan(500);
        expect(sent - arrived).toBe(0);
      });

      it(`splits flows to ${address} by weight`, async () => {
        await diamond.headend.want(policy(3, 1));
        const { sent, arrived, r1, r2 } = await measure(address, 400, pause(1_000));
        expect(arrived).toBe(sent);
        // 400 flows at 3:1: the standard deviation of the share is 2.2 %.
        expect(r1 / (r1 + r2)).toBeGreaterThan(0.64);
        expect(r1 / (r1 + r2)).toBeLessThan(0.86);
      });

      it(`drops traffic to ${address} when the policy says so, and sends it nowhere once withdrawn`, async () => {
        await diamond.headend.want(DROP);
        const dropped = await measure(address, 5, pause(200));
        expect(dropped.sent).toBeGreaterThan(0);
        expect(dropped.arrived).toBe(0);
        await diamond.headend.want();
        const withdrawn = await measure(address, 5, pause(200));
        expect(withdrawn.arrived).toBe(0);
        expect(withdrawn.r1 + withdrawn.r2).toBeLessThan(withdrawn.sent / 10 + 10);
      });
    }
  });
}
