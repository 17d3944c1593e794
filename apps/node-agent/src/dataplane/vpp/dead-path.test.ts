import { missingNeeds } from '../../../../../test/require-program.js';
import { deadPathContract } from '../../testing/dead-path-contract.js';
import { Diamond } from '../../testing/diamond.js';
import { realVppSocket } from '../../testing/vpp-harness.js';
import { VppHeadend } from '../../testing/vpp-headend.js';

deadPathContract({
  name: 'a node agent beside VPP',
  skip:
    realVppSocket === undefined
      ? 'VPP_API_SOCKET names no real VPP'
      : missingNeeds({ programs: ['ip', 'sysctl', 'nft'], root: true }),
  create: async () => {
    const headend = await VppHeadend.create();
    const diamond = await Diamond.around(headend);
    const host = await headend.attachHost();
    return {
      diamond,
      namespace: host.namespace,
      environment: host.environment,
      remove: async () => {
        await host.remove();
        await diamond.remove();
      },
    };
  },
});
