import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { missingNeeds } from '../../../../../test/require-program.js';
import { classPacketContract } from '../../testing/class-packet-contract.js';
import { Diamond } from '../../testing/diamond.js';

const skip = missingNeeds({ programs: ['ip', 'sysctl'], root: true });

classPacketContract({ name: 'Linux kernel', skip, create: () => Diamond.create() });

describe.skipIf(skip !== undefined)('a more specific route of the node', () => {
  it('takes the packets of a class that steers all around it', async () => {
    const diamond = await Diamond.create();
    try {
      await diamond.headend.want(
        {
          id: 'h1:100:h2',
          ipv4: { lists: 'drop', prefixes: [], classPrefixes: ['10.2.0.0/24'] },
          ipv6: { lists: 'drop', prefixes: [], classPrefixes: ['::/0'] },
        },
        { id: 'h1:100:h1', sources: ['10.1.0.1', 'fd01::1'] },
      );
      const around = await diamond.stream('10.2.0.1', 1, () => pause(100));
      expect(around).toMatchObject({ arrived: 0 });
      const encapsulated = 'encap seg6 mode encap segs fc00:a::1,fc00:2::d';
      await diamond.headendNamespace.ip(`route add 10.2.0.1/32 ${encapsulated}4 dev waymark0`);
      await diamond.headendNamespace.ip(`-6 route add fd02::1/128 ${encapsulated}6 dev waymark0`);
      await diamond.headend.reconciler.reconcile();
      for (const address of ['10.2.0.1', 'fd02::1']) {
        const { sent, arrived } = await diamond.stream(address, 1, () => pause(100));
        expect(sent).toBeGreaterThan(0);
        expect(arrived).toBe(sent);
      }
    } finally {
      await diamond.remove();
    }
  });
});
