import { expect } from 'vitest';
import { missingNeeds } from '../../../test/require-program.js';
import { deadPathContract } from './testing/dead-path-contract.js';
import { Diamond } from './testing/diamond.js';
import { RouteMonitor } from './testing/route-monitor.js';

deadPathContract({
  name: 'a node agent on the Linux kernel',
  skip: missingNeeds({ programs: ['ip', 'sysctl', 'nft'], root: true }),
  create: async () => {
    const diamond = await Diamond.create();
    return {
      diamond,
      namespace: diamond.headendNamespace.name,
      environment: { WAYMARK_DATAPLANE: 'linux', WAYMARK_LINUX_MANAGE_SYSCTLS: 'true' },
      unchangedDuring: async (work) => {
        const monitor = await RouteMonitor.start(diamond.headendNamespace);
        await work();
        const changes = await monitor.changesUntilNow();
        await monitor.stop();
        // The kernel itself tells of link-local neighbours and of routes that it forgets, but of none that is ours.
        expect(changes.filter((line) => line.includes('seg6'))).toEqual([]);
      },
      remove: () => diamond.remove(),
    };
  },
});
